import { randomBytes } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { expect } from "chai";
import { BUCKET, Fixture } from "./fixture.js";

const PACKAGE = fileURLToPath(new URL("..", import.meta.url));

describe("the README's example", () => {
  it("runs as it is written", async () => {
    const fixture = await Fixture.start();
    // Beside the package, so that its imports are found as a user's would be.
    const folder = mkdtempSync(join(PACKAGE, "dist-test", "readme-"));
    try {
      const [, example = ""] = /```js\n([\s\S]*?)```/.exec(readFileSync(join(PACKAGE, "README.md"), "utf8")) ?? [];
      const imports = example.match(/^import .*$/gm) ?? [];
      const body = example.replace(/^import .*$/gm, "").replace("region, encryption", "...config, encryption");
      const file = join(folder, "example.mjs");
      writeFileSync(
        file,
        `${imports.join("\n")}\nexport async function run({ config, wrappingKey, Bucket, Key, console }) {${body}s3.destroy();}`,
      );
      const { run } = await import(pathToFileURL(file).href);
      const said: string[] = [];
      const console = { log: (text: string) => said.push(text) };
      const config = fixture.server.clientConfig;
      await run({ config, wrappingKey: randomBytes(32), Bucket: BUCKET, Key: "readme", console });
      expect(said).to.deep.equal(["for my eyes only"]);
    } finally {
      rmSync(folder, { recursive: true });
      await fixture.close();
    }
  });
});
