import { expect } from "chai";
import { MissingToolchainError, requireTools } from "../../dist/build/toolchain.js";

describe("requireTools", () => {
  it("names what is missing and only that", async () => {
    const failure = await requireTools("node", "no-such-tool", "nor-this").catch((error: unknown) => error);
    expect(failure).to.be.instanceOf(MissingToolchainError);
    expect(failure).to.have.property("tools").that.deep.equals(["no-such-tool", "nor-this"]);
  });

  it("is content with tools that are there", async () => {
    await requireTools("node");
  });
});
