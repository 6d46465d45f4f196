import { importExample } from "@s3ec/test-support";
import { expect } from "chai";

describe("README", () => {
  it("shows an example that runs", async () => {
    const { materialsManager } = await importExample(import.meta.url);
    expect(materialsManager).to.have.property("wrapAlgorithms").that.is.not.empty;
  });
});
