import { generateKeyPairSync } from "node:crypto";
import type { S3FormatOptions } from "@s3ec/format-s3";
import { MultiKeyring } from "@s3ec/keyring-multi";
import { RawRsaKeyring } from "@s3ec/keyring-raw-rsa";
import type { AnnotationReader, ObjectToOpen, OpenedObject } from "@s3ec/materials";
import { refusal } from "@s3ec/test-support";
import { expect } from "chai";
import { CONTENT, Counting, type Metadata, opened, plaintextFrom, requestOf, sealed } from "./objects.js";

const { publicKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
const owner = new RawRsaKeyring({ publicKey });
const ANNOTATED = { wrapPlacement: "annotations", enableUncommittedChildren: true } as const;
const CBC_CONTENT = {
  "x-amz-key-v2": Buffer.alloc(256).toString("base64"),
  "x-amz-iv": Buffer.alloc(16, 1).toString("base64"),
  "x-amz-cek-alg": "AES/CBC/PKCS5Padding",
  "x-amz-matdesc": "{}",
};

/** Annotations of an object, and what was asked of them. */
class Annotations implements AnnotationReader {
  readonly asked: string[] = [];
  readonly #texts: Metadata;

  constructor(texts: Metadata) {
    this.#texts = texts;
  }

  async list(prefix: string): Promise<{ name: string; size: number }[]> {
    this.asked.push(`list ${prefix}`);
    return Object.entries(this.#texts).map(([name, { length }]) => ({ name, size: length }));
  }

  async read(name: string): Promise<string | undefined> {
    this.asked.push(name);
    return this.#texts[name];
  }
}

describe("an object whose wrapped key for us is in an annotation", () => {
  let escrow: Counting;
  beforeEach(() => {
    escrow = new Counting();
  });

  async function annotated(format: "V2" | "V3" = "V3", children: readonly string[] = [".escrow"]) {
    const keyring = new MultiKeyring({
      generator: owner,
      children: children.map((instructionFileSuffix) => ({ keyring: escrow, instructionFileSuffix })),
    });
    const { metadata, body, siblings } = await sealed(keyring, ANNOTATED, format);
    const texts = Object.fromEntries((siblings.annotations ?? []).map(({ name, text }) => [name, text]));
    return { metadata, body, texts };
  }

  const open = (
    metadata: Metadata,
    annotations: AnnotationReader,
    options: S3FormatOptions = {},
    more: Partial<ObjectToOpen> = {},
  ): Promise<OpenedObject> => opened(escrow, metadata, options, { annotations, ...more });

  for (const format of ["V2", "V3"] as const) {
    it(`is opened by it, once no key opens the wrap in the metadata: ${format}`, async () => {
      const { metadata, body, texts } = await annotated(format);
      const annotations = new Annotations(texts);
      expect(await plaintextFrom(await open(metadata, annotations), body)).to.deep.equal(CONTENT);
      expect(annotations.asked).to.deep.equal(["list x-s3ec/", "x-s3ec/escrow"]);
    });

    it(`is not opened by one of another object (S19): ${format}`, async () => {
      const { metadata } = await annotated(format);
      const { texts } = await annotated(format);
      await refusal("no-matching-key", open(metadata, new Annotations(texts)));
    });
  }

  it("has none looked for where nothing on the object says how it is encrypted (S19)", async () => {
    const { texts } = await annotated();
    for (const more of [{}, { siblingSuffix: ".escrow" }]) {
      for (const options of [{}, ANNOTATED]) {
        const annotations = new Annotations(texts);
        await refusal("not-encrypted", open({ owner: "somebody" }, annotations, options, more));
        expect(annotations.asked).to.deep.equal([]);
      }
    }
  });

  it("has none looked for where reading beside the object is disabled", async () => {
    const { metadata, texts } = await annotated();
    const annotations = new Annotations(texts);
    const disabled = { instructionFileConfig: { disableInstructionFile: true } };
    await refusal("no-matching-key", open(metadata, annotations, disabled));
    expect(annotations.asked).to.deep.equal([]);
    await refusal("no-matching-key", opened(escrow, metadata));
  });

  it("tries none for CBC content, whose key nothing holds it to (S19)", async () => {
    const { texts } = await annotated("V2");
    const { "x-amz-key-v2": key, "x-amz-wrap-alg": wrap } = JSON.parse(texts["x-s3ec/escrow"] ?? "{}");
    const text = JSON.stringify({ ...CBC_CONTENT, "x-amz-key-v2": key, "x-amz-wrap-alg": wrap });
    const metadata = { ...CBC_CONTENT, "x-amz-wrap-alg": "RSA-OAEP-SHA1" };
    const options = { enableLegacyUnauthenticatedModes: true };
    await refusal("no-matching-key", open(metadata, new Annotations({ "x-s3ec/escrow": text }), options));
    expect(escrow.unwraps).to.equal(0);
  });

  it("counts only those that a key here could open among the eight that are tried", async () => {
    const { metadata, body, texts } = await annotated();
    const others = (count: number, text: string): [string, string][] =>
      Array.from({ length: count }, (_, index) => [`x-s3ec/a${index}`, text]);
    const others2 = new MultiKeyring({
      generator: owner,
      children: [{ keyring: new RawRsaKeyring({ publicKey }), instructionFileSuffix: ".other" }],
    });
    const [foreign] = (await sealed(others2, ANNOTATED)).siblings.annotations ?? [];
    const many = new Annotations(Object.fromEntries([...others(20, foreign?.text ?? ""), ...Object.entries(texts)]));
    expect(await plaintextFrom(await open(metadata, many), body)).to.deep.equal(CONTENT);
    expect(escrow.unwraps).to.equal(1);
    const ours = (await annotated()).texts["x-s3ec/escrow"] ?? "";
    const failing = new Annotations(Object.fromEntries([...others(8, ours), ...Object.entries(texts)]));
    const { message } = await refusal("no-matching-key", open(metadata, failing));
    expect(message).to.match(/ 1 more annotations .*instructionFileSuffix/);
    expect(escrow.unwraps).to.equal(9);
  });

  it("has the recipient that is named asked for directly, by a client that writes annotations", async () => {
    const { metadata, body, texts } = await annotated("V3", [".escrow", ".partner"]);
    for (const options of [ANNOTATED, { ...ANNOTATED, instructionFileConfig: { suffix: ".partner" } }]) {
      const annotations = new Annotations(texts);
      const named = options === ANNOTATED ? { siblingSuffix: ".partner" } : {};
      expect(await plaintextFrom(await open(metadata, annotations, options, named), body)).to.deep.equal(CONTENT);
      expect(annotations.asked).to.deep.equal(["x-s3ec/partner"]);
    }
  });

  it("is refused as without annotations where they may not be listed or read", async () => {
    const { metadata, texts } = await annotated();
    const denied = () => Promise.reject(new Error("Access Denied"));
    const list = async () => Object.keys(texts).map((name) => ({ name, size: 1 }));
    await refusal("no-matching-key", open(metadata, { list: denied, read: denied }));
    await refusal("no-matching-key", open(metadata, { list, read: denied }));
  });

  it("is asked of the store alone for its wrap: a key store's failure is told as it is", async () => {
    const { metadata, texts } = await annotated();
    const failing = new Counting();
    failing.onDecrypt = () => Promise.reject(new Error("the key store is down"));
    const request = { ...requestOf(failing), annotations: new Annotations(texts) };
    const error = await opened(failing, metadata, {}, request).catch((reason: unknown) => reason);
    expect(error).to.have.property("message", "the key store is down");
  });
});
