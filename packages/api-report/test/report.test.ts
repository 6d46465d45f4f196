import { mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "chai";
import { readApi } from "../dist/read-api.js";
import { outdatedReports, storeReports } from "../dist/stored-reports.js";
import { Fixture } from "./fixture.js";

const CLASS = `
/** Says hello. */
export class Greeter {
  readonly #name: string;
  constructor(name: string) { this.#name = name; }
  /** Greets. */
  greet(times: number = 1): string { return this.#name.repeat(times); }
  private unseen(): void {}
}`;

describe("the API report", () => {
  it("holds each export by name with its signature: no body, no docstring, nothing private", () => {
    using fixture = new Fixture()
      .addPackage("one", { index: `export { Greeter } from "./greeter.js";`, greeter: CLASS })
      .addPackage("two", {
        index: `
          export { Greeter } from "../../one/dist/index.js";
          const inner: number = 1;
          export { inner as Outer };
          export type Zoo = "a" | "b";
          export function fn(a: string): void;
          export function fn(a: number): void;
          export function fn(a: unknown): void { void a; }`,
      });
    const { reports } = readApi(fixture.root);
    expect([...reports.keys()]).to.deep.equal(["one.api.md", "two.api.md"]);
    expect(reports.get("one.api.md")).to.equal(`# @s3ec/one

What this package exports. Written by \`npm run api\`; \`npm run check\` fails when it is not what the code says.

\`\`\`ts
export declare class Greeter {
    constructor(name: string);
    greet(times?: number): string;
}
\`\`\`
`);
    expect(reports.get("two.api.md")).to.include(`
export { Greeter } from "@s3ec/one";

export { inner as Outer };
declare const inner: number;

export type Zoo = "a" | "b";

export declare function fn(a: string): void;
export declare function fn(a: number): void;
`);
  });

  it("is not written of private packages, and refuses what is not built", () => {
    using fixture = new Fixture().addPackage("one", { index: "" }).addPackage("two", { index: "" }, { private: true });
    expect([...readApi(fixture.root).reports.keys()]).to.deep.equal(["one.api.md"]);
    fixture.addPackage("three", {});
    expect(() => readApi(fixture.root)).to.throw("@s3ec/three is not built: run npm run build first.");
  });

  it("is outdated when a signature changes, an export comes or goes, and a package comes or goes; not by a docstring", () => {
    using fixture = new Fixture().addPackage("one", { index: CLASS });
    const directory = join(fixture.root, "docs", "api");
    const outdated = (): readonly string[] => outdatedReports(directory, readApi(fixture.root).reports);
    const sentence = (id: string): string =>
      `docs/api/${id}.api.md is not what the code exports: run npm run api, and commit it when the change is meant.`;

    expect(outdated()).to.deep.equal([sentence("one")]);
    storeReports(directory, readApi(fixture.root).reports);
    expect(outdated()).to.deep.equal([]);

    fixture.addPackage("one", { index: CLASS.replace("Says hello.", "Greets whoever has a name.") });
    expect(outdated()).to.deep.equal([]);
    fixture.addPackage("one", { index: CLASS.replace("times: number", "times: bigint").replace("= 1", "= 1n") });
    expect(outdated()).to.deep.equal([sentence("one")]);
    fixture.addPackage("one", { index: `${CLASS}\n/** More. */\nexport const more: number = 1;` });
    expect(outdated()).to.deep.equal([sentence("one")]);
    fixture.addPackage("one", { index: CLASS }).addPackage("two", { index: "" });
    mkdirSync(directory, { recursive: true });
    writeFileSync(join(directory, "gone.api.md"), "");
    expect(outdated()).to.deep.equal([sentence("gone"), sentence("two")]);

    storeReports(directory, readApi(fixture.root).reports);
    expect(readdirSync(directory)).to.deep.equal(["one.api.md", "two.api.md"]);
    expect(outdated()).to.deep.equal([]);
  });
});
