import { expect } from "chai";
import { optionalPackage } from "../dist/optional-package.js";

describe("a package that only some keys need", () => {
  it("is named, with what else can be done, where it is not installed", async () => {
    const missing = () => Promise.reject(new Error("Cannot find package"));
    const problem: unknown = await optionalPackage("node-forge", missing, "; or convert it").catch((error) => error);
    expect(problem)
      .to.have.property("message")
      .that.equals("takes the package node-forge: npm install node-forge; or convert it");
  });
});
