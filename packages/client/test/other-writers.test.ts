import { generateKeyPairSync, randomBytes } from "node:crypto";
import { EncryptCommand, KMSClient } from "@aws-sdk/client-kms";
import { GetObjectCommand } from "@aws-sdk/client-s3";
import type { EncryptionCallOptions, S3EncryptionOptions } from "@s3ec/client";
import { KmsKeyring } from "@s3ec/keyring-kms";
import { RawAesKeyring } from "@s3ec/keyring-raw-aes";
import { RawRsaKeyring } from "@s3ec/keyring-raw-rsa";
import type { Keyring } from "@s3ec/materials";
import { expect } from "chai";
import { base64, cbc, committed, gcm, wrap } from "./craft.js";
import { BUCKET, Fixture, refusal } from "./fixture.js";

const GCM_NAME = "AES/GCM/NoPadding";
const CBC_NAME = "AES/CBC/PKCS5Padding";
const UNCOMMITTED = { commitmentPolicy: "REQUIRE_ENCRYPT_ALLOW_DECRYPT" } as const;
const LEGACY_WRAP = { ...UNCOMMITTED, enableLegacyWrappingAlgorithms: true } as const;
const LEGACY = { ...LEGACY_WRAP, enableLegacyUnauthenticatedModes: true } as const;

/** An object as some writer leaves it, and what it takes to read it. */
interface Stored {
  readonly body: Uint8Array;
  readonly metadata?: Record<string, string>;
  readonly file?: { readonly suffix: string; readonly text: string; readonly metadata?: Record<string, string> };
  readonly keyring: Keyring;
  readonly options: Partial<S3EncryptionOptions>;
  readonly call?: EncryptionCallOptions;
}

describe("objects of writers that no vector comes from", () => {
  let fixture: Fixture;
  let kms: KMSClient;
  let kmsArn: string;
  const kek = randomBytes(32);
  const dataKey = randomBytes(32);
  const iv16 = randomBytes(16);
  const iv12 = randomBytes(12);
  const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
  const aes = new RawAesKeyring({ wrappingKey: kek });
  const rsa = new RawRsaKeyring({ privateKey });
  const text = Buffer.from("Written long ago, by somebody else.");

  before(async () => {
    fixture = await Fixture.start();
    kms = new KMSClient({ ...fixture.server.clientConfig, maxAttempts: 1 });
    kmsArn = fixture.server.kms.createKey({ alias: "alias/others" }).arn;
  });
  after(async () => {
    kms.destroy();
    await fixture.close();
  });

  async function kmsWrap(key: Uint8Array, EncryptionContext: Record<string, string>): Promise<string> {
    const { CiphertextBlob = new Uint8Array(0) } = await kms.send(
      new EncryptCommand({ KeyId: kmsArn, Plaintext: key, EncryptionContext }),
    );
    return base64(CiphertextBlob);
  }

  async function store(key: string, { body, metadata = {}, file }: Stored): Promise<void> {
    await fixture.server.putRawObject(BUCKET, key, { body, metadata });
    if (file === undefined) return;
    const fileBody = Buffer.from(file.text, "utf8");
    await fixture.server.putRawObject(BUCKET, key + file.suffix, { body: fileBody, metadata: file.metadata ?? {} });
  }

  function read(key: string, { keyring, options, call = {} }: Pick<Stored, "keyring" | "options" | "call">) {
    return fixture.client({ ...options, keyring }).send(new GetObjectCommand({ Bucket: BUCKET, Key: key }), call);
  }

  const writers: Record<string, () => Promise<Stored> | Stored> = {
    ".NET V1, RSA, metadata (2.4)": () => ({
      body: cbc(dataKey, iv16, text),
      metadata: {
        "x-amz-key": base64(wrap.rsaPkcs1(privateKey, dataKey)),
        "x-amz-iv": base64(iv16),
        "x-amz-matdesc": "{}",
        "x-amz-unencrypted-content-length": String(text.length),
      },
      keyring: rsa,
      options: LEGACY,
    }),
    ".NET V1, AES, INSTRUCTION_SUFFIX file (1.6, 3.4 item 4)": () => ({
      body: cbc(dataKey, iv16, text),
      file: {
        suffix: "INSTRUCTION_SUFFIX",
        text: JSON.stringify({ EncryptedEnvelopeKey: base64(wrap.aesEcb(kek, dataKey)), IV: base64(iv16) }),
        metadata: { "x-amz-crypto-instr-file": "" },
      },
      keyring: aes,
      options: LEGACY,
    }),
    ".NET V1, KMS (2.4)": async () => ({
      body: cbc(dataKey, iv16, text),
      metadata: {
        "x-amz-key-v2": await kmsWrap(dataKey, { kms_cmk_id: kmsArn }),
        "x-amz-wrap-alg": "kms",
        "x-amz-cek-alg": CBC_NAME,
        "x-amz-iv": base64(iv16),
        "x-amz-matdesc": JSON.stringify({ kms_cmk_id: kmsArn }),
      },
      keyring: new KmsKeyring({ keyId: kmsArn, client: kms }),
      options: LEGACY,
    }),
    ".NET V2, wrap nonce equal to the content IV (H24)": () => ({
      body: gcm(dataKey, iv12, text),
      metadata: {
        "x-amz-key-v2": base64(wrap.aesGcm(kek, dataKey, GCM_NAME, iv12)),
        "x-amz-wrap-alg": "AES/GCM",
        "x-amz-cek-alg": GCM_NAME,
        "x-amz-tag-len": "128",
        "x-amz-iv": base64(iv12),
        "x-amz-matdesc": "{\u0022a\u0022:\u0022\\u002B\u0022}",
        "x-amz-unencrypted-content-length": String(text.length),
      },
      keyring: aes,
      options: UNCOMMITTED,
      call: { materialDescription: { a: "+" } },
    }),
    ".NET V4, RSA, description always there (2.4)": () => {
      const { body, fields } = committed(dataKey, text);
      const wrapped = base64(wrap.rsaOaepSha1(privateKey, dataKey, "115"));
      return {
        body,
        metadata: { ...fields, "x-amz-3": wrapped, "x-amz-w": "22", "x-amz-m": "{}" },
        keyring: rsa,
        options: {},
      };
    },
    "PHP V1, 128-bit key, numbers in the instruction file (H5, H19)": async () => ({
      body: gcm(dataKey.subarray(0, 16), iv12, text),
      file: {
        suffix: ".instruction",
        text: `{"x-amz-key-v2":"${await kmsWrap(dataKey.subarray(0, 16), { kms_cmk_id: kmsArn })}","x-amz-iv":"${base64(iv12)}","x-amz-cek-alg":"AES\\/GCM\\/NoPadding","x-amz-wrap-alg":"kms","x-amz-matdesc":"{\\"kms_cmk_id\\":\\"${kmsArn.replaceAll("/", "\\\\/")}\\"}","x-amz-tag-len":128,"x-amz-unencrypted-content-length":${text.length}}`,
      },
      keyring: new KmsKeyring({ keyId: kmsArn, client: kms }),
      options: LEGACY_WRAP,
    }),
    "PHP V2, 128-bit key, escaped context (1.9, H19)": async () => ({
      body: gcm(dataKey.subarray(0, 16), iv12, text),
      metadata: {
        "x-amz-key-v2": await kmsWrap(dataKey.subarray(0, 16), { path: "a/é", "aws:x-amz-cek-alg": GCM_NAME }),
        "x-amz-iv": base64(iv12),
        "x-amz-cek-alg": GCM_NAME,
        "x-amz-wrap-alg": "kms+context",
        "x-amz-tag-len": "128",
        "x-amz-matdesc": '{"path":"a\\/\\u00e9","aws:x-amz-cek-alg":"AES\\/GCM\\/NoPadding"}',
      },
      keyring: new KmsKeyring({ keyId: kmsArn, client: kms }),
      options: UNCOMMITTED,
      call: { encryptionContext: { path: "a/é" } },
    }),
    "PHP V3 (2.6)": async () => {
      const { body, fields } = committed(dataKey, text);
      const context = { tenant: "a", "aws:x-amz-cek-alg": "115" };
      return {
        body,
        metadata: {
          ...fields,
          "x-amz-3": await kmsWrap(dataKey, context),
          "x-amz-w": "12",
          "x-amz-t": JSON.stringify(context),
        },
        keyring: new KmsKeyring({ keyId: kmsArn, client: kms }),
        options: {},
        call: { encryptionContext: { tenant: "a" } },
      };
    },
    "C++ V1 encryption-only, AESWrap, tag length 0, its own marker (2.8, H6, H15)": () => ({
      body: cbc(dataKey, iv16, text),
      file: {
        suffix: ".instruction",
        text: JSON.stringify({
          "x-amz-key-v2": base64(wrap.aesWrap(kek, dataKey)),
          "x-amz-iv": base64(iv16),
          "x-amz-matdesc": "{}",
          "x-amz-cek-alg": CBC_NAME,
          "x-amz-tag-len": "0",
          "x-amz-wrap-alg": "AESWrap",
        }),
        metadata: { "x-amz-crypto-instr-file": "default instruction file header" },
      },
      keyring: aes,
      options: LEGACY,
    }),
    "C++ V1, CBC under AES/GCM bound to CBC's own name (H1)": () => ({
      body: cbc(dataKey, iv16, text),
      metadata: {
        "x-amz-key-v2": base64(wrap.aesGcm(kek, dataKey, CBC_NAME)),
        "x-amz-iv": base64(iv16),
        "x-amz-matdesc": "{}",
        "x-amz-cek-alg": CBC_NAME,
        "x-amz-tag-len": "0",
        "x-amz-wrap-alg": "AES/GCM",
      },
      keyring: aes,
      options: { ...UNCOMMITTED, enableLegacyUnauthenticatedModes: true },
    }),
    "C++ V2 (2.8)": () => ({
      body: gcm(dataKey, iv12, text),
      metadata: {
        "x-amz-key-v2": base64(wrap.aesGcm(kek, dataKey, GCM_NAME)),
        "x-amz-iv": base64(iv12),
        "x-amz-matdesc": "{}",
        "x-amz-cek-alg": GCM_NAME,
        "x-amz-tag-len": "128",
        "x-amz-wrap-alg": "AES/GCM",
      },
      keyring: aes,
      options: UNCOMMITTED,
    }),
    "C++ V3, never a description (2.8)": () => {
      const { body, fields } = committed(dataKey, text);
      const wrapped = base64(wrap.aesGcm(kek, dataKey, "115"));
      return { body, metadata: { ...fields, "x-amz-3": wrapped, "x-amz-w": "02" }, keyring: aes, options: {} };
    },
    "Go, empty V3 fields in its own letter case (H3, H35)": async () => {
      const { body, fields } = committed(dataKey, text);
      const context = { "aws:x-amz-cek-alg": "115" };
      return {
        body,
        metadata: {
          "X-Amz-C": fields["x-amz-c"],
          "X-Amz-D": fields["x-amz-d"],
          "X-Amz-I": fields["x-amz-i"],
          "X-Amz-3": await kmsWrap(dataKey, context),
          "X-Amz-W": "12",
          "X-Amz-T": JSON.stringify(context),
          "X-Amz-M": "",
          "X-Amz-Unencrypted-Content-Length": "",
        },
        keyring: new KmsKeyring({ keyId: kmsArn, client: kms }),
        options: {},
      };
    },
    "Amazon SES (2.10, H25)": () => sesMail(GCM_NAME),
    "S3's double encoding of a raw context (1.9, H18)": async () => ({
      body: gcm(dataKey, iv12, text),
      metadata: {
        "x-amz-key-v2": await kmsWrap(dataKey, { k: "é漢", "aws:x-amz-cek-alg": GCM_NAME }),
        "x-amz-iv": base64(iv12),
        "x-amz-cek-alg": GCM_NAME,
        "x-amz-wrap-alg": "kms+context",
        "x-amz-tag-len": "128",
        "x-amz-matdesc": `=?UTF-8?B?${base64(
          Buffer.from(Buffer.from(`{"k":"é漢","aws:x-amz-cek-alg":"${GCM_NAME}"}`, "utf8").toString("latin1"), "utf8"),
        )}?=`,
      },
      keyring: new KmsKeyring({ keyId: kmsArn, client: kms }),
      options: UNCOMMITTED,
      call: { encryptionContext: { k: "é漢" } },
    }),
  };

  async function sesMail(contentAlgorithm: string): Promise<Stored> {
    const context = { "aws:ses-message-id": "0123", "aws:ses-rule-name": "inbox", kms_cmk_id: kmsArn };
    return {
      body: gcm(dataKey, iv12, text),
      metadata: {
        "x-amz-key-v2": await kmsWrap(dataKey, context),
        "x-amz-iv": contentAlgorithm === GCM_NAME ? base64(iv12) : base64(iv16),
        "x-amz-cek-alg": contentAlgorithm,
        "x-amz-wrap-alg": "kms",
        ...(contentAlgorithm === GCM_NAME ? { "x-amz-tag-len": "128" } : {}),
        "x-amz-matdesc": JSON.stringify(context),
      },
      keyring: new KmsKeyring({ keyId: kmsArn, client: kms }),
      options: LEGACY_WRAP,
    };
  }

  for (const description of ['{"version":2}', '{"key":{"year":2015}}', '["2015"]', '"prod"', "2015", "[]"]) {
    writers[`Ruby V1, description ${description} (1.9)`] = () => ({
      body: cbc(dataKey, iv16, text),
      metadata: {
        "x-amz-key": base64(wrap.aesEcb(kek, dataKey)),
        "x-amz-iv": base64(iv16),
        "x-amz-matdesc": description,
      },
      // The key of objects without a description: only PHP's empty array says the same.
      keyring: new RawAesKeyring({
        wrappingKey: description === "[]" ? randomBytes(32) : kek,
        materialDescription: { year: "2016" },
        decryptionKeys: [{ wrappingKey: description === "[]" ? kek : randomBytes(32), materialDescription: {} }],
      }),
      options: LEGACY,
    });
  }
  writers["Ruby V3, its caller's kms_cmk_id in the context (H10)"] = () => reservedContext({ kms_cmk_id: "mine" });
  writers["C++ V3, a caller's name that is reserved (S17)"] = () => reservedContext({ "x-amz-tenant": "a" });

  async function reservedContext(encryptionContext: Record<string, string>): Promise<Stored> {
    const { body, fields } = committed(dataKey, text);
    const context = { ...encryptionContext, "aws:x-amz-cek-alg": "115" };
    const wrapped = await kmsWrap(dataKey, context);
    return {
      body,
      metadata: { ...fields, "x-amz-3": wrapped, "x-amz-w": "12", "x-amz-t": JSON.stringify(context) },
      keyring: new KmsKeyring({ keyId: kmsArn, client: kms }),
      options: {},
      call: { encryptionContext },
    };
  }

  for (const [name, make] of Object.entries(writers)) {
    it(`reads ${name}`, async () => {
      const stored = await make();
      await store(name, stored);
      const { Body, ContentLength } = await read(name, stored);
      expect(await Body?.transformToString()).to.equal(text.toString());
      expect(ContentLength).to.equal(text.length);
    });

    it(`refuses ${name} by default when it is old, before KMS is called`, async () => {
      const stored = await make();
      await store(name, stored);
      fixture.server.clearRequests();
      const isOld = "commitmentPolicy" in stored.options;
      const reading = read(name, { ...stored, options: {} });
      if (isOld) {
        expect((await refusal(reading)).code).to.be.oneOf(["commitment-policy", "not-encrypted"]);
        expect(fixture.server.requests.filter(({ service }) => service === "kms")).to.have.length(0);
      } else {
        expect((await reading).$metadata.httpStatusCode).to.equal(200);
      }
    });
  }

  it("compares a caller's description with one that is no map of strings, and finds another", async () => {
    const make = writers['Ruby V1, description {"version":2} (1.9)'];
    if (make === undefined) throw new Error("writer");
    const stored = await make();
    await store("described", stored);
    for (const materialDescription of [{}, { version: "2" }]) {
      const error = await refusal(read("described", { ...stored, call: { materialDescription } }));
      expect(error.code).to.equal("context-mismatch");
    }
  });

  it("refuses SES mail relabelled as CBC while legacy content is off (S2)", async () => {
    const stored = await sesMail(CBC_NAME);
    await store("relabelled", stored);
    fixture.server.clearRequests();
    const error = await refusal(read("relabelled", stored));
    expect(error.code).to.equal("legacy-disabled");
    expect(fixture.server.requests.filter(({ service }) => service === "kms")).to.have.length(0);
  });

  it("refuses CBC content that was emptied, where a Java client answers with nothing (S1)", async () => {
    const metadata = {
      "x-amz-key": base64(wrap.aesEcb(kek, dataKey)),
      "x-amz-iv": base64(iv16),
      "x-amz-matdesc": "{}",
    };
    await fixture.server.putRawObject(BUCKET, "emptied", { body: new Uint8Array(0), metadata });
    for (const delayed of [false, true]) {
      const options = { ...LEGACY, enableDelayedAuthenticationMode: delayed };
      const reading = async () => (await read("emptied", { keyring: aes, options })).Body?.transformToByteArray();
      expect((await refusal(reading())).code).to.equal("decryption-failed");
    }
  });

  it("tells how long CBC content is near its end where its writer said so, and that it is not known otherwise", async () => {
    const content = randomBytes(100);
    const metadata = (stated: object) => ({
      "x-amz-key": base64(wrap.aesEcb(kek, dataKey)),
      "x-amz-iv": base64(iv16),
      "x-amz-matdesc": "{}",
      ...stated,
    });
    const ask = async (Range: string, stated: object) => {
      const body = cbc(dataKey, iv16, content);
      await fixture.server.putRawObject(BUCKET, "cbc-range", { body, metadata: metadata(stated) });
      const client = fixture.client({ ...LEGACY, keyring: aes });
      const { Body, ...told } = await client.send(new GetObjectCommand({ Bucket: BUCKET, Key: "cbc-range", Range }));
      return { told, bytes: Buffer.from((await Body?.transformToByteArray()) ?? []) };
    };
    const stated = { "x-amz-unencrypted-content-length": "100" };
    for (const [Range, first, last] of [
      ["bytes=90-", 90, 99],
      ["bytes=90-110", 90, 99],
      ["bytes=-30", 70, 99],
      ["bytes=-1000", 0, 99],
      ["bytes=3-20", 3, 20],
    ] as const) {
      const { told, bytes } = await ask(Range, stated);
      expect(told).to.include({ ContentLength: last - first + 1, ContentRange: `bytes ${first}-${last}/100` });
      expect(bytes.equals(content.subarray(first, last + 1)), Range).to.equal(true);
    }
    const past = await ask("bytes=105-", stated).catch((error: unknown) => error);
    expect(past).to.have.property("name", "InvalidRange");
    // What does not fit to the stored length is of another object.
    for (const other of [
      {},
      { "x-amz-unencrypted-content-length": "113" },
      { "x-amz-unencrypted-content-length": "x" },
    ]) {
      const { told, bytes } = await ask("bytes=90-", other);
      expect(told).to.include({ ContentRange: "bytes 90-111/*" }).and.to.have.property("ContentLength", undefined);
      expect(bytes.equals(content.subarray(90))).to.equal(true);
    }
  });

  it("does not look for INSTRUCTION_SUFFIX files while legacy wraps are off (3.4 item 4)", async () => {
    const make = writers[".NET V1, AES, INSTRUCTION_SUFFIX file (1.6, 3.4 item 4)"];
    if (make === undefined) throw new Error("writer");
    const stored = await make();
    await store("dotnet", stored);
    const error = await refusal(read("dotnet", { ...stored, options: UNCOMMITTED }));
    expect(error.code).to.equal("not-encrypted");
    expect(error.message).not.to.match(/INSTRUCTION_SUFFIX/);
  });

  describe("beside a .instruction that an object of another client left (1.6)", () => {
    const dotnet = { EncryptedEnvelopeKey: base64(wrap.aesEcb(kek, dataKey)), IV: base64(iv16) };
    const v1 = { "x-amz-key": dotnet.EncryptedEnvelopeKey, "x-amz-iv": dotnet.IV, "x-amz-matdesc": "{}" };
    const stale = {
      "x-amz-key-v2": base64(wrap.aesGcm(kek, dataKey, GCM_NAME)),
      "x-amz-iv": base64(iv12),
      "x-amz-matdesc": "{}",
      "x-amz-cek-alg": GCM_NAME,
      "x-amz-wrap-alg": "AES/GCM",
    };

    async function storeBoth(key: string, file: object): Promise<void> {
      await fixture.server.putRawObject(BUCKET, key, { body: cbc(dataKey, iv16, text), metadata: {} });
      for (const [suffix, content] of Object.entries({ ".instruction": file, INSTRUCTION_SUFFIX: dotnet })) {
        const body = Buffer.from(JSON.stringify(content));
        await fixture.server.putRawObject(BUCKET, `${key}${suffix}`, { body, metadata: {} });
      }
    }
    const opened = async (key: string, call: EncryptionCallOptions = {}) =>
      (await read(key, { keyring: aes, options: LEGACY, call })).Body?.transformToString();

    it("refuses to choose, by both names, and reads the one that is named", async () => {
      for (const other of [stale, { ...v1, "x-amz-iv": base64(randomBytes(16)) }]) {
        await storeBoth("both", other);
        const error = await refusal(opened("both"));
        expect(error.code).to.equal("malformed-envelope");
        expect(error.message).to.contain('".instruction"').and.to.contain('"INSTRUCTION_SUFFIX"');
        expect(await opened("both", { instructionFileSuffix: "INSTRUCTION_SUFFIX" })).to.equal(text.toString());
      }
    });

    it("reads either where both are for the same content", async () => {
      await storeBoth("same", v1);
      expect(await opened("same")).to.equal(text.toString());
    });

    it("reads .instruction where the other may not be looked for, and passes other failures on (H34)", async () => {
      await storeBoth("hidden", v1);
      const asked = { operation: "GetObject", key: "hiddenINSTRUCTION_SUFFIX" } as const;
      const remove = fixture.server.faults.add({ ...asked, status: 403 });
      expect(await opened("hidden")).to.equal(text.toString());
      remove();
      fixture.server.faults.add({ ...asked, status: 500 });
      const error: unknown = await opened("hidden").catch((reason: unknown) => reason);
      expect(error).to.have.nested.property("$metadata.httpStatusCode", 500);
      fixture.server.faults.clear();
    });

    it("asks for no second file where the object says that it is V3, or a suffix was named", async () => {
      const { body, fields } = committed(dataKey, text);
      await fixture.server.putRawObject(BUCKET, "v3", { body, metadata: { ...fields } });
      const file = { "x-amz-3": base64(wrap.aesGcm(kek, dataKey, "115")), "x-amz-w": "02" };
      await fixture.server.putRawObject(BUCKET, "v3.instruction", { body: Buffer.from(JSON.stringify(file)) });
      await storeBoth("named", v1);
      fixture.server.clearRequests();
      expect(await opened("v3")).to.equal(text.toString());
      expect(await opened("named", { instructionFileSuffix: ".instruction" })).to.equal(text.toString());
      const keys = fixture.server.requests.map(({ key }) => key);
      expect(keys).to.include("v3.instruction").and.to.include("named.instruction");
      expect(keys.filter((key) => key?.endsWith("INSTRUCTION_SUFFIX"))).to.deep.equal([]);
    });
  });

  it("says the same for a PKCS#1 wrap that is well formed and one that is not (S6)", async () => {
    const wraps = {
      formed: wrap.rsaPkcs1(privateKey, dataKey),
      short: wrap.rsaPkcs1(privateKey, dataKey.subarray(1)),
      other: wrap.rsaPkcs1(privateKey, randomBytes(32)),
      zeros: Buffer.alloc(256),
      oaep: wrap.rsaOaepSha1(privateKey, dataKey, GCM_NAME),
    };
    // Cut short, so that it fails under any key: one key in 256 would find a valid padding in a whole one.
    const body = cbc(dataKey, iv16, text).subarray(0, -1);
    const messages = { off: new Set<string>(), on: new Set<string>() };
    for (const [name, wrapped] of Object.entries(wraps)) {
      const metadata = { "x-amz-key": base64(wrapped), "x-amz-iv": base64(iv16), "x-amz-matdesc": "{}" };
      await fixture.server.putRawObject(BUCKET, `pkcs1/${name}`, { body, metadata });
      const off = await refusal(read(`pkcs1/${name}`, { keyring: rsa, options: UNCOMMITTED }));
      messages.off.add(`${off.code} ${off.message}`);
      const on = await refusal(read(`pkcs1/${name}`, { keyring: rsa, options: LEGACY }));
      messages.on.add(`${on.code} ${on.message}`);
    }
    expect([...messages.off]).to.have.length(1);
    expect([...messages.on]).to.have.length(1);
    expect([...messages.on][0]).to.match(/^decryption-failed /);
  });
});
