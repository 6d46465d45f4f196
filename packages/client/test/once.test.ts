import { expect } from "chai";
import { once } from "../dist/once.js";

describe("what is loaded once", () => {
  it("is loaded again where it could not be, and then no more", async () => {
    let loads = 0;
    const load = once(async () => {
      loads += 1;
      if (loads === 1) throw new Error("too many open files");
      return "loaded";
    });
    expect(await load().catch((error: unknown) => error)).to.have.property("message", "too many open files");
    expect([await load(), await load(), loads]).to.deep.equal(["loaded", "loaded", 2]);
  });
});
