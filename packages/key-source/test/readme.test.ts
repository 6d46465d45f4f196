import { join } from "node:path";
import { importExample, readmeExample } from "@s3ec/test-support";
import { keyFilesFolder } from "@s3ec/test-vectors";
import { expect } from "chai";

describe("README", () => {
  before(() => {
    process.env.STORE_PASSPHRASE = "changeit";
  });
  after(() => {
    delete process.env.STORE_PASSPHRASE;
  });

  it("shows an example that runs", async () => {
    const example = await readmeExample(import.meta.url);
    const { keyring } = await importExample(
      import.meta.url,
      example.replace('"orders.p12"', JSON.stringify(join(keyFilesFolder, "openssl.p12"))),
    );
    expect(keyring).to.have.property("onDecrypt");
  });
});
