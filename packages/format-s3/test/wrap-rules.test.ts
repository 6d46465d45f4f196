import { createSecretKey, generateKeyPairSync, type KeyObject, randomBytes } from "node:crypto";
import { Readable } from "node:stream";
import { S3Format, type S3FormatOptions } from "@s3ec/format-s3";
import { MultiKeyring } from "@s3ec/keyring-multi";
import { RawAesKeyring } from "@s3ec/keyring-raw-aes";
import { RawRsaKeyring } from "@s3ec/keyring-raw-rsa";
import {
  type CommitmentPolicy,
  DefaultMaterialsManager,
  type Keyring,
  type LaidOutWrap,
  type ObjectRequest,
  type ObjectWithWrap,
  type SealedObject,
  stringMap,
  type WrapPlace,
  type WrapRules,
  withDataKey,
} from "@s3ec/materials";
import { collect, plaintextOf, refusal, refused } from "@s3ec/test-support";
import { expect } from "chai";

type Metadata = Readonly<Record<string, string>>;

const CONTENT = plaintextOf(1000);
const IN_METADATA: WrapPlace = { in: "metadata" };
const IN_FILE: WrapPlace = { in: "instruction-file", suffix: ".instruction" };
const PARTNERS: WrapPlace = { in: "annotation", name: "x-s3ec/partner" };
const { publicKey, privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });

const aes = (key: string): RawAesKeyring =>
  new RawAesKeyring({ wrappingKey: randomBytes(32), materialDescription: { key } });

function rulesOf(options: S3FormatOptions = {}): WrapRules {
  return new S3Format(options).wraps;
}

function requestOf(
  keyring: Keyring,
  commitmentPolicy: CommitmentPolicy,
): ObjectRequest & { bucket: string; key: string } {
  const materialsManager = new DefaultMaterialsManager(keyring);
  return { materialsManager, commitmentPolicy, encryptionContext: stringMap([]), bucket: "b", key: "k" };
}

interface Stored {
  readonly sealed: SealedObject;
  readonly body: Buffer;
  readonly policy: CommitmentPolicy;
}

async function stored(keyring: Keyring, format: "V2" | "V3", options: S3FormatOptions = {}): Promise<Stored> {
  const writing = format === "V3" ? "REQUIRE_ENCRYPT_REQUIRE_DECRYPT" : "FORBID_ENCRYPT_ALLOW_DECRYPT";
  const sealed = await new S3Format(options).seal({
    ...requestOf(keyring, writing),
    plaintext: Readable.from([CONTENT]),
    contentLength: CONTENT.length,
  });
  return { sealed, body: await collect(sealed.ciphertext), policy: writing };
}

function textOf({ sealed }: Stored): string {
  return sealed.siblings.files[0]?.body ?? "";
}

/** The object's metadata as a rewrap would leave it. */
function replaced(metadata: Metadata, { metadata: added, replaces }: LaidOutWrap): Metadata {
  return { ...Object.fromEntries(Object.entries(metadata).filter(([name]) => !replaces.includes(name))), ...added };
}

async function read(keyring: Keyring, metadata: Metadata, { body, policy }: Stored, text?: string): Promise<Buffer> {
  const object = { ...requestOf(keyring, policy), metadata, siblings: { read: async () => text } };
  const opened = await new S3Format().open(object);
  return await collect(opened.decrypt(Readable.from([body])));
}

async function rewrapped(
  object: Pick<ObjectWithWrap, "metadata" | "place" | "text"> & { readonly policy: CommitmentPolicy },
  [from, to]: readonly [Keyring, Keyring],
  more: { readonly place?: WrapPlace; readonly isFurther?: boolean; readonly isTrusted?: boolean } = {},
  options: S3FormatOptions = {},
): Promise<LaidOutWrap> {
  const rules = rulesOf(options);
  const { policy, ...where } = object;
  const found = rules.find({ ...where, request: requestOf(from, policy) });
  const held = await rules.unwrap(found, requestOf(from, policy));
  const { place = object.place, isFurther = false, isTrusted = false } = more;
  return await rules.wrap(held, { ...requestOf(to, policy), place, isFurther, isTrusted });
}

describe("what the S3 formats re-wrap", () => {
  const old = aes("old");
  const next = aes("new");

  for (const format of ["V2", "V3"] as const) {
    it(`gives ${format} in the metadata another wrap, and keeps all that holds the content`, async () => {
      const object = await stored(old, format);
      const { metadata } = object.sealed;
      const shouting = Object.fromEntries(Object.entries(metadata).map(([name, value]) => [name.toUpperCase(), value]));
      for (const standing of [
        { ...metadata, owner: "a" },
        { ...shouting, owner: "a" },
      ]) {
        const laid = await rewrapped({ metadata: standing, place: IN_METADATA, policy: object.policy }, [old, next]);
        const after = replaced(standing, laid);
        expect(Object.keys(after)).to.have.members([...Object.keys(metadata), "owner"]);
        const changed = Object.keys(metadata).filter((name) => after[name] !== metadata[name]);
        const expected = format === "V3" ? ["x-amz-3", "x-amz-m"] : ["x-amz-key-v2", "x-amz-matdesc"];
        expect(changed).to.have.members(expected);
        expect((await read(next, after, object)).equals(CONTENT)).to.equal(true);
        await refusal("decryption-failed", read(old, after, object));
      }
    });

    it(`gives a file of ${format} another wrap`, async () => {
      const object = await stored(old, format, { instructionFileConfig: { enableInstructionFilePutObject: true } });
      const { metadata } = object.sealed;
      const from = { metadata, place: IN_FILE, text: textOf(object), policy: object.policy };
      const laid = await rewrapped(from, [old, next]);
      expect(laid.replaces).to.deep.equal([]);
      expect(laid.metadata).to.deep.equal(object.sealed.siblings.files[0]?.metadata);
      expect((await read(next, metadata, object, laid.text)).equals(CONTENT)).to.equal(true);
      const names = (text: string | undefined) => Object.keys(JSON.parse(text ?? ""));
      expect(names(laid.text)).to.have.members(names(textOf(object)));
    });
  }

  it("proves a key by the commitment, and says where nothing has", async () => {
    const rules = rulesOf();
    for (const format of ["V2", "V3"] as const) {
      const { sealed, policy } = await stored(old, format);
      const request = requestOf(old, policy);
      const found = rules.find({ metadata: sealed.metadata, place: IN_METADATA, request });
      expect((await rules.unwrap(found, request)).isProven).to.equal(format === "V3");
    }
    const mine = await stored(old, "V3");
    const other = await stored(old, "V3");
    const metadata = { ...mine.sealed.metadata, "x-amz-3": other.sealed.metadata["x-amz-3"] ?? "" };
    const found = rules.find({ metadata, place: IN_METADATA, request: requestOf(old, mine.policy) });
    await refusal("decryption-failed", rules.unwrap(found, requestOf(old, mine.policy)));
  });

  it("puts a further recipient beside a committing object, and beside V2 only by a switch of that name", async () => {
    const partner = new RawRsaKeyring({ publicKey, privateKey });
    const committed = await stored(old, "V3");
    const { metadata } = committed.sealed;
    const further = { place: PARTNERS, isFurther: true };
    const laid = await rewrapped({ metadata, place: IN_METADATA, policy: committed.policy }, [old, partner], further);
    expect(laid.metadata).to.deep.equal({});
    const again = { metadata, place: PARTNERS, text: laid.text ?? "", policy: committed.policy };
    const back = await rewrapped(again, [partner, next], { place: IN_METADATA });
    expect((await read(next, replaced(metadata, back), committed)).equals(CONTENT)).to.equal(true);

    const loose = await stored(old, "V2");
    const from = { metadata: loose.sealed.metadata, place: IN_METADATA, policy: loose.policy };
    const { message } = await refusal("unsupported-operation", rewrapped(from, [old, partner], further));
    expect(message).to.contain("enableUncommittedChildren");
    const allowed = await rewrapped(from, [old, partner], further, { enableUncommittedChildren: true });
    expect(JSON.parse(allowed.text ?? "")["x-amz-iv"]).to.equal(loose.sealed.metadata["x-amz-iv"]);
  });

  it("puts no further recipient where no reader would take it: in an annotation of an object that says nothing (S19)", async () => {
    const object = await stored(old, "V2", { instructionFileConfig: { enableInstructionFilePutObject: true } });
    const rules = rulesOf({ enableUncommittedChildren: true });
    const request = requestOf(old, object.policy);
    const found = rules.find({ metadata: object.sealed.metadata, place: IN_FILE, text: textOf(object), request });
    const { message } = refused("unsupported-operation", () =>
      rules.assertMayHold(found, { place: PARTNERS, isFurther: true }),
    );
    expect(message).to.contain("instruction-file");
    rules.assertMayHold(found, { place: { in: "instruction-file", suffix: ".partner" }, isFurther: true });
  });

  it("takes no annotation for the whole envelope of an object (S19)", async () => {
    const object = await stored(old, "V2", { instructionFileConfig: { enableInstructionFilePutObject: true } });
    const request = requestOf(old, object.policy);
    const { metadata } = object.sealed;
    const find = () => rulesOf().find({ metadata, place: PARTNERS, text: textOf(object), request });
    expect(refused("malformed-envelope", find).message).to.contain("own metadata");
    const other = await stored(old, "V2");
    const beside = () =>
      rulesOf().find({ metadata: other.sealed.metadata, place: PARTNERS, text: textOf(object), request });
    refused("malformed-envelope", beside);
  });

  it("asks no key for what must not be read", async () => {
    const object = await stored(old, "V2");
    const { metadata } = object.sealed;
    const strict = requestOf(old, "REQUIRE_ENCRYPT_REQUIRE_DECRYPT");
    refused("commitment-policy", () => rulesOf().find({ metadata, place: IN_METADATA, request: strict }));
    const cbc = { "x-amz-key": randomBytes(48).toString("base64"), "x-amz-iv": randomBytes(16).toString("base64") };
    const request = requestOf(old, "REQUIRE_ENCRYPT_ALLOW_DECRYPT");
    const find = (options: S3FormatOptions) => () =>
      rulesOf(options).find({ metadata: cbc, place: IN_METADATA, request });
    refused("legacy-disabled", find({}));
    refused("legacy-disabled", find({ enableLegacyUnauthenticatedModes: true }));
    refused("not-encrypted", () => rulesOf().find({ metadata: {}, place: IN_METADATA, request }));
    const rsa = requestOf(new RawRsaKeyring({ privateKey }), "FORBID_ENCRYPT_ALLOW_DECRYPT");
    refused("no-matching-key", () => rulesOf().find({ metadata, place: IN_METADATA, request: rsa }));
  });

  it("stores no wrap that its keyring does not open, unless it is trusted", async () => {
    const object = await stored(old, "V3");
    const from = { metadata: object.sealed.metadata, place: IN_METADATA, policy: object.policy };
    const blind = new RawRsaKeyring({ publicKey });
    const { message } = await refusal("no-matching-key", rewrapped(from, [old, blind]));
    expect(message).to.contain('verify: "none"');
    const laid = await rewrapped(from, [old, blind], { isTrusted: true });
    const holder = new RawRsaKeyring({ publicKey, privateKey });
    expect((await read(holder, replaced(from.metadata, laid), object)).equals(CONTENT)).to.equal(true);
    const other = new RawRsaKeyring(generateKeyPairSync("rsa", { modulusLength: 2048 }));
    const wrong: Keyring = {
      wrapAlgorithms: other.wrapAlgorithms,
      onEncrypt: (...args) => holder.onEncrypt(...args),
      onDecrypt: (...args) => other.onDecrypt(...args),
    };
    await refusal("decryption-failed", rewrapped(from, [old, wrong]));
  });

  it("wraps the data key that stands, or nothing", async () => {
    const object = await stored(old, "V3");
    const from = { metadata: object.sealed.metadata, place: IN_METADATA, policy: object.policy };
    const own = aes("own");
    const inventive: Keyring = {
      wrapAlgorithms: own.wrapAlgorithms,
      onDecrypt: (...args) => own.onDecrypt(...args),
      onEncrypt: (materials) => own.onEncrypt(withDataKey(materials, createSecretKey(randomBytes(32)) as KeyObject)),
    };
    await refusal("invalid-configuration", rewrapped(from, [old, inventive]));
  });

  it("takes of a hierarchy the wrap that it has for the place", async () => {
    const escrow = new RawRsaKeyring({ publicKey, privateKey });
    const hierarchy = new MultiKeyring({
      generator: next,
      children: [{ keyring: escrow, instructionFileSuffix: ".escrow" }],
    });
    const object = await stored(old, "V3");
    const from = { metadata: object.sealed.metadata, place: IN_METADATA, policy: object.policy };
    const name = async (place: WrapPlace) =>
      (await rewrapped(from, [old, hierarchy], { place })).encryptedDataKey.wrapAlgorithm.name;
    expect(await name(IN_METADATA)).to.equal("AES/GCM");
    expect(await name({ in: "instruction-file", suffix: ".escrow" })).to.equal("RSA-OAEP-SHA1");
    expect(await name({ in: "annotation", name: "x-s3ec/escrow" })).to.equal("RSA-OAEP-SHA1");
    expect(await name({ in: "annotation", name: "x-s3ec/escrow/7d3f" })).to.equal("RSA-OAEP-SHA1");
    expect(await name(IN_FILE)).to.equal("AES/GCM");
    const two = new MultiKeyring({
      generator: next,
      children: [
        { keyring: escrow, instructionFileSuffix: ".a" },
        { keyring: escrow, instructionFileSuffix: ".b" },
      ],
    });
    expect((await rewrapped(from, [old, two], { place: IN_METADATA })).encryptedDataKey.wrapAlgorithm.name).to.equal(
      "AES/GCM",
    );
  });

  it("writes V1 in the words of V2, bound to what its content is encrypted with (H1), and files as PHP takes them (H6)", async () => {
    const kek = randomBytes(32);
    const legacy = new RawAesKeyring({ wrappingKey: kek });
    const options = { enableLegacyUnauthenticatedModes: true, enableLegacyWrappingAlgorithms: true };
    const policy = "REQUIRE_ENCRYPT_ALLOW_DECRYPT";
    const { createCipheriv } = await import("node:crypto");
    const cipher = createCipheriv("aes-256-ecb", kek, null);
    const key = Buffer.concat([cipher.update(randomBytes(32)), cipher.final()]).toString("base64");
    const fields = { "x-amz-key": key, "x-amz-iv": randomBytes(16).toString("base64"), "x-amz-matdesc": "{}" };
    const metadata = { ...fields, "x-amz-unencrypted-content-length": "3" };
    const laid = await rewrapped({ metadata, place: IN_METADATA, policy }, [legacy, next], {}, options);
    const after = replaced(metadata, laid);
    expect(after).to.include({
      "x-amz-cek-alg": "AES/CBC/PKCS5Padding",
      "x-amz-wrap-alg": "AES/GCM",
      "x-amz-iv": fields["x-amz-iv"],
      "x-amz-unencrypted-content-length": "3",
    });
    expect(after).not.to.have.any.keys("x-amz-key", "x-amz-tag-len");
    const request = requestOf(next, policy);
    const rules = rulesOf(options);
    const again = rules.find({ metadata: after, place: IN_METADATA, request });
    expect(again.algorithmBinding).to.equal("AES/CBC/PKCS5Padding");
    const held = await rules.unwrap(again, request);
    expect(held.isProven).to.equal(false);
    expect(held.opened.proves).to.equal("nothing");

    const file = (text: Record<string, unknown>) =>
      rewrapped({ metadata: {}, place: IN_FILE, text: JSON.stringify(text), policy }, [legacy, next], {}, options);
    expect(JSON.parse((await file(fields)).text ?? "")).to.include({ "x-amz-tag-len": "0" });
    const long = JSON.parse((await file({ ...fields, "x-amz-unencrypted-content-length": 3 })).text ?? "");
    expect(long).to.include({ "x-amz-unencrypted-content-length": "3" }).and.not.have.any.keys("x-amz-tag-len");
    const further = { place: PARTNERS, isFurther: true };
    const from = { metadata, place: IN_METADATA, policy } as const;
    const switched = { ...options, enableUncommittedChildren: true };
    await refusal("unsupported-operation", rewrapped(from, [legacy, next], further, switched));
    const found = rulesOf(switched).find({ ...from, request: requestOf(legacy, policy) });
    // Before a key is used (S16).
    refused("unsupported-operation", () => rulesOf(switched).assertMayHold(found, further));
    const unswitched = refused("unsupported-operation", () => rulesOf(options).assertMayHold(found, further));
    expect(unswitched.message).to.contain("CBC content");
    const annotated = { metadata: after, place: PARTNERS, text: JSON.stringify(after), request };
    expect(refused("unsupported-operation", () => rules.find(annotated)).message).to.contain("CBC content");
    const dotnet: WrapPlace = { in: "instruction-file", suffix: "INSTRUCTION_SUFFIX" };
    const theirs = { EncryptedEnvelopeKey: key, IV: fields["x-amz-iv"] };
    const standing = { metadata: {}, place: dotnet, text: JSON.stringify(theirs), policy } as const;
    await refusal("unsupported-operation", rewrapped(standing, [legacy, next], {}, options));
  });
});
