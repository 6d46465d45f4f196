import { importExample } from "@s3ec/test-support";
import { expect } from "chai";

describe("README", () => {
  it("shows an example that runs", async () => {
    const { keyring } = await importExample(import.meta.url);
    expect(keyring).to.have.property("onDecrypt");
  });
});
