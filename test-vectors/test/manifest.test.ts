import { readdirSync } from "node:fs";
import { loadKeys, loadVectors, type Switch } from "@s3ec/test-vectors";
import { expect } from "chai";
import { json, violations } from "./schema-violations.js";
import { storedShape } from "./stored-shape.js";

const vectors = loadVectors();
const keys = loadKeys();

describe("manifest.json", () => {
  it("is valid against its schema", () => {
    expect(violations("manifest.schema.json", json("manifest.json"))).to.equal(null);
  });

  const [sample] = vectors.filter(({ expect }) => expect === undefined);
  const [refused] = vectors.filter(({ expect }) => expect === "refuse");
  for (const [fault, entry] of Object.entries({
    "an unknown switch": { ...sample, switches: ["everything"] },
    "a readable entry without switches": { ...sample, switches: undefined },
    "a refusal without a reason": { ...refused, why: undefined },
    "a refusal with switches": { ...refused, switches: [] },
    "a field that nobody documented": { ...sample, extra: 1 },
    "a suffix that nobody wrote": { ...sample, instructionFiles: { instruction: { metadata: {}, text: "{}" } } },
    "a language that has no client": { ...sample, writer: { ...sample?.writer, language: "perl" } },
    "a body outside objects/": { ...sample, body: { ...sample?.body, file: "objects/../keys.bin" } },
  })) {
    it(`would not be with ${fault}`, () => {
      const document: unknown = JSON.parse(JSON.stringify([entry]));
      expect(violations("manifest.schema.json", document)).to.be.an("array").that.is.not.empty;
    });
  }

  it("holds 379 objects to decrypt and 114 to refuse", () => {
    const refusals = vectors.filter(({ expect }) => expect === "refuse");
    expect([vectors.length - refusals.length, refusals.length]).to.deep.equal([379, 114]);
  });

  it("has unique ids, and one body file for each, none left over", () => {
    expect(new Set(vectors.map(({ id }) => id)).size).to.equal(vectors.length);
    const stored = readdirSync(new URL("../objects", import.meta.url)).map((name) => `objects/${name}`);
    expect(vectors.map(({ body }) => body.file).sort()).to.deep.equal(stored.sort());
  });

  it("names a key of keys.json in every entry, and gives KMS's answer under that key's ARN", () => {
    for (const { id, material, kms } of vectors) {
      const key = keys[material];
      expect(key, `${id}: ${material}`).to.not.equal(undefined);
      if (kms !== undefined) expect(key, id).to.include({ kind: "kms", arn: kms.keyArn });
    }
  });

  it("leaves KMS without an answer only where KMS itself must refuse", () => {
    const unanswered = vectors.filter(({ material, kms }) => keys[material]?.kind === "kms" && kms === undefined);
    expect(unanswered.map(({ id }) => id)).to.deep.equal(["java-bad-v2-kms-context-edited"]);
  });

  it("asks for the switches that each readable object's stored fields call for, no more and no fewer", () => {
    for (const vector of vectors) {
      if (vector.expect === "refuse") continue;
      const { format, content, wrap } = storedShape(vector);
      const needed: Switch[] = [];
      if (format !== "V3") needed.push("allow-non-committing");
      if (content === "CBC") needed.push("legacy-content");
      if (wrap === "legacy") needed.push("legacy-wrapping");
      expect([...vector.switches], vector.id).to.have.members(needed);
    }
  });

  it("states lengths that agree: a tag more under GCM, padding to the next block under CBC", () => {
    for (const vector of vectors) {
      if (vector.expect === "refuse") continue;
      const { length } = vector.plaintext;
      const added = storedShape(vector).content === "CBC" ? 16 - (length % 16) : 16;
      expect(vector.body.length, vector.id).to.equal(length + added);
    }
  });

  it("confines the opt-ins to the objects that they are for", () => {
    const opted = vectors.flatMap((vector) =>
      vector.expect === undefined && vector.requires !== undefined ? [[vector.id, vector.requires]] : [],
    );
    expect(opted).to.deep.equal([
      ["java-v1-eo-aes256-inst-v4reenc-211", "cbc-rewrap-bound-to-gcm"],
      ["java-v1-eo-rsa2048-inst-v4reenc-212", "cbc-rewrap-bound-to-gcm"],
      ["java-v1-eo-rsa2048-meta-bc-always-50", "unpadded-rsa"],
    ]);
  });
});

describe("keys.json", () => {
  it("is valid against its schema", () => {
    expect(violations("keys.schema.json", json("keys.json"))).to.equal(null);
  });

  it("would not be with a key of another kind", () => {
    expect(violations("keys.schema.json", { k: { kind: "hsm", base64: "AAAA" } })).to.be.an("array").that.is.not.empty;
  });
});
