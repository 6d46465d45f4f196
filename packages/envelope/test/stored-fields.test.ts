import { refused } from "@s3ec/test-support";
import { expect } from "chai";
import { classifyEnvelope } from "../dist/read-envelope.js";
import { decodeBase64, fieldsOfInstructionFile, fieldsOfMetadata } from "../dist/stored-fields.js";
import { base64, V1, V2, V3, V3_ON_OBJECT, V3_WITH_KEY, without } from "./stored-objects.js";

const SUFFIX = ".instruction";
const fileOf = (fields: Record<string, unknown>): string => JSON.stringify(fields);

describe("fields of object metadata", () => {
  it("are found in any letter case, as Go sends and some stores keep them (H35)", () => {
    const sent = Object.fromEntries(Object.entries(V2).map(([name, value]) => [name.replace("x-amz", "X-Amz"), value]));
    expect(Object.fromEntries(fieldsOfMetadata(sent))).to.deep.equal(V2);
  });

  it("are refused when two casings of one disagree, and not when they agree or one is empty (3.4 item 1)", () => {
    refused("malformed-envelope", () => fieldsOfMetadata({ "x-amz-iv": "a", "X-Amz-Iv": "b" }));
    for (const other of ["a", ""]) {
      expect([...fieldsOfMetadata({ "x-amz-iv": "a", "X-Amz-Iv": other })]).to.deep.equal([["x-amz-iv", "a"]]);
    }
  });

  it("count as absent when empty, and leave out everything else (H3)", () => {
    const metadata = { "x-amz-m": "", "x-amz-unencrypted-content-md5": "x", color: "red", "x-amz-c": "115" };
    expect([...fieldsOfMetadata(metadata)]).to.deep.equal([["x-amz-c", "115"]]);
  });

  for (const name of ["x-amz-matdesc", "x-amz-m", "x-amz-t"]) {
    it(`are decoded when they are descriptions: ${name} (H18)`, () => {
      expect(fieldsOfMetadata({ [name]: "=?UTF-8?B?eyJrIjoiw4PCqcOmwrzCoiJ9?=" }).get(name)).to.equal('{"k":"é漢"}');
    });
  }

  it("are left as they are when they are none: a word is no base64 (1.9, H35)", () => {
    for (const name of ["x-amz-iv", "x-amz-key-v2", "x-amz-d", "x-amz-cek-alg"]) {
      const word = `=?UTF-8?B?${base64(Buffer.from("YWJj"))}?=`;
      expect(fieldsOfMetadata({ [name]: word }).get(name)).to.equal(word);
    }
    refused("malformed-envelope", () => classifyEnvelope({ ...V2, "x-amz-iv": `=?UTF-8?Q?${V2["x-amz-iv"]}?=` }));
  });
});

describe("fields of an instruction file", () => {
  const accepted: [what: string, text: string, fields: object][] = [
    ["compact JSON", fileOf(V2), V2],
    ["pretty-printed JSON", JSON.stringify(V2, null, 2), V2],
    ["a byte order mark", `\ufeff${fileOf(V2)}`, V2],
    [
      "PHP's numbers in the two numeric members (H5)",
      '{"x-amz-tag-len":128,"x-amz-unencrypted-content-length":1000}',
      { "x-amz-tag-len": "128", "x-amz-unencrypted-content-length": "1000" },
    ],
    [
      "unknown members, whatever scalar they are",
      '{"x-amz-iv":"a","other":1,"more":true,"X-AMZ-C":"115"}',
      { "x-amz-iv": "a" },
    ],
    ["members named like what objects have", '{"__proto__":"x","constructor":"y","x-amz-iv":"a"}', { "x-amz-iv": "a" }],
    ["empty members, as absent (H6)", '{"x-amz-tag-len":"","x-amz-iv":"a"}', { "x-amz-iv": "a" }],
    [
      "raw UTF-8, not decoded as a header is",
      '{"x-amz-matdesc":"{\\"k\\":\\"Ã©\\"}"}',
      { "x-amz-matdesc": '{"k":"Ã©"}' },
    ],
    ["an empty object", "{}", {}],
  ];
  for (const [what, text, fields] of accepted) {
    it(`accepts ${what}`, () => {
      expect(Object.fromEntries(fieldsOfInstructionFile(text, SUFFIX))).to.deep.equal(fields);
    });
  }

  const rejected: [what: string, text: string][] = [
    ["text that is not JSON", "not json"],
    ["an array", fileOf([V2] as unknown as Record<string, unknown>)],
    ["nothing", ""],
    ["a number elsewhere", '{"x-amz-iv":12}'],
    ["a fraction in a numeric member", '{"x-amz-tag-len":128.5}'],
    ["a number past what is exact", '{"x-amz-unencrypted-content-length":9007199254740993}'],
    ["a boolean", '{"x-amz-tag-len":true}'],
    ["a nested object", '{"x-amz-matdesc":{"a":"b"}}'],
    ["a nested unknown member", '{"other":{"x-amz-c":"115"}}'],
    ["null", '{"x-amz-iv":null}'],
    ["a duplicate member", '{"x-amz-iv":"a","x-amz-iv":"b"}'],
    ["a duplicate member, once escaped", '{"x-amz-iv":"a","\\u0078-amz-iv":"b"}'],
    ["a duplicate unknown member", '{"other":"a","other":"a"}'],
    ["1 MiB", fileOf({ other: "x".repeat(1_048_576) })],
    ["64 KiB and one byte, in characters of three bytes", fileOf({ other: "漢".repeat(21_842) })],
  ];
  for (const [what, text] of rejected) {
    it(`refuses ${what} (S14)`, () => refused("malformed-envelope", () => fieldsOfInstructionFile(text, SUFFIX)));
  }

  it("may be 64 KiB long", () => {
    const frame = fileOf({ other: "" }).length;
    expect(fieldsOfInstructionFile(fileOf({ other: "x".repeat(65_536 - frame) }), SUFFIX).size).to.equal(0);
  });

  const dotNet = fileOf({ EncryptedEnvelopeKey: V1["x-amz-key"], IV: V1["x-amz-iv"] });

  it("go by .NET V1's names at INSTRUCTION_SUFFIX", () => {
    const classified = classifyEnvelope({ "x-amz-unencrypted-content-length": "7" });
    if (classified.placement === "metadata") throw new Error("Expected an instruction file.");
    const envelope = classified.complete({ text: dotNet, suffix: "INSTRUCTION_SUFFIX" });
    expect(envelope).to.include({ format: "V1", placement: "instruction-file", statedPlaintextLength: 7 });
    expect(envelope.encryptedDataKey.wrapAlgorithm).to.include({ name: "AES", legacy: true });
  });

  it("do not go by them anywhere else, nor by two names for one", () => {
    for (const suffix of [SUFFIX, ".INSTRUCTION_SUFFIX", "instruction_suffix"]) {
      expect(fieldsOfInstructionFile(dotNet, suffix).size).to.equal(0);
    }
    const twice = fileOf({ IV: "a", "x-amz-iv": "a" });
    refused("malformed-envelope", () => fieldsOfInstructionFile(twice, "INSTRUCTION_SUFFIX"));
  });
});

describe("base64 of a stored field", () => {
  const read = (text: string): Uint8Array => decodeBase64(new Map([["x-amz-iv", text]]), "x-amz-iv");

  it("is standard, padded and without whitespace", () => {
    expect(base64(read("+/8="))).to.equal("+/8=");
    for (const text of ["-_8=", "+/8", "+/8=\n", " +/8=", "+/ 8=", "+/9=", "+/8=+/8=", "é", "="]) {
      refused("malformed-envelope", () => read(text));
    }
    refused("malformed-envelope", () => decodeBase64(new Map(), "x-amz-iv"));
  });

  const fields: [metadata: Readonly<Record<string, string>>, name: string][] = [
    [V1, "x-amz-key"],
    [V1, "x-amz-iv"],
    [V2, "x-amz-key-v2"],
    [V2, "x-amz-iv"],
    [V3, "x-amz-3"],
    [V3, "x-amz-d"],
    [V3, "x-amz-i"],
  ];
  for (const [metadata, name] of fields) {
    it(`is demanded of ${name}, whose value no refusal repeats`, () => {
      const error = refused("malformed-envelope", () => classifyEnvelope({ ...metadata, [name]: "~value~" }));
      expect(error.message).to.contain(name).and.not.contain("~value~");
    });
  }

  it("is looked at where the wrapped key is: in a file too", () => {
    const classified = classifyEnvelope(V3_ON_OBJECT);
    if (classified.placement === "metadata") throw new Error("Expected an instruction file.");
    const text = fileOf({ ...without(V3_WITH_KEY, "x-amz-3"), "x-amz-3": "~" });
    refused("malformed-envelope", () => classified.complete({ text, suffix: SUFFIX }));
  });
});
