import { generateKeyPairSync } from "node:crypto";
import { KMSClient } from "@aws-sdk/client-kms";
import { type RewrapOptions, type RewrappedObject, rewrapObject, type S3EncryptionOptions } from "@s3ec/client";
import { KmsKeyring } from "@s3ec/keyring-kms";
import { MultiKeyring } from "@s3ec/keyring-multi";
import { RawRsaKeyring } from "@s3ec/keyring-raw-rsa";
import type { Keyring } from "@s3ec/materials";
import {
  ByObjectManager,
  CachingMaterialsManager,
  DefaultMaterialsManager,
  RequiredContextManager,
} from "@s3ec/materials";
import { expect } from "chai";
import { BUCKET, Fixture, get, put, refusal } from "./fixture.js";
import { errorOf } from "./transfers.js";

const V2: Partial<S3EncryptionOptions> = { commitmentPolicy: "FORBID_ENCRYPT_ALLOW_DECRYPT" };

describe("rewrapObject from one KMS key to another", () => {
  let fixture: Fixture;
  let kms: KMSClient;
  let old: KmsKeyring;
  let next: KmsKeyring;
  const escrow = new RawRsaKeyring(generateKeyPairSync("rsa", { modulusLength: 2048 }));

  before(async () => {
    fixture = await Fixture.start();
    const { endpoint, region, credentials } = fixture.server.clientConfig;
    kms = new KMSClient({ endpoint, region, credentials, maxAttempts: 1 });
    for (const alias of ["alias/old", "alias/new"]) fixture.server.kms.createKey({ alias });
    old = new KmsKeyring({ keyId: "alias/old", client: kms });
    next = new KmsKeyring({ keyId: "alias/new", client: kms });
  });
  after(async () => {
    kms.destroy();
    await fixture.close();
  });
  beforeEach(() => fixture.server.clearRequests());
  afterEach(() => fixture.server.faults.clear());

  const encryptionContext = { tenant: "a" };
  const calls = (): string[] =>
    fixture.server.requests
      .filter(({ operation }) => /^(?:Decrypt|Encrypt|ReEncrypt|GenerateDataKey)$/.test(operation))
      .map(({ operation }) => operation);

  async function store(key: string, options: Partial<S3EncryptionOptions> = {}): Promise<void> {
    await fixture.client({ keyring: old, ...options }).send(put(key, "content"), { encryptionContext });
    fixture.server.clearRequests();
  }

  function rewrap(
    Key: string,
    more: Partial<RewrapOptions> = {},
    options: Partial<S3EncryptionOptions> = {},
  ): Promise<RewrappedObject> {
    const client = fixture.client({ keyring: old, ...options });
    const to = { keyring: next };
    const pace = { settleTime: 0, checksTarget: false };
    return rewrapObject(client, { Bucket: BUCKET, Key, to, encryptionContext, owner: "same", ...pace, ...more });
  }

  async function read(
    key: string,
    keyring: Keyring,
    options: Partial<S3EncryptionOptions> = {},
    context = encryptionContext,
  ) {
    const { Body } = await fixture.client({ keyring, ...options }).send(get(key), { encryptionContext: context });
    return await Body?.transformToString();
  }

  for (const [format, options] of Object.entries({ V2, V3: {} })) {
    it(`leaves the data key of ${format} in KMS, and has the new key open the new wrap`, async () => {
      const key = `stays-${format}`;
      await store(key, options);
      const result = await rewrap(key, {}, options);
      expect(result).to.include({ isReencrypted: true, verified: "envelope", wrapAlgorithm: "kms+context" });
      expect(calls()).to.deep.equal(["ReEncrypt", "Decrypt"]);
      expect(await read(key, next, options)).to.equal("content");
      await refusal(read(key, old, options));
    });
  }

  it("says that nothing was verified where the new key may not decrypt", async () => {
    await store("unverified");
    const denied = { service: "kms", operation: "Decrypt", status: 400, code: "AccessDeniedException" } as const;
    fixture.server.faults.add(denied);
    expect(await rewrap("unverified")).to.include({ isReencrypted: true, verified: "unverified" });
    fixture.server.faults.clear();
    expect(await read("unverified", next)).to.equal("content");
    await store("no-content");
    fixture.server.faults.add(denied);
    expect((await refusal(rewrap("no-content", { verify: "content" }))).code).to.equal("key-unavailable");
    fixture.server.faults.clear();
    expect(await read("no-content", old)).to.equal("content");
    await store("unseen");
    expect(await rewrap("unseen", { verify: "none" })).to.include({ isReencrypted: true, verified: "unverified" });
    expect(calls()).to.deep.equal(["ReEncrypt"]);
    await store("tag");
    expect((await rewrap("tag", { verify: "content" })).verified).to.equal("content");
  });

  it("stores no wrap of another object's data key, where the new key may decrypt: V3's commitment tells", async () => {
    await store("mine");
    await store("theirs");
    const [mine, theirs] = [await fixture.stored("mine"), await fixture.stored("theirs")];
    const metadata = { ...mine.metadata, "x-amz-3": theirs.metadata["x-amz-3"] ?? "" };
    await fixture.server.putRawObject(BUCKET, "mine", { body: mine.body, metadata });
    expect((await refusal(rewrap("mine"))).code).to.equal("decryption-failed");
    expect((await fixture.stored("mine")).metadata).to.deep.equal(metadata);
  });

  it("takes the context from the call, and binds the new one", async () => {
    await store("context");
    for (const context of [{}, { tenant: "b" }]) {
      const { code } = await refusal(rewrap("context", { encryptionContext: context as Record<string, string> }));
      expect(code).to.equal("context-mismatch");
    }
    expect(calls()).to.deep.equal([]);
    await rewrap("context", { to: { keyring: next, encryptionContext: { tenant: "b" } } });
    expect(await read("context", next, {}, { tenant: "b" })).to.equal("content");
  });

  it("opens the data key here for another owner, and where that is asked for by name", async () => {
    await store("another");
    expect(await rewrap("another", { owner: "another" })).to.include({ isReencrypted: false, verified: "envelope" });
    expect(calls()).to.deep.equal(["Decrypt", "Encrypt", "Decrypt"]);
    const { endpoint, credentials } = fixture.server.clientConfig;
    const elsewhere = new KMSClient({ endpoint, credentials, region: "eu-west-1", maxAttempts: 1 });
    const { arn } = fixture.server.kms.createKey({ arn: "arn:aws:kms:eu-west-1:111122223333:key/far" });
    const far = new KmsKeyring({ keyId: arn, client: elsewhere });
    await store("far");
    const { code, message } = await refusal(rewrap("far", { to: { keyring: far } }));
    expect(code).to.equal("unsupported-operation");
    expect(message).to.contain("decryptHere");
    expect(calls()).to.deep.equal([]);
    await rewrap("far", { to: { keyring: far }, decryptHere: true });
    expect(await read("far", far)).to.equal("content");
    elsewhere.destroy();
  });

  it("finds the two keys in hierarchies and behind managers", async () => {
    const hierarchy = (generator: Keyring): MultiKeyring =>
      new MultiKeyring({ generator, children: [{ keyring: escrow, instructionFileSuffix: ".escrow" }] });
    await store("hierarchy", { keyring: hierarchy(old) });
    const to = { keyring: hierarchy(next) };
    expect((await rewrap("hierarchy", { to }, { keyring: hierarchy(old) })).isReencrypted).to.equal(true);
    expect(await read("hierarchy", next)).to.equal("content");
    const managed = (keyring: Keyring) =>
      new ByObjectManager({
        rules: [
          {
            manager: new CachingMaterialsManager({
              manager: new RequiredContextManager({
                manager: new DefaultMaterialsManager(keyring),
                requiredContextKeys: ["tenant"],
              }),
              maxAgeMs: 1000,
            }),
          },
        ],
      });
    await store("managed");
    const client = fixture.client({ materialsManager: managed(old) });
    const more = { Bucket: BUCKET, Key: "managed", owner: "same", settleTime: 0, checksTarget: false } as const;
    const missing = rewrapObject(client, { ...more, to: { materialsManager: managed(next) } });
    expect((await refusal(missing)).code).to.equal("invalid-argument");
    const done = await rewrapObject(client, { ...more, encryptionContext, to: { materialsManager: managed(next) } });
    expect(done.isReencrypted).to.equal(true);
  });

  it("goes from KMS to a raw key of the same owner by opening the data key here", async () => {
    await store("to-raw");
    const { message } = await refusal(rewrap("to-raw", { to: { keyring: escrow } }));
    expect(message).to.contain("Only KMS keyrings bind an encryption context");
    expect(await rewrap("to-raw", { to: { keyring: escrow, encryptionContext: {} } })).to.include({
      isReencrypted: false,
      wrapAlgorithm: "RSA-OAEP-SHA1",
    });
    expect(await read("to-raw", escrow, {}, {} as typeof encryptionContext)).to.equal("content");
  });

  it("goes from a raw key to KMS of the same owner by wrapping the data key here", async () => {
    await fixture.client({ keyring: escrow }).send(put("from-raw", "content"));
    const more = { encryptionContext: {}, to: { keyring: next, encryptionContext } };
    expect(await rewrap("from-raw", more, { keyring: escrow })).to.include({
      isReencrypted: false,
      wrapAlgorithm: "kms+context",
    });
    expect(await read("from-raw", next)).to.equal("content");
  });

  it("changes nothing where KMS only cannot say now whether the new key opens it", async () => {
    for (const code of ["ThrottlingException", "DisabledException"]) {
      await store(code);
      fixture.server.faults.add({ service: "kms", operation: "Decrypt", status: 400, code });
      expect((await refusal(rewrap(code))).code).to.equal("key-unavailable");
      fixture.server.faults.clear();
      expect(await read(code, old)).to.equal("content");
    }
  });

  it("enforces a rotation by what KMS says of the two keys", async () => {
    await store("same");
    const { arn } = fixture.server.kms.createKey({ alias: "alias/third" });
    const aliased = new KmsKeyring({ keyId: "alias/third", client: kms });
    await fixture.client({ keyring: aliased }).send(put("same", "content"), { encryptionContext });
    const by = new KmsKeyring({ keyId: arn, client: kms });
    const enforced = { enforceRotation: true, to: { keyring: by } };
    expect((await refusal(rewrap("same", enforced, { keyring: aliased }))).message).to.contain("rotation is enforced");
    const opened = { ...enforced, decryptHere: true };
    expect((await refusal(rewrap("same", opened, { keyring: aliased }))).message).to.contain("rotation is enforced");
    await rewrap("same", { enforceRotation: true }, { keyring: aliased });
    expect(await read("same", next)).to.equal("content");
  });

  it("leaves the object as it was where KMS refuses", async () => {
    await store("denied");
    fixture.server.faults.add({ service: "kms", operation: "ReEncrypt", status: 400, code: "AccessDeniedException" });
    expect(await errorOf(rewrap("denied"))).to.have.property("code", "key-unavailable");
    expect(await read("denied", old)).to.equal("content");
  });
});
