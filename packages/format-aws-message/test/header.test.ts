import { KMS_CONTEXT } from "@s3ec/envelope";
import { MESSAGE_SUITES } from "@s3ec/format-aws-message";
import { defineWrapAlgorithm, keyProvider, stringMap } from "@s3ec/materials";
import { refusal } from "@s3ec/test-support";
import { expect } from "chai";
import { encryptedDataKeysOf, isStorable, type ParsedHeader, parseHeader, serializeHeader } from "../dist/header.js";
import { COMMITTED } from "../dist/message-suites.js";
import { contextBytes, headerBytes, uint } from "./header-bytes.js";

const LIMITS = { maxEncryptedDataKeys: 3, maxHeaderLength: 1000, maxFrameLength: 5000 };

function parsed(bytes: Uint8Array): ParsedHeader {
  const header = parseHeader(bytes, LIMITS);
  if (header === null || header === "incomplete") throw new Error(`Expected a header, not ${header}.`);
  return header;
}

const malformed = (bytes: Uint8Array) => refusal("malformed-envelope", () => parseHeader(bytes, LIMITS));

describe("message header", () => {
  const context = contextBytes([
    ["a", "1"],
    ["é", ""],
  ]);
  const dataKeys = [
    ["tests", "information", "wrapped"],
    ["aws-kms", "", "x"],
  ] as const;

  for (const version of [1, 2]) {
    it(`of version ${version} gives every field`, () => {
      const bytes = headerBytes({ version, context, dataKeys });
      const header = parsed(Buffer.concat([bytes, Buffer.from("body")]));
      expect(header.length).to.equal(bytes.length);
      expect(header.suite.id).to.equal(version === 1 ? 0x0178 : 0x0478);
      expect([...header.messageId]).to.deep.equal(Array(version === 1 ? 16 : 32).fill(1));
      expect({ ...header.encryptionContext }).to.deep.equal({ a: "1", é: "" });
      expect(
        header.encryptedDataKeys.map((key) => [
          key.providerId,
          `${Buffer.from(key.providerInfo)}`,
          key.ciphertext.length,
        ]),
      ).to.deep.equal([
        ["tests", "information", 7],
        ["aws-kms", "", 1],
      ]);
      expect(header.frameLength).to.equal(4096);
      expect(header.commitment === undefined ? undefined : [...header.commitment]).to.deep.equal(
        version === 1 ? undefined : Array(32).fill(2),
      );
      expect([...header.iv]).to.deep.equal(Array(12).fill(version === 1 ? 3 : 0));
      expect([...header.tag]).to.deep.equal(Array(16).fill(4));
      expect(Buffer.compare(header.bytes, bytes)).to.equal(0);
      // The tag covers everything in front of the IV, which only version 1 stores, and itself.
      const covered = bytes.subarray(0, bytes.length - (version === 1 ? 28 : 16));
      expect(Buffer.compare(header.authenticated, covered)).to.equal(0);
    });

    it(`of version ${version} is incomplete at every length but its own`, () => {
      const bytes = headerBytes({ version, context, dataKeys });
      for (let length = 0; length < bytes.length; length++) {
        expect(parseHeader(bytes.subarray(0, length), LIMITS), `${length} bytes`).to.equal("incomplete");
      }
    });

    it(`of version ${version} is known by its suite`, () => {
      for (let suiteId = 0; suiteId <= 0x0600; suiteId++) {
        const known = MESSAGE_SUITES.find((suite) => suite.id === suiteId && suite.headerVersion === version);
        const header = parseHeader(headerBytes({ version, suiteId }), LIMITS);
        if (known === undefined) expect(header, `${suiteId}`).to.equal(null);
        else expect(header).to.have.property("suite", known);
      }
    });

    it(`of version ${version} has limits`, async () => {
      await malformed(headerBytes({ version, dataKeys: [] }));
      await malformed(headerBytes({ version, dataKeys: Array(4).fill(dataKeys[0]) }));
      await malformed(headerBytes({ version, dataKeyCount: 0xffff }));
      expect(parsed(headerBytes({ version, dataKeys: Array(3).fill(dataKeys[0]) })).encryptedDataKeys).to.have.length(
        3,
      );
      await malformed(headerBytes({ version, frameLength: 0 }));
      await malformed(headerBytes({ version, frameLength: 5001 }));
      await malformed(headerBytes({ version, frameLength: 0xffffffff }));
      expect(parsed(headerBytes({ version, frameLength: 5000 })).frameLength).to.equal(5000);
    });
  }

  it("is of no other version or type", () => {
    expect(parseHeader(Buffer.from("PK\x03\x04 an archive"), LIMITS)).to.equal(null);
    expect(parseHeader(headerBytes({ version: 3 }), LIMITS)).to.equal(null);
    expect(parseHeader(headerBytes({ version: 1, type: 0x81 }), LIMITS)).to.equal(null);
    expect(parseHeader(Uint8Array.of(1, 0), LIMITS)).to.equal(null);
    expect(parseHeader(Uint8Array.of(0), LIMITS)).to.equal(null);
  });

  it("may be as long as allowed and not longer, whether its bytes are here or not", async () => {
    const room = LIMITS.maxHeaderLength - headerBytes().length - 6;
    const fits = headerBytes({ context: contextBytes([["n", "v".repeat(room - 1)]]) });
    expect(fits).to.have.length(LIMITS.maxHeaderLength);
    expect(parsed(Buffer.concat([fits, Buffer.alloc(5)])).length).to.equal(LIMITS.maxHeaderLength);
    const longer = headerBytes({ context: contextBytes([["n", "v".repeat(room)]]) });
    await malformed(longer);
    await malformed(longer.subarray(0, LIMITS.maxHeaderLength));
    expect(parseHeader(longer.subarray(0, LIMITS.maxHeaderLength - 1), LIMITS)).to.equal("incomplete");
  });

  it("of version 1 has nothing reserved and one length of IVs", async () => {
    await malformed(headerBytes({ version: 1, reserved: 1 }));
    await malformed(headerBytes({ version: 1, reserved: 0x80000000 }));
    await malformed(headerBytes({ version: 1, ivLength: 16 }));
  });

  it("is framed: other content can only be proven as a whole", async () => {
    await refusal("malformed-envelope", () => parseHeader(headerBytes({ contentType: 1, frameLength: 1 }), LIMITS));
    await refusal("malformed-envelope", () => parseHeader(headerBytes({ contentType: 0 }), LIMITS));
    await refusal("malformed-envelope", () => parseHeader(headerBytes({ contentType: 3 }), LIMITS));
  });

  const contexts: Record<string, Uint8Array> = {
    "a name twice": contextBytes([
      ["a", "1"],
      ["a", "1"],
    ]),
    "a count above its entries": contextBytes([["a", "1"]], 2),
    "a count below its entries": contextBytes(
      [
        ["a", "1"],
        ["b", "2"],
      ],
      1,
    ),
    "no entries but a count": uint(2, 0),
    "half a count": uint(1, 0),
    "a byte too many": Buffer.concat([contextBytes([["a", "1"]]), Buffer.alloc(1)]),
    "a byte too few": contextBytes([["a", "1"]]).subarray(0, -1),
    "a name that is not UTF-8": contextBytes([[Uint8Array.of(0xc3, 0x28), "1"]]),
    "a value that is not UTF-8": contextBytes([["a", Uint8Array.of(0xff)]]),
    "a surrogate": contextBytes([["a", Uint8Array.of(0xed, 0xa0, 0x80)]]),
  };
  for (const [name, bytes] of Object.entries(contexts)) {
    it(`refuses a context with ${name}`, () => malformed(headerBytes({ context: bytes })));
  }

  it("keeps a context's names apart from those of objects, and its byte order marks", () => {
    const { encryptionContext } = parsed(
      headerBytes({
        context: contextBytes([
          ["__proto__", "x"],
          ["toString", ""],
          ["\ufeffa", "\ufeff"],
        ]),
      }),
    );
    expect(Object.entries(encryptionContext)).to.deep.equal([
      ["__proto__", "x"],
      ["toString", ""],
      ["\ufeffa", "\ufeff"],
    ]);
    expect(Object.getPrototypeOf(encryptionContext)).to.equal(null);
  });

  it("refuses a provider id that is not UTF-8", () =>
    malformed(headerBytes({ dataKeys: [[Uint8Array.of(0xff), "", "k"]] })));

  it("does not change with the bytes that it was parsed from", () => {
    const bytes = headerBytes({ dataKeys });
    const header = parsed(bytes);
    const before = structuredClone({ ...header, suite: undefined, encryptionContext: undefined });
    bytes.fill(0);
    expect({ ...header, suite: undefined, encryptionContext: undefined }).to.deep.equal(before);
  });

  it("is written as it is read", () => {
    const written = serializeHeader({
      suite: COMMITTED,
      messageId: Buffer.alloc(32, 1),
      encryptionContext: stringMap([
        ["é", ""],
        ["a", "1"],
      ]),
      encryptedDataKeys: dataKeys.map(([providerId, info, key]) => ({
        providerId,
        providerInfo: Buffer.from(info),
        ciphertext: Buffer.from(key),
      })),
      frameLength: 4096,
      commitment: Buffer.alloc(32, 2),
    });
    expect(Buffer.concat([written, Buffer.alloc(16, 4)]).equals(headerBytes({ context, dataKeys }))).to.equal(true);
  });

  it("refuses to write what its lengths cannot say", () =>
    refusal("invalid-argument", () =>
      serializeHeader({
        suite: COMMITTED,
        messageId: Buffer.alloc(32),
        encryptionContext: stringMap([]),
        encryptedDataKeys: [{ providerId: "p", providerInfo: new Uint8Array(0), ciphertext: new Uint8Array(0x10000) }],
        frameLength: 1,
        commitment: Buffer.alloc(32),
      }),
    ));
});

describe("encrypted data keys of a header", () => {
  const own = defineWrapAlgorithm({ name: "vault:transit/v1" });

  it("are a provider's, with its information, or a declared wrap's, with its description", () => {
    const header = parsed(
      headerBytes({
        dataKeys: [
          ["tests", "information", "k1"],
          ["vault:transit/v1", '{"key":"7"}', "k2"],
        ],
      }),
    );
    const [first, second] = encryptedDataKeysOf(header, [keyProvider("tests"), own]);
    expect(first?.wrapAlgorithm.describedBy).to.equal("provider-info");
    expect(Buffer.from(first?.providerInfo ?? []).toString()).to.equal("information");
    expect(second?.wrapAlgorithm).to.equal(own);
    expect({ ...second?.description }).to.deep.equal({ key: "7" });
  });

  it("are foreign where they bear the name of a wrap of the S3 formats", () => {
    const header = parsed(headerBytes({ dataKeys: [["kms+context", "{}", "k"]] }));
    const [key] = encryptedDataKeysOf(header, [KMS_CONTEXT]);
    expect(key?.wrapAlgorithm).not.to.equal(KMS_CONTEXT);
    expect(key?.wrapAlgorithm.describedBy).to.equal("provider-info");
  });

  it("are never stored by a legacy wrap, or by one of the S3 formats", () => {
    expect([own, keyProvider("p"), { ...own, legacy: true }, KMS_CONTEXT].map(isStorable)).to.deep.equal([
      true,
      true,
      false,
      false,
    ]);
  });

  it("without a provider id are nobody's", () => {
    expect(encryptedDataKeysOf(parsed(headerBytes({ dataKeys: [["", "", "k"]] })), [])).to.deep.equal([]);
  });

  it("with a description that is none are refused", () => {
    const header = parsed(headerBytes({ dataKeys: [["vault:transit/v1", "information", "k"]] }));
    return refusal("malformed-envelope", () => encryptedDataKeysOf(header, [own]));
  });
});
