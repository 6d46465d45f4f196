import { S3EncryptionError, serializeEncryptionContext } from "@s3ec/envelope";
import { assert } from "chai";

const hex = (context: Record<string, string>): string =>
  Buffer.from(serializeEncryptionContext(context)).toString("hex");

describe("serialized encryption contexts", () => {
  it("are empty for an empty context, count included", () => {
    assert.equal(hex({}), "");
  });

  it("hold a count, then lengths and UTF-8", () => {
    assert.equal(hex({ b: "é", a: "" }), `0002${"0001"}61${"0000"}${"0001"}62${"0002"}c3a9`);
  });

  it("are sorted by the bytes of the name, not by UTF-16 units", () => {
    // U+FF5E sorts before U+10400 in UTF-8 and after its surrogates in UTF-16.
    const bytes = Buffer.from(serializeEncryptionContext({ "\u{10400}": "2", "\uff5e": "1" }));
    assert.isBelow(bytes.indexOf("\uff5e"), bytes.indexOf("\u{10400}"));
  });

  it("refuse what does not fit and what is not Unicode", () => {
    for (const context of [
      { a: "x".repeat(65_536) },
      { a: "x".repeat(40_000), b: "x".repeat(40_000) },
      { a: "\ud800" },
    ]) {
      assert.throws(() => serializeEncryptionContext(context), S3EncryptionError);
    }
  });
});
