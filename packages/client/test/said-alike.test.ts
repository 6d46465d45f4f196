import { expect } from "chai";
import { isAnother, isSaidAlike } from "../dist/restate/changed-meanwhile.js";

describe("what a store says of an object twice", () => {
  it("is the same in another order, and not with another name or value", () => {
    expect(isSaidAlike({ a: "1", b: "2" }, { b: "2", a: "1" })).to.equal(true);
    expect(isSaidAlike({ Tagging: "a=1&b=2" }, { Tagging: "b=2&a=1" })).to.equal(true);
    expect(isSaidAlike({ GrantRead: 'id="a", id="b"' }, { GrantRead: 'id="b", id="a"' })).to.equal(true);
    for (const other of [{ a: "1" }, { a: "1", b: "3" }, { a: "1", c: "2" }, { a: "1", b: "2", c: "" }]) {
      expect(isSaidAlike({ a: "1", b: "2" }, other), JSON.stringify(other)).to.equal(false);
    }
    expect(isSaidAlike(undefined, {})).to.equal(true);
  });

  it("is of another object when the tag, the version, the time or the metadata differs", () => {
    const head = {
      ETag: '"1"',
      VersionId: "1",
      LastModified: new Date(0),
      Metadata: { a: "1", b: "2" },
      $metadata: {},
    };
    expect(isAnother(head, { ...head, Metadata: { b: "2", a: "1" } })).to.equal(false);
    const others = [{ ETag: '"2"' }, { VersionId: "2" }, { LastModified: new Date(1000) }, { Metadata: { a: "1" } }];
    for (const other of others) expect(isAnother(head, { ...head, ...other }), JSON.stringify(other)).to.equal(true);
  });
});
