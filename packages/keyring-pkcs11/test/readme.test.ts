import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { describeOnSoftHsm } from "@s3ec/softhsm";
import { expect } from "chai";
import type { Pkcs11Keyring } from "../dist/index.js";
import { roundTrip } from "./materials.js";

describeOnSoftHsm("README", (hsm) => {
  it("shows an example that runs", async () => {
    const readme = await readFile(new URL("../README.md", import.meta.url), "utf8");
    const example = /```js\n([\s\S]*?)```/.exec(readme)?.[1];
    if (example === undefined) throw new Error("README.md has no js example.");
    expect(example).to.contain('"/usr/lib/softhsm/libsofthsm2.so"');
    hsm().importRsa("app", "01");
    process.env.TOKEN_PIN = hsm().pin;
    // Inside the package, so that its imports resolve as a user's do.
    const folder = await mkdtemp(join(fileURLToPath(new URL(".", import.meta.url)), "readme-"));
    try {
      const file = join(folder, "example.mjs");
      await writeFile(file, example.replace("/usr/lib/softhsm/libsofthsm2.so", hsm().module));
      const { keyring }: { keyring: Pkcs11Keyring } = await import(pathToFileURL(file).href);
      expect(await roundTrip(keyring, keyring)).to.equal(true);
      await keyring.close();
    } finally {
      delete process.env.TOKEN_PIN;
      await rm(folder, { recursive: true });
    }
  });
});
