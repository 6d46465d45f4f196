import { importExample } from "@s3ec/test-support";
import { expect } from "chai";

describe("README", () => {
  it("shows an example that runs", async () => {
    const { metadata, plaintext } = await importExample(import.meta.url);
    expect(plaintext).to.equal("hello");
    expect(metadata).to.have.all.keys("x-amz-c", "x-amz-d", "x-amz-i", "x-amz-3", "x-amz-w");
  });
});
