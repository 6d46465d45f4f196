import { refused } from "@s3ec/test-support";
import { expect } from "chai";
import fc from "fast-check";
import type { Envelope } from "../dist/envelope.js";
import { S3EncryptionError } from "../dist/errors.js";
import { classifyEnvelope, completeFromBoth, type ReadEnvelopeOptions, readWrapBeside } from "../dist/read-envelope.js";
import { defineWrapAlgorithm } from "../dist/wrap-algorithms.js";
import { base64, type Metadata, V1, V2, V3, V3_ON_OBJECT, V3_WITH_KEY, without, wrapped } from "./stored-objects.js";

const V1_V2_NAMES = ["x-amz-key", "x-amz-key-v2", "x-amz-iv", "x-amz-cek-alg", "x-amz-wrap-alg", "x-amz-matdesc"];
const V3_NAMES = ["x-amz-c", "x-amz-d", "x-amz-i", "x-amz-3", "x-amz-w", "x-amz-m", "x-amz-t"];
const ANYTHING: Metadata = { ...V1, ...V2, ...V3, "x-amz-m": "{}", "x-amz-t": "{}" };

function ofObject(metadata: Metadata, options?: ReadEnvelopeOptions): Envelope {
  const classified = classifyEnvelope(metadata, options);
  if (classified.placement === "metadata") return classified.envelope;
  throw new Error("Expected the whole envelope in the metadata.");
}

function withFile(metadata: Metadata, file: Metadata, options?: ReadEnvelopeOptions): Envelope {
  const classified = classifyEnvelope(metadata, options);
  if (classified.placement === "metadata") throw new Error("Expected to be asked for an instruction file.");
  return classified.complete({ text: JSON.stringify(file), suffix: ".instruction" });
}

describe("classifyEnvelope", () => {
  for (const [format, metadata] of Object.entries({ V1, V2, V3 })) {
    it(`reads ${format} from the object's metadata`, () => {
      expect(ofObject(metadata)).to.include({ format, placement: "metadata" }).and.to.be.frozen;
    });
  }

  const files: [format: string, metadata: Metadata, file: Metadata][] = [
    ["V1", {}, V1],
    ["V2", {}, V2],
    ["V3", V3_ON_OBJECT, V3_WITH_KEY],
  ];
  for (const [format, metadata, file] of files) {
    it(`reads ${format} from an instruction file, with or without its marker, beside user metadata`, () => {
      const markers = [undefined, "", "default instruction file header"];
      for (const marker of markers.map((value) => (value === undefined ? {} : { "x-amz-crypto-instr-file": value }))) {
        const envelope = withFile({ ...metadata, color: "red" }, { ...file, ...marker });
        expect(envelope).to.include({ format, placement: "instruction-file" }).and.to.be.frozen;
      }
    });

    it(`refuses a file without the fields of ${format}, one by one`, () => {
      for (const name of format === "V3" ? Object.keys(file) : ["x-amz-key", "x-amz-key-v2", "x-amz-iv"]) {
        if (!(name in file)) continue;
        const error = refused("malformed-envelope", () => withFile(metadata, without(file, name)));
        expect(error.message).to.contain("incomplete: it lacks ").and.to.contain(name);
      }
      refused("malformed-envelope", () => withFile(metadata, {}));
    });
  }

  describe("takes exactly one format (3.4 items 2 to 4, S7, S8)", () => {
    const mixes: [what: string, metadata: Metadata, strangers: string[]][] = [
      ["V3", V3, V1_V2_NAMES],
      ["V3 with its key in a file", V3_ON_OBJECT, V1_V2_NAMES],
      ["V2", V2, V3_NAMES],
      ["V1", V1, V3_NAMES],
      ["V1", V1, ["x-amz-key-v2", "x-amz-wrap-alg", "x-amz-cek-alg"]],
      ["V2", V2, ["x-amz-key"]],
    ];
    for (const [what, metadata, strangers] of mixes) {
      for (const name of strangers) {
        for (const preferInstructionFile of [false, true]) {
          const mode = preferInstructionFile ? ", even when a file is preferred" : "";
          it(`refuses ${what} beside ${name}${mode}`, () => {
            const mixed = { ...metadata, [name]: ANYTHING[name] ?? "" };
            refused("malformed-envelope", () => classifyEnvelope(mixed, { preferInstructionFile }));
          });
        }
      }
    }

    it("says which fields belong to another format, be it one", () => {
      for (const [own, others] of [
        [V2, ["x-amz-c"]],
        [V2, ["x-amz-c", "x-amz-d"]],
      ] as const) {
        const mixed = { ...own, ...Object.fromEntries(others.map((name) => [name, ANYTHING[name] ?? ""])) };
        const { message } = refused("malformed-envelope", () => classifyEnvelope(mixed));
        expect(message).to.match(/mixes formats: x-amz-[^:]*x-amz-iv, x-amz-/);
        expect(message).to.contain(` beside ${others.join(", ")}.`);
      }
    });

    for (const name of V3_NAMES) {
      it(`refuses ${name} in the file of a V1 or V2 object`, () => {
        for (const file of [V1, V2]) {
          refused("malformed-envelope", () => withFile({}, { ...file, [name]: ANYTHING[name] ?? "" }));
        }
      });
    }

    for (const name of ["x-amz-c", "x-amz-d", "x-amz-i", ...V1_V2_NAMES]) {
      it(`refuses ${name} in the file of a V3 object (S5)`, () => {
        const file = { ...V3_WITH_KEY, [name]: ANYTHING[name] ?? "" };
        refused("malformed-envelope", () => withFile(V3_ON_OBJECT, file));
        refused("malformed-envelope", () => withFile(V3, file, { preferInstructionFile: true }));
      });
    }

    const halves: [what: string, metadata: Metadata][] = [
      ...["x-amz-c", "x-amz-d", "x-amz-i", "x-amz-3", "x-amz-w"].map((name): [string, Metadata] => [
        `V3 without ${name}`,
        without(V3, name),
      ]),
      ...V3_NAMES.map((name): [string, Metadata] => [`${name} alone`, { [name]: ANYTHING[name] ?? "" }]),
      ...V1_V2_NAMES.map((name): [string, Metadata] => [`${name} alone`, { [name]: ANYTHING[name] ?? "" }]),
      ["V3 with its description alone on the object", { ...V3_ON_OBJECT, "x-amz-m": "{}" }],
      ["V3 with its context alone on the object", { ...V3_ON_OBJECT, "x-amz-t": "{}" }],
      ["V2 without its wrapped key", without(V2, "x-amz-key-v2")],
      ["V2 without its IV", without(V2, "x-amz-iv")],
      ["V1 without its wrapped key", without(V1, "x-amz-key")],
      ["V1 without its IV", without(V1, "x-amz-iv")],
    ];
    for (const [what, metadata] of halves) {
      it(`refuses ${what}, and asks for no file, not even when one is preferred`, () => {
        for (const preferInstructionFile of [false, true]) {
          const classify = () => classifyEnvelope(metadata, { preferInstructionFile });
          expect(refused("malformed-envelope", classify).message).to.contain("incomplete: it lacks ");
        }
      });
    }

    it("ignores stray lengths and digests, and user metadata", () => {
      const stray = { "x-amz-unencrypted-content-length": "5", "x-amz-unencrypted-content-md5": "x", color: "red" };
      for (const metadata of [V1, V2, V3]) expect(ofObject({ ...metadata, ...stray }).format).to.be.a("string");
      expect(ofObject({ ...V3, "x-amz-tag-len": "96" }).format).to.equal("V3");
      expect(withFile({ ...stray, "x-amz-tag-len": "96" }, V2).format).to.equal("V2");
    });

    it("takes empty values for absent ones (H3)", () => {
      const empty = Object.fromEntries([...V1_V2_NAMES, "x-amz-m", "x-amz-t"].map((name) => [name, ""]));
      expect(ofObject({ ...empty, ...V3 }).format).to.equal("V3");
      expect(classifyEnvelope(empty).placement).to.equal("instruction-file");
    });
  });

  describe("beside two instruction files, .NET's first client's among them (1.6)", () => {
    const both = (file: Metadata, dotnet: Metadata): Envelope => {
      const classified = classifyEnvelope({});
      if (classified.placement === "metadata") throw new Error("There is none in the metadata.");
      return completeFromBoth(classified.complete, [
        { text: JSON.stringify(file), suffix: ".instruction" },
        { text: JSON.stringify(dotnet), suffix: "INSTRUCTION_SUFFIX" },
      ]);
    };
    const dotnet = { EncryptedEnvelopeKey: wrapped(48), IV: V1["x-amz-iv"] ?? "" };

    it("takes .instruction where both are for the same content", () => {
      const file = { ...V1, "x-amz-key": wrapped(32) };
      expect(both(file, dotnet).encryptedDataKey.ciphertext).to.have.length(32);
    });

    const others: [what: string, file: Metadata, dotnet: Metadata][] = [
      ["another IV", V1, { ...dotnet, IV: base64(Buffer.alloc(16)) }],
      ["another suite", V2, dotnet],
      ["nothing that it needs", V1, { IV: dotnet.IV }],
    ];
    for (const [what, file, stale] of others) {
      it(`refuses one that says ${what}`, () => refused("malformed-envelope", () => both(file, stale)));
    }

    it("names both where one must be stale", () => {
      const { message } = refused("malformed-envelope", () => both(V2, dotnet));
      expect(message).to.contain('".instruction"').and.to.contain('"INSTRUCTION_SUFFIX"');
    });
  });

  describe("with preferInstructionFile (H17)", () => {
    const options = { preferInstructionFile: true };

    it("takes the wrapped key from the file, without it from the metadata", () => {
      const file = { ...V3_WITH_KEY, "x-amz-3": wrapped(61) };
      expect(ofObject(V3).encryptedDataKey.ciphertext).to.have.length(60);
      expect(withFile(V3, file, options).encryptedDataKey.ciphertext).to.have.length(61);
      expect(withFile(V2, { ...V2, "x-amz-key-v2": wrapped(61) }, options).encryptedDataKey.ciphertext).to.have.length(
        61,
      );
    });

    it("reads a V1 object whose file re-wraps it in V2's words", () => {
      const file = { ...without(V1, "x-amz-key"), "x-amz-key-v2": wrapped(60), "x-amz-wrap-alg": "AES/GCM" };
      const named = { ...file, "x-amz-cek-alg": "AES/CBC/PKCS5Padding" };
      expect(withFile(V1, named, options)).to.include({ format: "V2" });
      refused("malformed-envelope", () => withFile(V1, file, options));
    });

    const changed: [what: string, metadata: Metadata, file: Metadata][] = [
      ["another IV", V2, { ...V2, "x-amz-iv": base64(Buffer.alloc(12)) }],
      ["another suite", V2, V1],
      [
        "CBC for GCM",
        V2,
        { ...without(V2, "x-amz-tag-len"), "x-amz-iv": V1["x-amz-iv"] ?? "", "x-amz-cek-alg": "AES/CBC/PKCS5Padding" },
      ],
    ];
    for (const [what, metadata, file] of changed) {
      it(`refuses a file that names ${what} than the object (S2, S7)`, () => {
        refused("malformed-envelope", () => withFile(metadata, file, options));
      });
    }

    it("needs no wrapped key on the object", () => {
      expect(withFile({}, V2, options).format).to.equal("V2");
      expect(withFile(V3_ON_OBJECT, V3_WITH_KEY, options).format).to.equal("V3");
    });
  });

  it("knows a plug-in's wraps only where it is told of them, and never in place of an official one", () => {
    const vault = defineWrapAlgorithm({ name: "vault:transit/v1" });
    const impostor = { ...vault, name: "impostor", v2Name: "kms", v3Code: "12" };
    const options = { wrapAlgorithms: [impostor, vault] };
    for (const metadata of [
      { ...V2, "x-amz-wrap-alg": vault.name },
      { ...V3, "x-amz-w": vault.name },
    ]) {
      refused("malformed-envelope", () => classifyEnvelope(metadata));
      expect(ofObject(metadata, options).encryptedDataKey.wrapAlgorithm).to.equal(vault);
    }
    expect(ofObject({ ...V2, "x-amz-wrap-alg": "kms" }, options).encryptedDataKey.wrapAlgorithm.name).to.equal("kms");
    expect(ofObject({ ...V3, "x-amz-w": "12" }, options).encryptedDataKey.wrapAlgorithm.name).to.equal("kms+context");
  });

  it("cites no rule of ours in what it tells the caller", () => {
    for (const metadata of [{ ...V3, ...V2 }, { ...V3, "x-amz-w": "11" }, { ...V2, ...V1 }, without(V2, "x-amz-iv")]) {
      expect(refused("malformed-envelope", () => classifyEnvelope(metadata)).message).to.not.match(/\b[SH]\d|\d\.\d/);
    }
  });
});

describe("classification of anything at all", () => {
  const name = fc.oneof(fc.constantFrom(...V1_V2_NAMES, ...V3_NAMES, "X-Amz-Key", "x-amz-tag-len"), fc.string());
  const value = fc.oneof(
    fc.constantFrom(...Object.values(ANYTHING), "", "kms", "12", "22", "AES/CBC/PKCS5Padding", V1["x-amz-iv"] ?? ""),
    fc.string({ unit: "binary" }),
    fc.json(),
  );
  const object = fc.oneof(
    fc.dictionary(name, value),
    fc
      .constantFrom(V1, V2, V3, V3_ON_OBJECT)
      .chain((whole) => fc.dictionary(name, value, { maxKeys: 2 }).map((changes) => ({ ...whole, ...changes }))),
  );
  const text = fc.oneof(
    object.map((fields) => JSON.stringify(fields)),
    fc.tuple(object, fc.string()).map(([fields, junk]) => JSON.stringify(fields) + junk),
    fc.json(),
    fc.string({ unit: "binary" }),
  );

  it("ends in a valid envelope or a typed refusal, never in another exception", () => {
    fc.assert(
      fc.property(object, text, fc.constantFrom(".instruction", "INSTRUCTION_SUFFIX"), fc.boolean(), (...drawn) => {
        const [metadata, file, suffix, preferInstructionFile] = drawn;
        try {
          const classified = classifyEnvelope(metadata, { preferInstructionFile });
          expectValid(
            classified.placement === "metadata" ? classified.envelope : classified.complete({ text: file, suffix }),
          );
        } catch (error) {
          if (!(error instanceof S3EncryptionError)) throw error;
          expect(error.code).to.equal("malformed-envelope");
        }
      }),
      { numRuns: 2000 },
    );
  });

  function expectValid(envelope: Envelope): void {
    const { suite, encryptedDataKey } = envelope;
    expect(encryptedDataKey.ciphertext.length).to.be.greaterThan(0);
    for (const entry of Object.values(encryptedDataKey.description)) expect(entry).to.be.a("string");
    if (envelope.format === "V3") {
      expect(suite.committing).to.equal(true);
      expect([envelope.messageId.length, envelope.commitment.length]).to.deep.equal([28, 28]);
    } else {
      expect(suite.committing).to.equal(false);
      expect(envelope.iv.length).to.equal(suite.ivLength);
    }
  }
});

describe("readWrapBeside", () => {
  const read = (file: Metadata, options = {}) =>
    readWrapBeside({ text: JSON.stringify(file), suffix: ".instruction" }, options);

  for (const [format, file] of Object.entries({ V1, V2, V3: V3_WITH_KEY })) {
    it(`reads the wrap of ${format} without the object that it is of`, () => {
      const object = format === "V3" ? V3_ON_OBJECT : {};
      const { encryptedDataKey } = withFile(object, file);
      expect(read(file)).to.deep.equal({ format, encryptedDataKey });
    });
  }

  it("knows wraps of somebody's own where they are named, and no others", () => {
    const wrapAlgorithm = defineWrapAlgorithm({ name: "acme:vault/v1" });
    const file = { ...V3_WITH_KEY, "x-amz-w": wrapAlgorithm.name };
    expect(read(file, { wrapAlgorithms: [wrapAlgorithm] }).encryptedDataKey).to.include({ wrapAlgorithm });
    expect(refused("malformed-envelope", () => read(file)).message).to.be.a("string");
  });

  it("refuses what holds no wrapped key, or more than a file may", () => {
    for (const file of [{}, { color: "red" }, without(V2, "x-amz-key-v2"), V3, { ...V2, ...V3_WITH_KEY }]) {
      expect(refused("malformed-envelope", () => read(file)).message).to.be.a("string");
    }
    expect(() => readWrapBeside({ text: "[]", suffix: "" })).to.throw(S3EncryptionError);
  });
});
