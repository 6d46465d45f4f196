import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import type { Keyring } from "@s3ec/materials";
import { expect } from "chai";
import { chunksOf, collect, plaintextOf, RawKeyring } from "./fixture.js";

interface Example {
  encrypt(keyring: Keyring, plaintext: AsyncIterable<Uint8Array>): AsyncIterable<Uint8Array>;
  decrypt(keyring: Keyring, message: Uint8Array): AsyncIterable<Uint8Array>;
}

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
      const shown: Example = await import(pathToFileURL(file).href);
      const message = await collect(shown.encrypt(new RawKeyring(), chunksOf(plaintextOf(100_000), 999)));
      const back = await collect(shown.decrypt(new RawKeyring(), message));
      expect(back.equals(plaintextOf(100_000))).to.equal(true);
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});
