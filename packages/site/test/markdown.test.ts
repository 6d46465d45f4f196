import { expect } from "chai";
import { adjustMarkdown, type MarkdownParser } from "../dist/markdown.js";

type Rule = Parameters<MarkdownParser["core"]["ruler"]["push"]>[1];
type State = Parameters<Rule>[0];
type Token = State["tokens"][number];

function token(type: string, content = "", children: Token[] | null = null): Token {
  return { type, info: "", content, children };
}

/** These tokens, as a parser hands them to the rules that are added to it. */
function adjusted(tokens: Token[]): readonly Token[] {
  const Token = class implements Token {
    info = "";
    content = "";
    children: Token[] | null = null;
    readonly type: string;
    constructor(type: string) {
      this.type = type;
    }
  };
  adjustMarkdown({ core: { ruler: { push: (_, rule) => rule({ tokens, Token }) } } });
  return tokens;
}

describe("what TypeDoc is given of a page", () => {
  it("says what code is in a heading, for the contents", () => {
    const code = token("code_inline", "AmazonS3EncryptionClient");
    adjusted([token("heading_open"), token("inline", "", [token("text", "Java, "), code])]);
    expect(code.children?.map(({ type, content }) => [type, content])).to.deep.equal([["text", code.content]]);
  });

  it("has code elsewhere as it was", () => {
    const code = token("code_inline", "x");
    adjusted([token("paragraph_open"), token("inline", "", [code])]);
    expect(code.children).to.equal(null);
  });

  it("takes a block that names no language for text, and no other", () => {
    const [bytes, code] = adjusted([token("fence"), { ...token("fence"), info: "ts" }]);
    expect([bytes?.info, code?.info]).to.deep.equal(["text", "ts"]);
  });
});
