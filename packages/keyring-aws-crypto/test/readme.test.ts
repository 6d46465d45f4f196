import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { expect } from "chai";

describe("README", () => {
  it("shows an example that runs", async () => {
    const readme = await readFile(new URL("../README.md", import.meta.url), "utf8");
    const example = /```js\n([\s\S]*?)```/.exec(readme)?.[1];
    if (example === undefined) throw new Error("README.md has no js example.");
    // Inside the package, so that its imports resolve as a user's do.
    const folder = await mkdtemp(join(fileURLToPath(new URL(".", import.meta.url)), "readme-"));
    try {
      const file = join(folder, "example.mjs");
      await writeFile(file, example);
      const shown: { keyring?: unknown } = await import(pathToFileURL(file).href);
      expect(shown.keyring).to.have.property("onDecrypt");
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});
