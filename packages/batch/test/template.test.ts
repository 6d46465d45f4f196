import { readFile } from "node:fs/promises";
import { expect } from "chai";
import { parse } from "yaml";

interface Statement {
  readonly Sid?: string;
  readonly Action: string | readonly string[];
  readonly Resource: unknown;
}

/** CloudFormation's own tags, as lists and texts. */
const TAGS = ["!Ref", "!Sub", "!If", "!Equals", "!Not", "!And", "!Or", "!Condition", "!GetAtt"].flatMap((tag) => [
  { tag, resolve: (text: string) => text },
  { tag, collection: "seq" as const, resolve: (list: { toJSON(): unknown }) => list.toJSON() },
]);

describe("the template", () => {
  let statements: readonly Statement[];
  before(async () => {
    const text = await readFile(new URL("../template.yaml", import.meta.url), "utf8");
    const template = parse(text, { customTags: TAGS as never, logLevel: "error" });
    const [policy] = template.Resources.Function.Properties.Policies;
    statements = policy.Statement.map((each: unknown) => (Array.isArray(each) ? each[1] : each));
  });
  const actionsOf = (Sid: string): readonly string[] =>
    [statements.find((each) => each.Sid === Sid)?.Action ?? []].flat();

  it("allows no action on everything, and none that nothing here asks for", () => {
    for (const { Sid, Action, Resource } of statements) {
      expect(
        [Action].flat().filter((action) => action.includes("*")),
        Sid,
      ).to.deep.equal([]);
      expect(JSON.stringify(Resource), Sid).to.not.equal('"*"');
    }
  });

  it("allows to see that a version has no instruction file, as it is verified", () => {
    expect(actionsOf("TellWhatIsMissing")).to.include("s3:ListBucketVersions");
  });

  it("allows a rotator what s3ec config policy does, but for listing uploads", async () => {
    const source = await readFile(new URL("../../cli/src/iam-policy.ts", import.meta.url), "utf8");
    const [, rotated = ""] = /const ROTATED: readonly string\[\] = \[(.*?)\];/s.exec(source) ?? [];
    const named = [...rotated.matchAll(/"(s3:\w+)"/g)].map(([, action]) => action);
    expect(named).to.have.length.above(10);
    expect([...actionsOf("ReadObjects"), ...actionsOf("WriteObjectsAgain")]).to.have.members(named);
  });
});
