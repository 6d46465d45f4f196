import { generateKeyPairSync, randomBytes } from "node:crypto";
import {
  CopyObjectCommand,
  DeleteObjectCommand,
  GetObjectAnnotationCommand,
  ListObjectsV2Command,
  PutBucketVersioningCommand,
  PutObjectAnnotationCommand,
  PutObjectCommand,
  S3Client,
} from "@aws-sdk/client-s3";
import { type BatchHandler, createBatchHandler } from "@s3ec/batch";
import { addRecipient, inspectObject, S3EncryptionClient, type S3EncryptionOptions } from "@s3ec/client";
import { type DevServer, startDevServer } from "@s3ec/dev-server";
import { RawAesKeyring } from "@s3ec/keyring-raw-aes";
import { expect } from "chai";
import { eventOf, resultsOf } from "./invocation.js";
import { writeConfiguration } from "./written-configuration.js";

const Bucket = "bucket";
const [oldKey, newKey, third] = [randomBytes(32), randomBytes(32), randomBytes(32)];
const partner = generateKeyPairSync("rsa", { modulusLength: 2048 });
const pemOf = (key: typeof partner.publicKey) => key.export({ type: "spki", format: "pem" }).toString();
const aes = (key: Buffer, name: string) => ({
  type: "raw-aes",
  wrappingKey: { base64: key.toString("base64") },
  materialDescription: { key: name },
});

describe("a job of S3 Batch Operations", () => {
  let server: DevServer;
  let plain: S3Client;
  let config: Awaited<ReturnType<typeof writeConfiguration>>;
  const clients: S3Client[] = [];
  beforeEach(async () => {
    server = await startDevServer({ buckets: [Bucket] });
    const [oldArn, newArn] = ["alias/old", "alias/new"].map((alias) => server.kms.createKey({ alias }).arn);
    plain = new S3Client({ ...server.clientConfig, maxAttempts: 1 });
    clients.push(plain);
    config = await writeConfiguration({
      configurations: {
        old: { keyring: aes(oldKey, "old") },
        both: {
          keyring: {
            ...aes(oldKey, "old"),
            decryptionKeys: [
              { wrappingKey: { base64: newKey.toString("base64") }, materialDescription: { key: "new" } },
            ],
          },
        },
        new: { keyring: aes(newKey, "new") },
        "also-reads-old": {
          keyring: {
            ...aes(newKey, "new"),
            decryptionKeys: [
              { wrappingKey: { base64: oldKey.toString("base64") }, materialDescription: { key: "old" } },
            ],
          },
        },
        "kms-old": { keyring: { type: "kms", keyId: "alias/old" } },
        "kms-new": { keyring: { type: "kms", keyId: "alias/new" } },
        "arn-old": { keyring: { type: "kms", keyId: oldArn } },
        "arn-new": { keyring: { type: "kms", keyId: newArn } },
        "new-and-partner": {
          keyring: {
            type: "multi",
            generator: aes(newKey, "new"),
            children: [
              {
                keyring: {
                  type: "raw-rsa",
                  publicKey: { base64: Buffer.from(pemOf(partner.publicKey)).toString("base64") },
                },
                instructionFileSuffix: ".partner",
              },
            ],
          },
        },
        public: {
          keyring: {
            type: "raw-rsa",
            publicKey: { base64: Buffer.from(pemOf(partner.publicKey)).toString("base64") },
            materialDescription: { key: "partner" },
          },
        },
        reader: { client: { commitmentPolicy: "REQUIRE_ENCRYPT_ALLOW_DECRYPT" }, keyring: aes(oldKey, "old") },
      },
    });
  });
  afterEach(async () => {
    for (const each of clients.splice(0)) each.destroy();
    await config.remove();
    await server.close();
  });

  const handlerOf = (env: Record<string, string>, maxAttempts = 1): BatchHandler =>
    createBatchHandler({
      env: { S3EC_CONFIG: config.file, S3EC_SETTLE_TIME: "0", ...env },
      s3: { ...server.clientConfig, maxAttempts },
      kms: { ...server.clientConfig, maxAttempts },
    });
  const rewrap = (more: Record<string, string> = {}): BatchHandler =>
    handlerOf({ S3EC_OPERATION: "rewrap", S3EC_USE: "old", S3EC_TO_USE: "new", ...more });
  const put = async (Key: string, Body = "secret", options: Partial<S3EncryptionOptions> = {}) => {
    const keyring = new RawAesKeyring({ wrappingKey: oldKey, materialDescription: { key: "old" } });
    const encryption = { keyring, ...options } as S3EncryptionOptions;
    const client = new S3EncryptionClient({ ...server.clientConfig, encryption });
    clients.push(client);
    return await client.send(new PutObjectCommand({ Bucket, Key, Body }));
  };
  const verified = async (use: string, Key: string) => {
    const verify = handlerOf({ S3EC_OPERATION: "verify", S3EC_USE: use });
    return (await resultsOf(verify, Bucket, [Key])).get(Key)?.resultString;
  };
  const one = async (handler: BatchHandler, Key: string, said: Record<string, string> = {}) => {
    const result = (await resultsOf(handler, Bucket, [Key], said)).get(Key);
    return [result?.resultCode, result?.resultString] as const;
  };

  it("asks again for what is throttled, out of service or not answered, and then it is done", async () => {
    await put("a");
    const handler = rewrap();
    for (const fault of [
      { operation: "HeadObject", status: 503, code: "SlowDown" },
      { operation: "CopyObject", status: 503 },
      { operation: "CopyObject", status: 429, code: "TooManyRequestsException" },
      { operation: "GetObjectAcl", status: 500 },
      { operation: "HeadObject", cutAfterBytes: 0 },
      { operation: "CopyObject", status: 200, code: "InternalError" },
    ]) {
      const heal = server.faults.add(fault);
      const [code, text] = await one(handler, "a");
      expect(code, `${JSON.stringify(fault)}: ${text}`).to.equal("TemporaryFailure");
      heal();
    }
    expect((await one(handler, "a"))[1]).to.match(/^rewrapped: with AES\/GCM, in its metadata; the new key opens it/);
    expect(await verified("new", "a")).to.match(/^verified: all of its 6 bytes/);
  });

  it("asks again for what KMS does not serve for a while, and tells what it will not serve", async () => {
    await put("a", "secret");
    const toKms = rewrap({ S3EC_TO_USE: "kms-new" });
    const heal = server.faults.add({ service: "kms", status: 400, code: "ThrottlingException" });
    expect((await one(toKms, "a"))[0]).to.equal("TemporaryFailure");
    heal();
    server.faults.add({ service: "kms", operation: "Encrypt", status: 400, code: "AccessDeniedException", times: 1 });
    const [code, text] = await one(toKms, "a");
    expect([code, text?.startsWith("key-unavailable: ")]).to.deep.equal(["PermanentFailure", true]);
    expect((await one(toKms, "a"))[1]).to.match(/^rewrapped: with kms\+context/);
    expect((await one(toKms, "a"))[1]).to.equal("already there: the new key opens its wrap.");
  });

  it("an audit that was throttled says so, and not that something is unknown", async () => {
    await put("a");
    const audit = handlerOf({ S3EC_OPERATION: "audit", S3EC_USE: "old" });
    for (const operation of ["HeadObject", "ListObjectAnnotations", "ListObjectsV2"]) {
      const heal = server.faults.add({ operation, status: 503, code: "SlowDown" });
      expect((await one(audit, "a"))[0], operation).to.equal("TemporaryFailure");
      heal();
    }
    server.faults.add({ operation: "HeadObject", status: 403 });
    expect(await one(audit, "a")).to.deep.equal([
      "PermanentFailure",
      "It may not be read: allow s3:GetObject, and s3:ListBucket to tell what is missing.",
    ]);
  });

  it("an audit of an inventory does not look for the files that the inventory has", async () => {
    await put("a");
    server.clearRequests();
    const audit = handlerOf({ S3EC_OPERATION: "audit", S3EC_USE: "old", S3EC_FILES_LISTED: "true" });
    expect((await one(audit, "a"))[0]).to.equal("Succeeded");
    expect(server.requests.map(({ operation }) => operation)).to.deep.equal(["HeadObject", "ListObjectAnnotations"]);
  });

  it("an audit asks KMS about each wrap, whose answer may have to wait", async () => {
    const asks = (use: string) =>
      handlerOf({
        S3EC_OPERATION: "audit",
        S3EC_USE: "old",
        S3EC_KEY_OF_CONFIG: config.file,
        S3EC_KEY_OF_USE: use,
        S3EC_ASK_KMS: "true",
      });
    await put("a");
    expect((await one(rewrap({ S3EC_TO_USE: "kms-old" }), "a"))[1]).to.match(/^rewrapped/);
    const needs = async (use: string) => JSON.parse((await one(asks(use), "a"))[1] ?? "").needsKey;
    expect([await needs("arn-old"), await needs("arn-new"), await needs("new")]).to.deep.equal(["yes", "no", "no"]);
    // It may stand for another key in the next process of the same job.
    const [code, text] = await one(asks("kms-old"), "a");
    expect(code).to.equal("PermanentFailure");
    expect(text).to.match(/^invalid-configuration: S3EC_KEY_OF_CONFIG names the key "alias\/old": name it by its ARN/);
    server.faults.add({ service: "kms", status: 400, code: "ThrottlingException" });
    expect((await one(asks("arn-new"), "a"))[0]).to.equal("TemporaryFailure");
  });

  it("a newer put that arrives meanwhile wins, and is done when it is asked again", async () => {
    await put("a", "older");
    const handler = rewrap();
    const held = server.faults.pause({ operation: "CopyObject", at: "commit" });
    const working = one(handler, "a");
    await held.reached;
    await put("a", "newer");
    held.release();
    const [code, text] = await working;
    expect([code, text?.startsWith("content-mismatch: ")]).to.deep.equal(["TemporaryFailure", true]);
    expect(await verified("old", "a")).to.match(/^verified: all of its 5 bytes/);
    expect((await one(handler, "a"))[1]).to.match(/^rewrapped: /);
    expect(await verified("new", "a")).to.match(/^verified: /);
  });

  it("what others write twice in its way is told to somebody", async () => {
    await put("a");
    server.faults.add({ operation: "CopyObject", status: 412, code: "PreconditionFailed" });
    const handler = rewrap();
    expect((await one(handler, "a"))[0]).to.equal("TemporaryFailure");
    const [code, text] = await one(handler, "a");
    expect([code, text?.includes("It happened twice")]).to.deep.equal(["PermanentFailure", true]);
  });

  it("S3 calls twice: the second call changes nothing, whichever keys the old configuration reads with", async () => {
    for (const [Key, use] of [
      ["a", "old"],
      ["b", "both"],
    ] as const) {
      await put(Key);
      const handler = rewrap({ S3EC_USE: use, S3EC_ENFORCE_ROTATION: String(use === "old") });
      expect((await one(handler, Key))[1]).to.match(/^rewrapped: /);
      server.clearRequests();
      expect(await one(handler, Key)).to.deep.equal(["Succeeded", "already there: the new key opens its wrap."]);
      expect(server.requests.filter(({ operation }) => /^(Put|Copy|Delete)/.test(operation))).to.deep.equal([]);
    }
    await put("c");
    const handler = rewrap();
    const [first, second] = await Promise.all([one(handler, "c"), one(handler, "c")]);
    expect([first[0], second[0]]).to.not.include("PermanentFailure");
    expect(await verified("new", "c")).to.match(/^verified: /);
  });

  it("between keys of KMS by ReEncrypt: the second call is told by a dry run with the new key's id", async () => {
    const { S3EC_USE: _, ...said } = { S3EC_USE: "", S3EC_SAME_OWNER: "true", S3EC_TO_USE: "kms-new" };
    await put("a");
    expect((await one(rewrap({ S3EC_TO_USE: "kms-old" }), "a"))[1]).to.match(/^rewrapped/);
    const handler = rewrap({ ...said, S3EC_USE: "kms-old" });
    expect((await one(handler, "a"))[1]).to.match(/^rewrapped: with kms\+context/);
    expect(server.requests.some(({ operation }) => operation === "ReEncrypt")).to.equal(true);
    server.clearRequests();
    expect((await one(handler, "a"))[1]).to.equal("already there: the new key opens its wrap.");
    const dryRuns = server.requests.filter(
      ({ operation, body }) => operation === "Decrypt" && /"DryRun":true/.test(String(body)),
    );
    expect(dryRuns).to.have.length.above(0);
    expect((await one(handler, "b"))[1]).to.equal("nothing to do: no object is there any more.");
  });

  it("a wrap that names the new key and cannot be opened here is already there, unverified", async () => {
    await put("a");
    const handler = rewrap({ S3EC_TO_USE: "public", S3EC_VERIFY: "none", S3EC_ENFORCE_ROTATION: "false" });
    expect((await one(handler, "a"))[1]).to.match(
      /^rewrapped: with RSA-OAEP-SHA1, in its metadata; nothing was verified/,
    );
    expect(await one(handler, "a")).to.deep.equal([
      "Succeeded",
      "already there, unverified: its wrap says that it is the new key's, and cannot be opened here.",
    ]);
  });

  it("what only says that it is the new key's, and does not open with it, is no success", async () => {
    const liar = new RawAesKeyring({ wrappingKey: third, materialDescription: { key: "new" } });
    await put("a", "secret", { keyring: liar });
    const [code, text] = await one(rewrap(), "a");
    expect(code, text).to.equal("PermanentFailure");
  });

  it("never takes the old key for the new one, although the new configuration reads with both", async () => {
    await put("a");
    const [code, text] = await one(rewrap({ S3EC_TO_USE: "also-reads-old" }), "a");
    expect([code, text?.includes("rotation is enforced")]).to.deep.equal(["PermanentFailure", true]);
    expect((await one(rewrap({ S3EC_TO_USE: "also-reads-old", S3EC_ENFORCE_ROTATION: "false" }), "a"))[1]).to.match(
      /^rewrapped: /,
    );
    expect(await verified("new", "a")).to.match(/^verified: /);
  });

  it("re-wraps a recipient's annotation, once, and passes over objects that have no such recipient", async () => {
    await put("a");
    await put("none");
    const keyring = new RawAesKeyring({ wrappingKey: oldKey, materialDescription: { key: "old" } });
    const client = new S3EncryptionClient({ ...server.clientConfig, encryption: { keyring } });
    clients.push(client);
    await addRecipient(client, {
      Bucket,
      Key: "a",
      recipient: "escrow",
      to: { keyring: new RawAesKeyring({ wrappingKey: third, materialDescription: { key: "third" } }) },
    });
    const third64 = third.toString("base64");
    const other = await writeConfiguration({
      keyring: { type: "raw-aes", wrappingKey: { base64: third64 }, materialDescription: { key: "third" } },
    });
    const handler = handlerOf({
      S3EC_OPERATION: "rewrap",
      S3EC_CONFIG: other.file,
      S3EC_TO_CONFIG: config.file,
      S3EC_TO_USE: "new",
      S3EC_RECIPIENT: "escrow",
    });
    expect((await one(handler, "a"))[1]).to.match(/^rewrapped: with AES\/GCM, in the annotation x-s3ec\/escrow\//);
    expect((await one(handler, "a"))[1]).to.equal("already there: the new key opens its wrap.");
    expect((await one(handler, "none"))[1]).to.equal('nothing to do: it has no recipient "escrow".');
    await other.remove();
  });

  it("migrates once, leaves what was written since, and only the current version", async () => {
    await plain.send(new PutBucketVersioningCommand({ Bucket, VersioningConfiguration: { Status: "Enabled" } }));
    const V2 = { commitmentPolicy: "FORBID_ENCRYPT_ALLOW_DECRYPT" } as const;
    const { VersionId = "" } = await put("a", "older", V2);
    await put("a", "newer", V2);
    const migrate = handlerOf({ S3EC_OPERATION: "migrate", S3EC_USE: "reader", S3EC_TO_USE: "new" });
    const older = await migrate(eventOf(Bucket, [{ Key: "a", VersionId }]));
    expect(older.results[0]?.resultString).to.match(/^unsupported-operation: It is not the current version/);
    expect((await one(migrate, "a"))[1]).to.match(
      /^migrated: it is written anew.* The version \S+ is as it was, and needs the old key\./,
    );
    server.clearRequests();
    expect((await one(migrate, "a"))[1]).to.equal("already there: it is of format V3, under the new key.");
    expect(
      server.requests.filter(
        ({ operation, key }) => operation === "PutObject" || (operation === "GetObject" && key === "a"),
      ),
    ).to.deep.equal([]);
    expect((await inspectObject(plain, { Bucket, Key: "a" })).inspection).to.include({ format: "V3" });
    const again = await one(migrate, "a", { before: "2020-01-01" });
    expect(again[1]).to.equal("already there: it was written since 2020-01-01T00:00:00.000Z.");
    const later = handlerOf({ S3EC_OPERATION: "migrate", S3EC_USE: "new" });
    expect((await one(later, "a", { before: new Date(Date.now() + 60_000).toISOString() }))[1]).to.match(/^migrated: /);
  });

  it("finishes what a migration has left that broke off behind the object", async () => {
    const V2 = { commitmentPolicy: "FORBID_ENCRYPT_ALLOW_DECRYPT" } as const;
    await put("a", "secret", V2);
    const note = { Bucket, Key: "a", AnnotationName: "note", AnnotationPayload: "theirs" };
    await plain.send(new PutObjectAnnotationCommand(note));
    const migrate = handlerOf({ S3EC_OPERATION: "migrate", S3EC_USE: "reader", S3EC_TO_USE: "new-and-partner" });
    const held = server.faults.pause({ operation: "PutObject", key: "a.s3ec-annotations" });
    const broken = one(migrate, "a");
    await held.reached;
    server.faults.add({ operation: "PutObject", key: "a.partner", status: 403, code: "AccessDenied" });
    server.faults.add({ operation: "PutObjectAnnotation", key: "a", status: 403, code: "AccessDenied" });
    held.release();
    expect((await broken)[0]).to.equal("PermanentFailure");
    server.faults.clear();
    const keys = async () => {
      const { Contents = [] } = await plain.send(new ListObjectsV2Command({ Bucket }));
      return Contents.map(({ Key }) => Key);
    };
    const before = await keys();
    expect(before).to.include("a.s3ec-annotations").and.to.not.include("a.partner");
    expect((await one(migrate, "a"))[1]).to.match(/^migrated: /);
    expect(await keys()).to.deep.equal(["a", "a.partner"]);
    const { AnnotationPayload } = await plain.send(
      new GetObjectAnnotationCommand({ Bucket, Key: "a", AnnotationName: "note" }),
    );
    expect(await AnnotationPayload?.transformToString()).to.equal("theirs");
    expect((await one(migrate, "a"))[1]).to.equal("already there: it is of format V3, under the new key.");
    expect(await verified("new", "a")).to.match(/^verified: all of its 6 bytes/);
  });

  it("tells somebody of a recipient who is missing behind a migration, or may be, and of what only looks plain", async () => {
    await put("since", "secret", { keyring: new RawAesKeyring({ wrappingKey: newKey }) });
    const env = { S3EC_OPERATION: "migrate", S3EC_USE: "old", S3EC_TO_USE: "new-and-partner" };
    const since = await one(handlerOf(env), "since", { before: "2020-01-01" });
    expect(since[0]).to.equal("PermanentFailure");
    expect(since[1]).to.contain("Not wrapped for: partner.");
    server.faults.add({ operation: "ListObjectAnnotations", status: 403, code: "AccessDenied" });
    const unseen = await one(handlerOf(env), "since", { before: "2020-01-01" });
    server.faults.clear();
    expect(unseen[0]).to.equal("PermanentFailure");
    expect(unseen[1]).to.contain("cannot be told");
    // As Go writes it, with a suffix of its own, and nothing on the object.
    const legacy = { commitmentPolicy: "FORBID_ENCRYPT_ALLOW_DECRYPT" } as const;
    await put("apart", "secret", { instructionFileConfig: { enableInstructionFilePutObject: true }, ...legacy });
    await plain.send(new CopyObjectCommand({ Bucket, Key: "apart.own", CopySource: `${Bucket}/apart.instruction` }));
    await plain.send(new DeleteObjectCommand({ Bucket, Key: "apart.instruction" }));
    await plain.send(new PutObjectCommand({ Bucket, Key: "apart", Body: "ciphertext" }));
    const apart = await one(rewrap(), "apart");
    expect(apart[0], apart[1]).to.equal("PermanentFailure");
  });

  it("finds no object without a recipient's wrap that it could not see", async () => {
    const keyring = new RawAesKeyring({ wrappingKey: oldKey, materialDescription: { key: "old" } });
    await put("a", "secret", { keyring });
    const client = new S3EncryptionClient({ ...server.clientConfig, encryption: { keyring } });
    clients.push(client);
    await addRecipient(client, { Bucket, Key: "a", recipient: "partner", to: { keyring } });
    for (const status of [400, 403, 405]) {
      const heal = server.faults.add({ operation: "ListObjectAnnotations", key: "a", status });
      for (const named of [{ S3EC_SUFFIX: ".partner" }, { S3EC_RECIPIENT: "partner" }]) {
        const [code, text] = await one(rewrap(named), "a");
        expect(code, text).to.equal("PermanentFailure");
      }
      heal();
    }
    expect((await one(rewrap({ S3EC_SUFFIX: ".partner" }), "a"))[1]).to.match(/^rewrapped: /);
  });

  it("an audit's line tells first whether the key is needed, and whole, whatever else is cut", async () => {
    const audit = handlerOf({
      S3EC_OPERATION: "audit",
      S3EC_USE: "old",
      S3EC_KEY_OF_CONFIG: config.file,
      S3EC_KEY_OF_USE: "old",
    });
    const FILES = { instructionFileConfig: { enableInstructionFilePutObject: true } };
    for (const Key of ["\u200c".repeat(160), `${"\u2028\u00ad".repeat(100)}`, "k".repeat(900)]) {
      await put(Key, "secret", FILES);
      const results = await resultsOf(audit, Bucket, [Key, `${Key}.instruction`]);
      for (const [name, { resultCode, resultString }] of results) {
        expect(resultCode, `${name.length} ${resultString}`).to.equal("Succeeded");
        expect(resultString).to.match(/^\{"needsKey":"yes",/);
        expect(resultString.length).to.be.at.most(1024);
        expect(JSON.parse(resultString).state).to.be.oneOf(["encrypted", "instruction-file"]);
      }
    }
  });

  it("S3 calls twice: an object without key commitment, too, which the new configuration alone does not read", async () => {
    await put("a", "secret", { commitmentPolicy: "FORBID_ENCRYPT_ALLOW_DECRYPT" });
    const handler = rewrap({ S3EC_USE: "reader" });
    expect((await one(handler, "a"))[1]).to.match(/^rewrapped: /);
    server.clearRequests();
    expect(await one(handler, "a")).to.deep.equal(["Succeeded", "already there: the new key opens its wrap."]);
    expect(server.requests.filter(({ operation }) => /^(Put|Copy|Delete)/.test(operation))).to.deep.equal([]);
  });

  it("a migration passes by what is plain or a file, also where that was written since", async () => {
    await put("a");
    await plain.send(new PutObjectCommand({ Bucket, Key: "plain", Body: "plain" }));
    const migrate = handlerOf({ S3EC_OPERATION: "migrate", S3EC_USE: "old", S3EC_TO_USE: "new-and-partner" });
    expect((await one(migrate, "a"))[1]).to.match(/^migrated: /);
    const again = (Key: string) => one(migrate, Key, { before: "2020-01-01" });
    expect((await again("a"))[1]).to.match(/^already there: /);
    expect((await again("a.partner"))[1]).to.equal(
      'nothing to do: it is an instruction file, which holds a wrapped key for "a".',
    );
    expect((await again("plain"))[1]).to.equal("nothing to do: it is plain, no S3 encryption client has written it.");
  });

  it("a migration does not pass by an object whose wrapped key is in a file of another suffix", async () => {
    const legacy = { commitmentPolicy: "FORBID_ENCRYPT_ALLOW_DECRYPT" } as const;
    await put("apart", "secret", { instructionFileConfig: { enableInstructionFilePutObject: true }, ...legacy });
    await plain.send(new CopyObjectCommand({ Bucket, Key: "apart.own", CopySource: `${Bucket}/apart.instruction` }));
    await plain.send(new DeleteObjectCommand({ Bucket, Key: "apart.instruction" }));
    await plain.send(new PutObjectCommand({ Bucket, Key: "apart", Body: "ciphertext" }));
    const migrate = handlerOf({ S3EC_OPERATION: "migrate", S3EC_USE: "reader", S3EC_TO_USE: "new" });
    for (const said of [{}, { before: "2020-01-01" }]) {
      const [code, text] = await one(migrate, "apart", said);
      expect([code, text?.includes("name their suffix")], text).to.deep.equal(["PermanentFailure", true]);
    }
  });

  it("verifies versions: plain ones are nothing to do, and of a file's it is told to name which", async () => {
    await plain.send(new PutBucketVersioningCommand({ Bucket, VersioningConfiguration: { Status: "Enabled" } }));
    const { VersionId: plainVersion = "" } = await plain.send(new PutObjectCommand({ Bucket, Key: "p", Body: "p" }));
    const legacy = { commitmentPolicy: "FORBID_ENCRYPT_ALLOW_DECRYPT" } as const;
    const files = { instructionFileConfig: { enableInstructionFilePutObject: true } };
    const { VersionId: fileVersion = "" } = await put("f", "secret", { ...files, ...legacy });
    const verify = handlerOf({ S3EC_OPERATION: "verify", S3EC_USE: "reader" });
    const { results } = await verify(
      eventOf(Bucket, [
        { Key: "p", VersionId: plainVersion },
        { Key: "f", VersionId: fileVersion },
      ]),
    );
    expect(results[0]?.resultString).to.match(/^nothing to do: it is plain/);
    expect(results[1]?.resultCode).to.equal("PermanentFailure");
    expect(results[1]?.resultString).to.match(/^invalid-argument: .*instructionFileVersionId/);
  });

  it("fails where there is no such bucket: a missing object looks the same", async () => {
    for (const S3EC_OPERATION of ["audit", "verify", "rewrap", "migrate"]) {
      const handler = handlerOf({ S3EC_OPERATION, S3EC_USE: "old", S3EC_TO_USE: "new" });
      const result = (await resultsOf(handler, "typo", ["a"])).get("a");
      expect(result?.resultCode, S3EC_OPERATION).to.equal("PermanentFailure");
      expect(result?.resultString).to.match(/^NoSuchBucket: /);
    }
  });

  it("a recipient's wrap takes no copy, so that no object is too large for it", async () => {
    await put("large", "x".repeat(50_000));
    const env = { S3EC_COPY_RATE: "1000", S3EC_SAME_OWNER: "true" };
    const context = { getRemainingTimeInMillis: () => 40_000 };
    const said = async (more: Record<string, string>) =>
      (await rewrap({ ...env, ...more })(eventOf(Bucket, ["large"]), context)).results[0]?.resultString;
    expect(await said({})).to.match(/^content-too-large: .*copies 1000 bytes a second/);
    expect(await said({ S3EC_RECIPIENT: "partner" })).to.equal('nothing to do: it has no recipient "partner".');
    expect(await said({ S3EC_SUFFIX: ".partner" })).to.equal('nothing to do: it has no instruction file ".partner".');
  });

  it("begins nothing that would not be done in time, and says what to do instead", async () => {
    await put("large", "x".repeat(50_000));
    await put("small");
    const handler = handlerOf({ S3EC_OPERATION: "verify", S3EC_USE: "old", S3EC_READ_RATE: "1000" });
    let left = 40_000;
    const context = { getRemainingTimeInMillis: () => left };
    const said = async () => (await handler(eventOf(Bucket, ["large", "small"]), context)).results;
    server.clearRequests();
    const [large, small] = await said();
    expect(large).to.deep.include({
      resultCode: "PermanentFailure",
      resultString:
        'content-too-large: It is not begun: 50016 bytes take 51 s where a function reads 1000 bytes a second, and an invocation has 30 s. Do it on a machine: s3ec verify "s3://bucket/large".',
    });
    expect(small?.resultCode).to.equal("Succeeded");
    expect(server.requests.filter(({ operation, key }) => operation === "GetObject" && key === "large")).to.deep.equal(
      [],
    );
    left = 100_000;
    expect((await said())[0]?.resultCode).to.equal("Succeeded");
    let calls = 0;
    const tired = { getRemainingTimeInMillis: () => (calls++ === 0 ? 100_000 : 30_000) };
    const [later] = (await handler(eventOf(Bucket, ["large"]), tired)).results;
    expect([later?.resultCode, later?.resultString.includes("too little time left")]).to.deep.equal([
      "TemporaryFailure",
      true,
    ]);
  });

  it("ends with the invocation's time, and what was under way is asked again", async () => {
    await put("a", "x".repeat(5000));
    const handler = handlerOf({ S3EC_OPERATION: "verify", S3EC_USE: "old" });
    server.faults.add({ operation: "GetObject", key: "a", delayMs: 60_000 });
    const ends = Date.now() + 12_000;
    const context = { getRemainingTimeInMillis: () => ends - Date.now() };
    const { results } = await handler(eventOf(Bucket, ["a"]), context);
    expect([results[0]?.resultCode, results[0]?.resultString.includes("time ended")]).to.deep.equal([
      "TemporaryFailure",
      true,
    ]);
  });
});
