import { createHash, hkdfSync } from "node:crypto";
import { readdirSync } from "node:fs";
import { loadMessageKeyrings, loadMessages, plaintextOf, readMessage } from "@s3ec/test-vectors";
import { expect } from "chai";
import { json, violations } from "./schema-violations.js";

const messages = loadMessages();
const keyrings = loadMessageKeyrings();
const byId = new Map(messages.map((message) => [message.id, message]));
const sha256 = (bytes: Buffer) => createHash("sha256").update(bytes).digest("hex");

describe("messages/manifest.json", () => {
  it("is valid against its schema, and so are the keyrings", () => {
    expect(violations("messages/manifest.schema.json", json("messages/manifest.json"))).to.equal(null);
    expect(violations("messages/keyrings.schema.json", json("messages/keyrings.json"))).to.equal(null);
  });

  const [readable] = messages.filter(({ expect }) => expect === undefined);
  const [refused] = messages.filter(({ expect }) => expect === "refuse");
  for (const [fault, entry] of Object.entries({
    "an unknown switch": { ...readable, switches: ["everything"] },
    "a readable entry that says why": { ...readable, why: "no reason" },
    "a refusal without its kind": { ...refused, failure: undefined },
    "a refusal with switches": { ...refused, switches: [] },
    "an unknown suite": { ...readable, suite: "0x0479" },
    "a file outside messages/files": { ...readable, message: { ...readable?.message, file: "messages/keyrings.json" } },
  })) {
    it(`would not be with ${fault}`, () => {
      const document: unknown = JSON.parse(JSON.stringify([entry]));
      expect(violations("messages/manifest.schema.json", document)).to.be.an("array").that.is.not.empty;
    });
  }

  it("holds 80 messages to decrypt and 81 to refuse", () => {
    const refusals = messages.filter(({ expect }) => expect === "refuse");
    expect([messages.length - refusals.length, refusals.length]).to.deep.equal([80, 81]);
  });

  it("has unique ids, and one file for each, none left over", () => {
    expect(byId.size).to.equal(messages.length);
    const stored = readdirSync(new URL("../messages/files", import.meta.url)).map((name) => `messages/files/${name}`);
    expect(messages.map(({ message }) => message.file).sort()).to.deep.equal(stored.sort());
  });

  it("states what is stored and what comes out", () => {
    for (const vector of messages) {
      const bytes = readMessage(vector);
      expect([bytes.length, sha256(bytes)], vector.id).to.deep.equal([vector.message.length, vector.message.sha256]);
      const plaintext = plaintextOf(vector);
      const { length, sha256: hash } = vector.plaintext;
      expect([plaintext.length, sha256(plaintext)], vector.id).to.deep.equal([length, hash]);
    }
  });

  it("names keyrings that are there, and gives KMS's answer exactly for those with a KMS key", () => {
    for (const { id, keyrings: names, kms } of messages) {
      const types = names.map((name) => keyrings[name]?.type);
      expect(types, id).not.to.include(undefined);
      expect(kms !== undefined, id).to.equal(types.includes("kms"));
      if (kms !== undefined) expect(keyrings.kms, id).to.deep.equal({ type: "kms", keyId: kms.keyArn });
    }
  });

  it("says of every intact message what its first bytes say, and asks for the switch where there is no commitment", () => {
    for (const vector of messages) {
      if (vector.expect === "refuse") continue;
      const bytes = readMessage(vector);
      const format = bytes.readUInt8(0);
      const suite = bytes.readUInt16BE(format === 1 ? 2 : 1);
      expect(suite, vector.id).to.equal(Number(vector.suite));
      expect(vector.switches, vector.id).to.deep.equal(format === 1 ? ["allow-non-committing"] : []);
    }
  });

  it("confines the opt-in to RSA with PKCS#1 v1.5", () => {
    for (const vector of messages) {
      if (vector.expect === "refuse") continue;
      const padded = vector.keyrings.includes("rsa-pkcs1");
      expect(vector.requires, vector.id).to.equal(padded ? "rsa-pkcs1" : undefined);
    }
  });

  it("makes every refused message from an intact one that it names, and changes it", () => {
    for (const vector of messages) {
      if (vector.expect !== "refuse") continue;
      const original = byId.get(vector.madeFrom);
      expect(original, vector.id).to.have.property("switches");
      expect(original?.message.sha256, vector.id).not.to.equal(vector.message.sha256);
      expect(original?.plaintext, vector.id).to.deep.equal(vector.plaintext);
    }
  });

  it("cuts every truncated message short and leaves every message with trailing bytes whole", () => {
    for (const vector of messages) {
      const original = vector.expect === "refuse" ? byId.get(vector.madeFrom) : undefined;
      if (vector.expect !== "refuse" || original === undefined) continue;
      const [short, long] = [readMessage(vector), readMessage(original)].sort((a, b) => a.length - b.length);
      const isPrefix = short !== undefined && long?.subarray(0, short.length).equals(short) === true;
      expect(isPrefix, vector.id).to.equal(["truncated", "trailing-bytes"].includes(vector.failure));
    }
  });

  it("records the data key that each message with a KMS key is committed to, and the question that gives it", () => {
    const asked = messages.filter(({ expect, kms }) => expect === undefined && kms !== undefined);
    expect(asked).to.have.length.greaterThan(0);
    for (const vector of asked) {
      const bytes = readMessage(vector);
      const { ciphertextBlob = "", plaintextDataKey = "", encryptionContext } = vector.kms ?? {};
      const messageId = bytes.subarray(3, 35);
      const dataKey = Buffer.from(plaintextDataKey, "base64");
      const commitment = Buffer.from(hkdfSync("sha512", dataKey, messageId, "COMMITKEY", 32));
      expect(bytes.includes(commitment), vector.id).to.equal(true);
      expect(bytes.includes(Buffer.from(ciphertextBlob, "base64")), vector.id).to.equal(true);
      expect(encryptionContext, vector.id).to.include(vector.encryptionContext);
    }
  });
});
