import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { expect } from "chai";
import { inProcess } from "../objects/in-process.js";

const PAGE = new URL("../../../../docs/json.md", import.meta.url);
const pathOf = (name: string): string => fileURLToPath(new URL(`../../${name}`, import.meta.url));

describe("the page about JSON", () => {
  it("is what the schemas say (npm run json-page -w packages/cli writes it)", () => {
    const page = execFileSync(process.execPath, [pathOf("bundle/make-json-page.mjs"), "--print"], { encoding: "utf8" });
    expect(readFileSync(PAGE, "utf8")).to.equal(page);
  });

  it("names commands that print schemas", async () => {
    const [, lines = ""] = /^```sh\n(.*?)^```$/ms.exec(readFileSync(PAGE, "utf8")) ?? [];
    const commands = lines.trimEnd().split("\n");
    expect(commands).to.have.lengthOf(3);
    for (const line of commands) {
      const { code, stdout } = await inProcess(line.split(" ").slice(1), pathOf("."));
      expect([code, JSON.parse(stdout).$schema]).to.deep.equal([0, "https://json-schema.org/draft/2020-12/schema"]);
    }
  });
});
