import { createSecretKey } from "node:crypto";
import { inspect } from "node:util";
import { bytes, refused } from "@s3ec/test-support";
import { expect } from "chai";
import { type AesKeyEncoding, RawAesKeyring, readAesKey } from "../dist/index.js";
import { aesWrappingKey } from "../dist/wrapping-key.js";

const key = (length: number): Buffer => Buffer.from(bytes(0xb7, length));
const utf8 = (text: string): Buffer => Buffer.from(text, "utf8");
const holds = (found: ReturnType<typeof readAesKey>, expected: Uint8Array | undefined): boolean =>
  found.equals(createSecretKey(expected ?? new Uint8Array()));

const HEX = key(16).toString("hex");
const LETTERS = "JavaProgramsTakeLettersForTheKey";

/** Texts of keys that are as long as another key, with what each encoding makes of them. */
const AMBIGUOUS: readonly [what: string, text: string, meant: Partial<Record<AesKeyEncoding, Uint8Array>>][] = [
  ["16 bytes in hex", HEX, { bytes: utf8(HEX), hex: key(16), base64: Buffer.from(HEX, "base64") }],
  ["16 bytes in capital hex", HEX.toUpperCase(), { hex: key(16), bytes: utf8(HEX.toUpperCase()) }],
  ["16 bytes in hex with a line break", `${HEX}\n`, { hex: key(16) }],
  ["16 bytes in base64", key(16).toString("base64"), { bytes: utf8(key(16).toString("base64")), base64: key(16) }],
  ["16 bytes in base64url, with a line break", `${key(16).toString("base64url")}\r\n`, { base64: key(16) }],
  ["24 bytes in base64", key(24).toString("base64"), { bytes: utf8(key(24).toString("base64")), base64: key(24) }],
  ["24 bytes in base64url", key(24).toString("base64url"), { base64: key(24) }],
  ["32 letters", LETTERS, { bytes: utf8(LETTERS), base64: Buffer.from(LETTERS, "base64") }],
];

describe("the text of an AES key", () => {
  for (const [what, text, meant] of AMBIGUOUS) {
    it(`is refused where it may be another key: ${what}`, () => {
      for (const read of [
        () => readAesKey(utf8(text)),
        () => readAesKey(text, undefined, ["base64", "hex", "bytes"]),
      ]) {
        const error = refused("invalid-argument", read);
        expect(error.message).to.contain('say which is meant with encoding: "hex" | "base64" | "bytes"');
        expect(inspect(error, { depth: 9, showHidden: true })).to.not.contain(text.trim());
      }
    });

    for (const [encoding, expected] of Object.entries(meant)) {
      it(`is the key that is meant, with its encoding: ${what} as ${encoding}`, () => {
        const said = encoding as AesKeyEncoding;
        expect(holds(readAesKey(text, said), expected)).to.equal(true);
        expect(holds(aesWrappingKey({ key: text, encoding: said }), expected)).to.equal(true);
        expect(holds(aesWrappingKey({ key: utf8(text), encoding: said }), expected)).to.equal(true);
      });
    }
  }

  it("is refused by the keyring as bytes, of a former key too; a KeyObject is what it holds", () => {
    const wrappingKey = utf8(HEX);
    refused("invalid-argument", () => new RawAesKeyring({ wrappingKey }));
    const former = { wrappingKey, materialDescription: { key: "old" } };
    refused("invalid-argument", () => new RawAesKeyring({ wrappingKey: key(32), decryptionKeys: [former] }));
    expect(new RawAesKeyring({ wrappingKey: createSecretKey(wrappingKey) })).to.be.an("object");
    expect(new RawAesKeyring({ wrappingKey: { key: wrappingKey, encoding: "bytes" } })).to.be.an("object");
  });

  const plain: [what: string, content: Uint8Array][] = [
    ["random bytes", key(16)],
    ["random bytes", key(24)],
    ["random bytes", key(32)],
    ["16 letters, which are no shorter key", utf8("SixteenLettersXY")],
    ["24 letters, which are no shorter key", utf8("JavaTakesLettersForAKeyZ")],
    ["text with a space", utf8("a passphrase of 32 letters, yes.")],
    ["zeros", Buffer.alloc(32)],
  ];
  for (const [what, content] of plain) {
    it(`is no question for ${what} (${content.length})`, () => {
      expect(holds(readAesKey(content), content)).to.equal(true);
      expect(holds(aesWrappingKey(content), content)).to.equal(true);
    });
  }

  it("is read by the first encoding where it is nothing else", () => {
    const text = key(32).toString("base64");
    expect(holds(readAesKey(`${text}\n`, undefined, ["base64", "hex", "bytes"]), key(32))).to.equal(true);
    const { message } = refused("invalid-argument", () => readAesKey(text));
    expect(message).to.contain('this one has 44; in base64 it would be one: say so with encoding: "base64"');
    const hex = key(32).toString("hex");
    const other = refused("invalid-argument", () => readAesKey(hex, undefined, ["base64", "hex", "bytes"]));
    expect(other.message).to.contain('this is none in base64; in hex it would be one: say so with encoding: "hex"');
    expect(holds(readAesKey(hex, "hex"), key(32))).to.equal(true);
  });

  it("is refused where what it decodes to is text of a key again, unless it is said", () => {
    const twice = utf8(HEX).toString("base64");
    refused("invalid-argument", () => readAesKey(twice, undefined, ["base64", "hex", "bytes"]));
    expect(holds(readAesKey(twice, "base64"), utf8(HEX))).to.equal(true);
  });

  const none: [what: string, text: string, encoding: AesKeyEncoding][] = [
    ["20 bytes", key(20).toString("hex"), "hex"],
    ["an odd number of digits", HEX.slice(1), "hex"],
    ["digits with separators", HEX.replace(/..(?!$)/g, "$&:"), "hex"],
    ["what is no base64", "!".repeat(24), "base64"],
    ["a line break at the end of bytes", `${LETTERS}\n`, "bytes"],
    ["nothing", "", "base64"],
    ["a long file", "00".repeat(10_000), "hex"],
  ];
  for (const [what, text, encoding] of none) {
    it(`is no key in ${encoding}: ${what}`, () => {
      const error = refused("invalid-argument", () => readAesKey(text, encoding));
      expect(error.message).to.contain("16, 24 or 32 bytes").and.not.contain("would be one");
    });
  }

  const shapes: [what: string, wrappingKey: unknown][] = [
    ["an encoding that there is not", { key: HEX, encoding: "base32" }],
    ["no key", { encoding: "hex" }],
    ["a KeyObject as text", { key: createSecretKey(key(32)), encoding: "bytes" }],
    ["a misspelt name", { key: HEX, encoding: "hex", lenght: 16 }],
  ];
  for (const [what, wrappingKey] of shapes) {
    it(`is refused with ${what}`, () => {
      refused("invalid-argument", () => Reflect.construct(RawAesKeyring, [{ wrappingKey }]));
    });
  }
});
