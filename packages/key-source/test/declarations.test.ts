import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { expect } from "chai";

const PACKAGE = fileURLToPath(new URL("..", import.meta.url));

describe("declarations", () => {
  it("name no package that need not be installed, so that they are whole without skipLibCheck", () => {
    const manifest: { peerDependencies: object } = JSON.parse(readFileSync(`${PACKAGE}package.json`, "utf8"));
    const files = readdirSync(`${PACKAGE}dist`).filter((name) => name.endsWith(".d.ts"));
    expect(files).to.include("index.d.ts");
    for (const name of Object.keys(manifest.peerDependencies)) {
      const naming = files.filter((file) => readFileSync(`${PACKAGE}dist/${file}`, "utf8").includes(`"${name}"`));
      expect(naming, name).to.deep.equal([]);
    }
  });
});
