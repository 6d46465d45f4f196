/** Of a token of markdown-it's, no more than what is looked at. */
interface Token {
  readonly type: string;
  info: string;
  content: string;
  children: Token[] | null;
}

/** What one text has been read as. */
interface State {
  readonly tokens: readonly Token[];
  readonly Token: new (type: string, tag: string, nesting: number) => Token;
}

/** Of a parser of markdown-it's, how its tokens are got hold of before they are rendered. */
export interface MarkdownParser {
  readonly core: { readonly ruler: { push(name: string, rule: (state: State) => void): void } };
}

/**
 * Mends what TypeDoc makes of two things: code in a heading is left out of the contents and of the anchor, and a block that names no
 * language, such as bytes and what programs print, is coloured as TypeScript.
 */
export function adjustMarkdown(parser: MarkdownParser): void {
  parser.core.ruler.push("s3ec", ({ tokens, Token }) => {
    for (const [index, token] of tokens.entries()) {
      if (token.type === "fence" && token.info === "") token.info = "text";
      if (token.type !== "heading_open") continue;
      for (const part of tokens[index + 1]?.children ?? []) {
        if (part.type !== "code_inline") continue;
        const text = new Token("text", "", 0);
        text.content = part.content;
        part.children = [text]; // what contents and anchors are made of; it is rendered as it was
      }
    }
  });
}
