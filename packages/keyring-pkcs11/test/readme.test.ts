import { describeOnSoftHsm } from "@s3ec/softhsm";
import { importExample, readmeExample, roundTrip } from "@s3ec/test-support";
import { expect } from "chai";
import type { Pkcs11Keyring } from "../dist/index.js";

describeOnSoftHsm("README", (hsm) => {
  it("shows an example that runs", async () => {
    const example = await readmeExample(import.meta.url);
    expect(example).to.contain('"/usr/lib/softhsm/libsofthsm2.so"');
    hsm().importRsa("app", "01");
    process.env.TOKEN_PIN = hsm().pin;
    try {
      const code = example.replace("/usr/lib/softhsm/libsofthsm2.so", hsm().module);
      const { keyring } = await importExample<{ keyring: Pkcs11Keyring }>(import.meta.url, code);
      expect(await roundTrip(keyring, keyring)).to.equal(true);
      await keyring.close();
    } finally {
      delete process.env.TOKEN_PIN;
    }
  });
});
