import { expect } from "chai";
import { fileMark, holdsWrappedKey, isReservedMetadata, objectMark } from "../dist/object-mark.js";

describe("names of user metadata", () => {
  it("are reserved in whatever letter case (S17, H35)", () => {
    for (const name of ["x-amz-key", "X-Amz-Key", "x-amz-anything", "s3ec-of", "S3EC-Of"]) {
      expect(isReservedMetadata(name), name).to.equal(true);
    }
    for (const name of ["", "amz", "x-amz", "my-x-amz-key", "s3ec-of-mine"]) {
      expect(isReservedMetadata(name), name).to.equal(false);
    }
  });
});

describe("the mark of an object", () => {
  it("is the message id, else the IV, else what we left on it, in whatever letter case (H35)", () => {
    const all = { "X-Amz-I": "id", "x-amz-iv": "iv", "S3ec-Of": "ours", "x-amz-key-v2": "key" };
    expect(objectMark(all)).to.equal("id");
    expect(objectMark({ ...all, "X-Amz-I": "" })).to.equal("iv");
    expect(objectMark({ ...all, "X-Amz-I": "", "x-amz-iv": "" })).to.equal("ours");
    expect(objectMark({ "x-amz-key-v2": "key", other: "id" })).to.equal(undefined);
    expect(fileMark(all)).to.equal("ours");
  });

  it("an empty value holds no wrapped key (H3)", () => {
    for (const name of ["x-amz-key", "X-Amz-Key-V2", "x-amz-3"]) {
      expect(holdsWrappedKey({ a: "b", [name]: "key" }), name).to.equal(true);
      expect(holdsWrappedKey({ a: "b", [name]: "" }), name).to.equal(false);
    }
    expect(holdsWrappedKey({ "x-amz-iv": "iv", "x-amz-i": "id" })).to.equal(false);
  });
});
