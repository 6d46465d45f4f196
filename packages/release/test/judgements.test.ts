import { expect } from "chai";
import { licenceMistakes } from "../dist/licences.js";
import { differences, overBudget } from "../dist/tarballs.js";

const tarball = (name: string, sha256: string, unpacked = 1000) => ({ name, file: "", sha256, packed: 1, unpacked });

describe("what a rehearsal refuses", () => {
  it("is a package that comes out otherwise when it is packed again", () => {
    const here = [tarball("a", "1"), tarball("b", "2")];
    expect(differences(here, here)).to.deep.equal([]);
    expect(differences(here, [tarball("a", "1"), tarball("b", "3")]).join()).to.match(/^b is not the same/);
    expect(differences(here, [tarball("a", "1")]).join()).to.match(/^b is not the same/);
  });

  it("is a package above its budget, or without one", () => {
    expect(overBudget([tarball("a", "1", 10_000)], { a: 10 })).to.deep.equal([]);
    expect(overBudget([tarball("a", "1", 12_000)], { a: 10 }).join()).to.match(
      /^a takes 12 kB unpacked, more than the 10 /,
    );
    expect(overBudget([tarball("b", "1", 12_000)], { a: 10 })).to.have.length(1);
  });

  it("is a component under other terms than those allowed, or under none that is told", () => {
    const of = (id: string) => ({ name: "x", version: "1.0.0", licenses: [{ license: { id } }] });
    expect(licenceMistakes([of("MIT"), of("Apache-2.0")])).to.deep.equal([]);
    expect(
      licenceMistakes([{ name: "x", version: "1.0.0", licenses: [{ expression: "(BSD-3-Clause OR GPL-2.0)" }] }]),
    ).to.deep.equal([]);
    expect(
      licenceMistakes([of("GPL-3.0"), { name: "y", version: "2.0.0" }]).map((text) => text.slice(0, 7)),
    ).to.deep.equal(["x@1.0.0", "y@2.0.0"]);
  });
});
