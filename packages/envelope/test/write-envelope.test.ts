import { refused } from "@s3ec/test-support";
import { expect } from "chai";
import fc from "fast-check";
import type { ContentHeader } from "../dist/content-key.js";
import type { EncryptedDataKey, Envelope } from "../dist/envelope.js";
import { objectMark } from "../dist/object-mark.js";
import { classifyEnvelope } from "../dist/read-envelope.js";
import { isSameStringMap, stringMap } from "../dist/string-map.js";
import { AES_GCM, defineWrapAlgorithm, KMS_CONTEXT, RSA_OAEP_SHA1, WRAP_ALGORITHMS } from "../dist/wrap-algorithms.js";
import {
  type EnvelopeToWrite,
  instructionFileSuffix,
  type WrapPlacement,
  writeEnvelope,
} from "../dist/write-envelope.js";
import { COMMITMENT, GCM_IV, MESSAGE_ID } from "./known-answers.js";
import { base64 } from "./stored-objects.js";

const V2: ContentHeader = { format: "V2", iv: GCM_IV };
const V3: ContentHeader = { format: "V3", messageId: MESSAGE_ID, commitment: COMMITMENT };
const WRAPPED = Buffer.alloc(60, 0x5a);
const CONTEXT = { "tenant id": "é", "aws:x-amz-cek-alg": "115" };
const CONTEXT_TEXT = '{"tenant\\u0020id":"\\u00e9","aws:x-amz-cek-alg":"115"}';

const raw = (more: Partial<EncryptedDataKey> = {}): EncryptedDataKey => ({
  wrapAlgorithm: AES_GCM,
  ciphertext: WRAPPED,
  description: {},
  ...more,
});
const kms = raw({ wrapAlgorithm: KMS_CONTEXT, description: CONTEXT });

function write(header: ContentHeader, keys: readonly EncryptedDataKey[], useInstructionFile = false): EnvelopeToWrite {
  return writeEnvelope({ header, encryptedDataKeys: keys, useInstructionFile });
}

const writeChildren = (
  header: ContentHeader,
  encryptedDataKeys: readonly EncryptedDataKey[],
  wrapPlacement: WrapPlacement,
): EnvelopeToWrite =>
  writeEnvelope({
    header,
    encryptedDataKeys,
    useInstructionFile: false,
    wrapPlacement,
    allowUncommittedChildren: true,
  });

/** What a reader makes of it: from the metadata, or from the file with this suffix. */
function readBack({ metadata, instructionFiles }: EnvelopeToWrite, suffix?: string): Envelope {
  const classified = classifyEnvelope(metadata, { wrapAlgorithms: [OWN] });
  if (classified.placement === "metadata") return classified.envelope;
  const file = instructionFiles.find((entry) => suffix === undefined || entry.suffix === suffix);
  if (file === undefined) throw new Error("Expected an instruction file.");
  return classified.complete({ text: file.body, suffix: file.suffix });
}

const OWN = defineWrapAlgorithm({ name: "vault:transit/v1" });
const V3_CONTENT = { "x-amz-c": "115", "x-amz-d": base64(COMMITMENT), "x-amz-i": base64(MESSAGE_ID) };
const V2_CONTENT = { "x-amz-iv": base64(GCM_IV), "x-amz-cek-alg": "AES/GCM/NoPadding", "x-amz-tag-len": "128" };

describe("writeEnvelope", () => {
  const layouts: [what: string, header: ContentHeader, key: EncryptedDataKey, content: object, keyFields: object][] = [
    ["V3, raw", V3, raw(), V3_CONTENT, { "x-amz-3": base64(WRAPPED), "x-amz-w": "02" }],
    [
      "V3, raw with a description",
      V3,
      raw({ wrapAlgorithm: RSA_OAEP_SHA1, description: { a: "b" } }),
      V3_CONTENT,
      { "x-amz-3": base64(WRAPPED), "x-amz-w": "22", "x-amz-m": '{"a":"b"}' },
    ],
    ["V3, KMS", V3, kms, V3_CONTENT, { "x-amz-3": base64(WRAPPED), "x-amz-w": "12", "x-amz-t": CONTEXT_TEXT }],
    [
      "V3, a plug-in's wrap",
      V3,
      raw({ wrapAlgorithm: OWN }),
      V3_CONTENT,
      { "x-amz-3": base64(WRAPPED), "x-amz-w": "vault:transit/v1" },
    ],
    [
      "V2, raw",
      V2,
      raw(),
      V2_CONTENT,
      { "x-amz-key-v2": base64(WRAPPED), "x-amz-wrap-alg": "AES/GCM", "x-amz-matdesc": "{}" },
    ],
    [
      "V2, KMS",
      V2,
      kms,
      V2_CONTENT,
      { "x-amz-key-v2": base64(WRAPPED), "x-amz-wrap-alg": "kms+context", "x-amz-matdesc": CONTEXT_TEXT },
    ],
  ];
  for (const [what, header, key, content, keyFields] of layouts) {
    it(`lays out ${what} in the object's metadata, exactly so (2.11)`, () => {
      const { mark, ...written } = write(header, [key]);
      expect(written).to.deep.equal({ metadata: { ...content, ...keyFields }, instructionFiles: [] });
      expect(mark).to.equal(base64(header.format === "V3" ? MESSAGE_ID : GCM_IV));
    });

    it(`lays out ${what} with an instruction file, exactly so (1.6, 2.11)`, () => {
      const { metadata, instructionFiles, mark } = write(header, [key], true);
      expect(metadata).to.deep.equal(header.format === "V3" ? content : { "s3ec-of": mark });
      expect(mark)
        .to.equal(objectMark(metadata))
        .and.to.match(header.format === "V3" ? /=$/ : /^[\da-f-]{36}$/);
      const [file] = instructionFiles;
      expect(instructionFiles).to.have.length(1);
      const marks = { "x-amz-crypto-instr-file": "", "s3ec-of": mark };
      expect(file).to.deep.include({ suffix: ".instruction", metadata: marks });
      const fields = header.format === "V3" ? keyFields : { ...content, ...keyFields };
      expect(JSON.parse(file?.body ?? "")).to.deep.equal(fields);
      // The C++ client stops at the first whitespace byte (H7).
      expect(file?.body).to.match(/^[\x21-\x7e]+$/);
    });
  }

  it("writes what it reads: any map, any key, both formats, both places; ASCII, and never an empty value", () => {
    const text = fc.string({ unit: "binary" });
    const key = fc.record({
      wrapAlgorithm: fc.constantFrom(AES_GCM, RSA_OAEP_SHA1, KMS_CONTEXT, OWN),
      ciphertext: fc.uint8Array({ minLength: 1, maxLength: 300 }),
      description: fc.dictionary(text, text).map((map) => stringMap(Object.entries(map))),
    });
    fc.assert(
      fc.property(key, fc.constantFrom(V2, V3), fc.boolean(), (written, header, useInstructionFile) => {
        const envelope = write(header, [written], useInstructionFile);
        for (const value of [
          ...Object.values(envelope.metadata),
          ...envelope.instructionFiles.map(({ body }) => body),
        ]) {
          expect(value).to.match(/^[\x21-\x7e]+$/);
        }
        const read = readBack(envelope);
        expect(read.format).to.equal(header.format);
        expect(read.placement).to.equal(useInstructionFile ? "instruction-file" : "metadata");
        const { wrapAlgorithm, ciphertext, description } = read.encryptedDataKey;
        expect(wrapAlgorithm).to.equal(written.wrapAlgorithm);
        expect(base64(ciphertext)).to.equal(base64(written.ciphertext));
        expect(isSameStringMap(description, written.description)).to.equal(true);
        if (read.format === "V3") expect(base64(read.commitment)).to.equal(base64(COMMITMENT));
        else expect(base64(read.iv)).to.equal(base64(GCM_IV));
      }),
    );
  });

  it("writes views into larger buffers as what they show", () => {
    const pool = Buffer.alloc(200, 7);
    const { metadata } = write(V3, [raw({ ciphertext: new Uint8Array(pool.buffer, pool.byteOffset + 10, 60) })]);
    expect(metadata["x-amz-3"]).to.equal(base64(Buffer.alloc(60, 7)));
  });

  describe("with several encrypted data keys", () => {
    const escrow = raw({
      ciphertext: Buffer.alloc(256, 1),
      wrapAlgorithm: RSA_OAEP_SHA1,
      instructionFileSuffix: "escrow",
    });

    for (const header of [V2, V3]) {
      it(`puts each into its own instruction file, the first into the default one: ${header.format}`, () => {
        const envelope = writeChildren(header, [kms, escrow], "instruction-files");
        expect(envelope.instructionFiles.map(({ suffix }) => suffix)).to.deep.equal([".instruction", ".escrow"]);
        expect(Object.keys(envelope.metadata)).to.deep.equal(
          header.format === "V3" ? Object.keys(V3_CONTENT) : ["s3ec-of"],
        );
        expect(readBack(envelope, ".instruction").encryptedDataKey.wrapAlgorithm).to.equal(KMS_CONTEXT);
        expect(readBack(envelope, ".escrow").encryptedDataKey.wrapAlgorithm).to.equal(RSA_OAEP_SHA1);
      });

      it(`puts the first into the metadata, and each other one into a file that is for this content: ${header.format}`, () => {
        const envelope = writeChildren(header, [kms, escrow], "metadata");
        const [file, ...more] = envelope.instructionFiles;
        expect(more).to.have.length(0);
        expect(envelope.metadata).to.deep.equal(write(header, [kms]).metadata);
        expect(file).to.deep.include({ suffix: ".escrow" });
        expect(file?.metadata).to.deep.equal({ "x-amz-crypto-instr-file": "", "s3ec-of": envelope.mark });
        const beside = classifyEnvelope(envelope.metadata, { preferInstructionFile: true });
        const read = beside.complete({ text: file?.body ?? "", suffix: ".escrow" });
        expect(read.encryptedDataKey.wrapAlgorithm).to.equal(RSA_OAEP_SHA1);
      });
    }

    it("refuses several without key commitment, in either place, unless that is allowed by name (S19)", () => {
      for (const wrapPlacement of ["metadata", "instruction-files"] as const) {
        const options = { header: V2, encryptedDataKeys: [kms, escrow], useInstructionFile: false, wrapPlacement };
        expect(refused("invalid-configuration", () => writeEnvelope(options)).message).to.match(
          /enableUncommittedChildren/,
        );
      }
    });

    it("refuses two for one file, however the suffix is spelt", () => {
      for (const keys of [
        [raw(), raw()],
        [escrow, { ...escrow, instructionFileSuffix: "..escrow" }],
      ]) {
        refused("invalid-configuration", () => write(V3, keys));
        refused("invalid-configuration", () => write(V3, keys, true));
      }
      const first = { ...escrow, instructionFileSuffix: "instruction" };
      refused("invalid-configuration", () => writeChildren(V3, [raw(), first], "instruction-files"));
    });

    it("puts a single one that names a suffix into that file, and one that names none where the caller says", () => {
      expect(write(V3, [escrow]).instructionFiles.map(({ suffix }) => suffix)).to.deep.equal([".escrow"]);
      const one = { header: V3, encryptedDataKeys: [raw()], useInstructionFile: false } as const;
      expect(writeEnvelope({ ...one, wrapPlacement: "instruction-files" }).instructionFiles).to.deep.equal([]);
      const options = { header: V3, useInstructionFile: true, defaultSuffix: "mine" };
      const { instructionFiles } = writeEnvelope({ ...options, encryptedDataKeys: [raw(), escrow] });
      expect(instructionFiles.map(({ suffix }) => suffix)).to.deep.equal([".mine", ".escrow"]);
    });
  });

  describe("refuses", () => {
    for (const wrapAlgorithm of WRAP_ALGORITHMS.filter(({ legacy }) => legacy)) {
      it(`to write the legacy wrap ${wrapAlgorithm.name} (S2)`, () => {
        for (const header of [V2, V3]) {
          for (const file of [false, true]) {
            refused("invalid-configuration", () => write(header, [raw({ wrapAlgorithm })], file));
          }
        }
      });
    }

    it("to write an empty encrypted data key, which readers would take for none (H3)", () => {
      for (const header of [V2, V3]) {
        refused("invalid-configuration", () => write(header, [raw({ ciphertext: new Uint8Array(0) })]));
      }
    });

    it("to write none at all", () => {
      for (const file of [false, true]) refused("invalid-argument", () => write(V3, [], file));
    });
  });
});

describe("instructionFileSuffix", () => {
  const suffixes: [given: string, written: string][] = [
    ["escrow", ".escrow"],
    [".escrow", ".escrow"],
    ["..escrow", ".escrow"],
    ["a.b", ".a.b"],
  ];
  for (const [given, written] of suffixes) {
    it(`writes "${given}" with exactly one leading dot (H16)`, () => {
      expect(instructionFileSuffix(given)).to.equal(written);
    });
  }

  it("needs a name", () => {
    for (const given of ["", ".", "..."]) refused("invalid-argument", () => instructionFileSuffix(given));
  });
});
