import { inspect } from "node:util";
import { runInNewContext } from "node:vm";
import { expect } from "chai";
import { decryptionFailed, isError, S3EncryptionError } from "../dist/errors.js";

describe("S3EncryptionError", () => {
  it("is recognised across two installed copies of the package", async () => {
    const copy: typeof import("../dist/errors.js") = await import(
      new URL("../dist/errors.js?copy", import.meta.url).href
    );
    expect(copy.S3EncryptionError).to.not.equal(S3EncryptionError);
    expect(new copy.S3EncryptionError("not-encrypted", "x")).to.be.instanceOf(S3EncryptionError);
    expect(decryptionFailed()).to.be.instanceOf(copy.S3EncryptionError);
  });

  it("is not just any error, and leaves subclasses to their own prototype", () => {
    class Special extends S3EncryptionError {}
    for (const value of [new Error("x"), { code: "not-encrypted" }, null, undefined, "x"]) {
      expect(value instanceof S3EncryptionError, inspect(value)).to.equal(false);
    }
    expect(new Special("not-encrypted", "x")).to.be.instanceOf(S3EncryptionError);
    expect(decryptionFailed()).to.not.be.instanceOf(Special);
    expect(new Special("not-encrypted", "x")).to.be.instanceOf(Special);
  });

  it("keeps its cause out of what is enumerated and serialised (S16)", () => {
    const error = decryptionFailed(new Error("secret detail"));
    expect(error.cause).to.be.an("error");
    expect(Object.keys(error)).to.not.include("cause");
    expect(JSON.stringify(error)).to.not.contain("secret detail");
    expect(error.message).to.equal(decryptionFailed().message);
    expect("cause" in decryptionFailed()).to.equal(false);
  });
});

describe("isError", () => {
  it("knows an error of whatever realm, and nothing else", () => {
    const foreign: unknown = runInNewContext("Object.assign(new RangeError('there'), { code: 'ENOENT' })");
    expect(foreign).not.to.be.instanceOf(Error);
    expect(isError(foreign) && [foreign.name, foreign.code]).to.deep.equal(["RangeError", "ENOENT"]);
    expect(isError(new TypeError("here"))).to.equal(true);
    for (const thrown of [
      undefined,
      null,
      "text",
      1,
      {},
      { name: "Error" },
      { message: "x" },
      { name: 1, message: "x" },
    ]) {
      expect(isError(thrown)).to.equal(false);
    }
  });
});
