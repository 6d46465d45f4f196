import { createSecretKey, randomBytes } from "node:crypto";
import { inspect } from "node:util";
import { EncryptCommand } from "@aws-sdk/client-kms";
import { AES_GCM, CBC } from "@s3ec/envelope";
import { stringMap, withDataKey } from "@s3ec/materials";
import { refusal } from "@s3ec/test-support";
import { expect } from "chai";
import { KmsKeyring } from "../dist/kms-keyring.js";
import {
  BINDING,
  boundWrap,
  COMMITTING_GCM,
  GCM,
  KmsFixture,
  legacyWrap,
  toDecrypt,
  toEncrypt,
  wrapOf,
} from "./kms-fixture.js";

describe("KmsKeyring", () => {
  let kms: KmsFixture;
  let keyring: KmsKeyring;

  before(async () => {
    kms = await KmsFixture.start();
    keyring = new KmsKeyring({ keyId: kms.keyArn, client: kms.client() });
  });
  beforeEach(() => kms.forget());
  after(async () => await kms.close());

  describe("onEncrypt", () => {
    for (const suite of [COMMITTING_GCM, GCM]) {
      it(`generates a data key bound to ${suite.storedName} and opens it again`, async () => {
        const materials = await keyring.onEncrypt(toEncrypt({ tenant: "a", "é 漢": "ü" }, suite));
        expect(materials.dataKey?.symmetricKeySize).to.equal(32);
        expect(kms.calls).to.deep.equal(["GenerateDataKey"]);
        expect(kms.latest).to.deep.include({ KeyId: kms.keyArn, KeySpec: "AES_256" });
        const opened = await keyring.onDecrypt(
          toDecrypt({ "é 漢": "ü", tenant: "a" }, suite),
          materials.encryptedDataKeys,
        );
        expect(opened?.dataKey?.equals(materials.dataKey ?? createSecretKey(Buffer.alloc(32)))).to.equal(true);
      });
    }

    it("stores exactly the context sent: the caller's entries in their order, then the binding (H10, H12)", async () => {
      const { wrap } = await wrapOf(keyring, { zebra: "1", apple: "2" });
      expect(Object.entries(wrap.description)).to.deep.equal([
        ["zebra", "1"],
        ["apple", "2"],
        [BINDING, "115"],
      ]);
      expect(JSON.stringify(kms.latest.EncryptionContext)).to.equal(JSON.stringify(wrap.description));
    });

    it("wraps an existing data key with Encrypt, keeps it, and appends one encrypted data key", async () => {
      const dataKey = createSecretKey(randomBytes(32));
      const other = boundWrap(Buffer.from("other"), {});
      const materials = withDataKey({ ...toEncrypt({ a: "b" }), encryptedDataKeys: [other] }, dataKey);
      const result = await keyring.onEncrypt(materials);
      expect(kms.calls).to.deep.equal(["Encrypt"]);
      expect(result.dataKey).to.equal(dataKey);
      expect(result.encryptedDataKeys).to.have.length(2);
      expect(result.encryptedDataKeys[0]).to.equal(other);
      const opened = await keyring.onDecrypt(toDecrypt({ a: "b" }), result.encryptedDataKeys.slice(1));
      expect(opened?.dataKey?.equals(dataKey)).to.equal(true);
    });

    for (const name of [BINDING, "kms_cmk_id", "x-amz-key-v2", "X-Amz-3", "__proto__"]) {
      it(`refuses the reserved name ${name} in the caller's context without a KMS call (S17)`, async () => {
        const materials = { ...toEncrypt(), encryptionContext: stringMap([[name, "x"]]) };
        const error = await refusal("invalid-argument", keyring.onEncrypt(materials));
        expect(error.message).to.contain(name);
        expect(kms.calls).to.deep.equal([]);
      });
    }
  });

  describe("onDecrypt", () => {
    it("always pins the configured key and sends the context as stored (S11)", async () => {
      const { wrap } = await wrapOf(keyring, { b: "2", a: "1" });
      kms.forget();
      await keyring.onDecrypt(toDecrypt({ a: "1", b: "2" }), [wrap]);
      expect(kms.calls).to.deep.equal(["Decrypt"]);
      expect(kms.latest.KeyId).to.equal(kms.keyArn);
      expect(JSON.stringify(kms.latest.EncryptionContext)).to.equal(`{"b":"2","a":"1","${BINDING}":"115"}`);
    });

    it("ignores kms_cmk_id in a stored context, neither believing nor comparing it (H10)", async () => {
      const { wrap } = await wrapOf(keyring, { a: "1" });
      const named = boundWrap(wrap.ciphertext, {
        kms_cmk_id: "arn:aws:kms:us-west-2:999999999999:key/evil",
        ...wrap.description,
      });
      kms.forget();
      // KMS refuses it, since it was not part of what was bound: the point is which key was asked.
      await refusal("decryption-failed", keyring.onDecrypt(toDecrypt({ a: "1" }), [named]));
      expect(kms.latest.KeyId).to.equal(kms.keyArn);
    });

    it("opens a context that another client's caller gave reserved names, when they are named again (H10, S10)", async () => {
      const callers = { "x-amz-tenant": "a", kms_cmk_id: "b" };
      const stored = { ...callers, [BINDING]: "115" };
      const asked = { KeyId: kms.keyArn, Plaintext: randomBytes(32), EncryptionContext: stored };
      const { CiphertextBlob = new Uint8Array(0) } = await kms.client().send(new EncryptCommand(asked));
      const wrap = boundWrap(CiphertextBlob, stored);
      for (const context of [callers, { "x-amz-tenant": "a" }]) {
        const opened = await keyring.onDecrypt(toDecrypt(context), [wrap]);
        expect(opened?.dataKey?.symmetricKeySize).to.equal(32);
      }
      kms.forget();
      for (const context of [{ ...callers, kms_cmk_id: "c" }, { kms_cmk_id: "b" }, {}]) {
        await refusal("context-mismatch", keyring.onDecrypt(toDecrypt(context), [wrap]));
      }
      expect(kms.calls).to.deep.equal([]);
    });

    const contexts: readonly (readonly [string, Record<string, string>])[] = [
      ["missing", {}],
      ["a subset", { a: "1" }],
      ["a superset", { a: "1", b: "2", c: "3" }],
      ["a wrong value", { a: "1", b: "3" }],
      ["another name", { a: "1", B: "2" }],
      ["the reserved name added", { a: "1", b: "2", [BINDING]: "115" }],
    ];
    for (const [what, context] of contexts) {
      it(`refuses before any KMS call when the caller's context is ${what} (S10)`, async () => {
        const { wrap } = await wrapOf(keyring, { a: "1", b: "2" });
        kms.forget();
        await refusal("context-mismatch", keyring.onDecrypt(toDecrypt(context), [wrap]));
        expect(kms.calls).to.deep.equal([]);
      });
    }

    it("refuses before any KMS call when the wrap is bound to another content algorithm, or to none (S2)", async () => {
      const { wrap } = await wrapOf(keyring);
      kms.forget();
      for (const suite of [GCM, CBC]) {
        await refusal("decryption-failed", keyring.onDecrypt(toDecrypt({}, suite), [wrap]));
      }
      await refusal("decryption-failed", keyring.onDecrypt(toDecrypt(), [boundWrap(wrap.ciphertext, {})]));
      expect(kms.calls).to.deep.equal([]);
    });

    it("says of a wrap of another KMS key that an alias may have been pointed elsewhere", async () => {
      const other = new KmsKeyring({ keyId: kms.server.kms.createKey().arn, client: kms.client() });
      const { wrap } = await wrapOf(other);
      const error = await refusal("no-matching-key", keyring.onDecrypt(toDecrypt(), [wrap]));
      expect(error.message).to.contain("formerKeyIds");
      expect(error.cause).to.have.property("name", "IncorrectKeyException");
      expect(Object.keys(error)).to.not.include("cause");
    });

    it("opens with former keys, each named to KMS, and writes with none of them (S11)", async () => {
      const [first, second, never] = [1, 2, 3].map(() => kms.server.kms.createKey().arn) as [string, string, string];
      const { wrap } = await wrapOf(new KmsKeyring({ keyId: second, client: kms.client() }));
      const moved = new KmsKeyring({ keyId: kms.keyArn, formerKeyIds: [first, second, never], client: kms.client() });
      kms.forget();
      expect((await moved.onDecrypt(toDecrypt(), [wrap]))?.dataKey?.symmetricKeySize).to.equal(32);
      expect(kms.calls).to.deep.equal(["Decrypt", "Decrypt", "Decrypt"]);
      expect(kms.latest).to.deep.include({ KeyId: second });
      kms.forget();
      await wrapOf(moved);
      expect(kms.latest).to.deep.include({ KeyId: kms.keyArn });
      const without = new KmsKeyring({ keyId: kms.keyArn, formerKeyIds: [first], client: kms.client() });
      await refusal("no-matching-key", without.onDecrypt(toDecrypt(), [wrap]));
      const gone = new KmsKeyring({
        keyId: kms.keyArn,
        formerKeyIds: ["alias/gone", second],
        client: kms.client(),
      });
      expect((await gone.onDecrypt(toDecrypt(), [wrap]))?.dataKey).to.not.equal(undefined);
      const onlyGone = new KmsKeyring({ keyId: kms.keyArn, formerKeyIds: ["alias/gone"], client: kms.client() });
      await refusal("key-unavailable", onlyGone.onDecrypt(toDecrypt(), [wrap]));
      expect(() => new KmsKeyring({ keyId: kms.keyArn, formerKeyIds: ["a b"], client: kms.client() })).to.throw(
        /keyId/,
      );
    });

    it("fails uniformly on altered, cut and emptied blobs, and on one that is too long to send", async () => {
      const { wrap } = await wrapOf(keyring);
      const texts = new Set<string>();
      const flipped = Uint8Array.from(wrap.ciphertext);
      flipped[flipped.length - 1] = (flipped.at(-1) ?? 0) ^ 1;
      for (const blob of [flipped, wrap.ciphertext.slice(0, -1), new Uint8Array(0), new Uint8Array(6145)]) {
        const altered = boundWrap(blob, wrap.description);
        texts.add((await refusal("decryption-failed", keyring.onDecrypt(toDecrypt(), [altered]))).message);
      }
      expect(texts.size).to.equal(1);
    });

    it("does not send what KMS would not look at", async () => {
      for (const length of [0, 6145]) {
        const wrap = boundWrap(new Uint8Array(length), { [BINDING]: "115" });
        await refusal("decryption-failed", keyring.onDecrypt(toDecrypt(), [wrap]));
      }
      expect(kms.calls).to.deep.equal([]);
    });

    it("answers null to wraps of other kinds without a KMS call", async () => {
      const raw = { wrapAlgorithm: AES_GCM, ciphertext: new Uint8Array(60), description: stringMap([]) };
      expect(await keyring.onDecrypt(toDecrypt(), [raw])).to.equal(null);
      expect(await keyring.onDecrypt(toDecrypt(), [])).to.equal(null);
      expect(kms.calls).to.deep.equal([]);
    });

    it("goes on to the next KMS wrap, and reports the first failure when none opens", async () => {
      const { materials, wrap } = await wrapOf(keyring);
      const bad = boundWrap(Buffer.from("not a blob of KMS"), wrap.description);
      const opened = await keyring.onDecrypt(toDecrypt(), [bad, wrap]);
      expect(opened?.dataKey?.equals(materials.dataKey ?? createSecretKey(Buffer.alloc(32)))).to.equal(true);
      const mismatching = boundWrap(wrap.ciphertext, { ...wrap.description, extra: "1" });
      await refusal("context-mismatch", keyring.onDecrypt(toDecrypt(), [mismatching, bad]));
    });

    it("refuses a data key of a length that the suite does not take (H19)", async () => {
      for (const length of [16, 24, 31]) {
        const ciphertextBlob = randomBytes(80);
        kms.server.kms.seedDecrypt({
          ciphertextBlob,
          encryptionContext: { [BINDING]: "115" },
          keyArn: kms.keyArn,
          plaintext: randomBytes(length),
        });
        const wrap = boundWrap(ciphertextBlob, { [BINDING]: "115" });
        await refusal("decryption-failed", keyring.onDecrypt(toDecrypt(), [wrap]));
      }
    });

    it("opens the 16-byte data keys that PHP wrote for AES/GCM/NoPadding (H19)", async () => {
      const encryptionContext = { [BINDING]: "AES/GCM/NoPadding" };
      const [ciphertextBlob, plaintext] = [randomBytes(80), randomBytes(16)];
      kms.server.kms.seedDecrypt({ ciphertextBlob, encryptionContext, keyArn: kms.keyArn, plaintext });
      const opened = await keyring.onDecrypt(toDecrypt({}, GCM), [boundWrap(ciphertextBlob, encryptionContext)]);
      expect(opened?.dataKey?.export().equals(plaintext)).to.equal(true);
    });
  });

  describe("acceptUnstoredContext (H21)", () => {
    const stored = { [BINDING]: "AES/GCM/NoPadding" };
    const ciphertextBlob = randomBytes(80);

    before(() => {
      kms.server.kms.seedDecrypt({
        ciphertextBlob,
        encryptionContext: { tenant: "a", ...stored },
        keyArn: kms.keyArn,
        plaintext: randomBytes(32),
      });
    });

    it("is off by default: the caller's context must be stored", async () => {
      const wrap = boundWrap(ciphertextBlob, stored);
      await refusal("context-mismatch", keyring.onDecrypt(toDecrypt({ tenant: "a" }, GCM), [wrap]));
      expect(kms.calls).to.deep.equal([]);
    });

    it("sends the caller's context instead, which KMS then checks", async () => {
      const tolerant = new KmsKeyring({ keyId: kms.keyArn, client: kms.client(), acceptUnstoredContext: true });
      const wrap = boundWrap(ciphertextBlob, stored);
      const opened = await tolerant.onDecrypt(toDecrypt({ tenant: "a" }, GCM), [wrap]);
      expect(opened?.dataKey?.symmetricKeySize).to.equal(32);
      await refusal("decryption-failed", tolerant.onDecrypt(toDecrypt({ tenant: "b" }, GCM), [wrap]));
    });

    it("never stands in for a context that is stored", async () => {
      const tolerant = new KmsKeyring({ keyId: kms.keyArn, client: kms.client(), acceptUnstoredContext: true });
      const wrap = boundWrap(ciphertextBlob, { tenant: "b", ...stored });
      await refusal("context-mismatch", tolerant.onDecrypt(toDecrypt({ tenant: "a" }, GCM), [wrap]));
      expect(kms.calls).to.deep.equal([]);
    });
  });

  describe("keys and clients", () => {
    it("takes key ids, ARNs, aliases and alias ARNs, and opens with one what another wrote", async () => {
      const id = kms.keyArn.split("/")[1] ?? "";
      const aliasArn = kms.keyArn.replace(/key\/.*$/, "alias/app");
      const { wrap } = await wrapOf(keyring);
      for (const keyId of [id, kms.keyArn, "alias/app", aliasArn]) {
        const named = new KmsKeyring({ keyId, client: kms.client() });
        expect(await named.onDecrypt(toDecrypt(), [wrap])).to.not.equal(null);
        expect(kms.latest.KeyId).to.equal(keyId);
        await wrapOf(named);
      }
    });

    it("opens with a multi-Region key's replica what was wrapped in another Region, each named in its own", async () => {
      const west = "arn:aws:kms:us-west-2:111122223333:key/mrk-0123456789abcdef0123456789abcdef";
      const east = west.replace("us-west-2", "eu-west-1");
      kms.server.kms.createKey({ arn: west });
      kms.server.kms.createKey({ arn: east });
      const { wrap } = await wrapOf(new KmsKeyring({ keyId: west, client: kms.client() }));
      const replica = new KmsKeyring({ keyId: east, client: kms.client({ region: "eu-west-1" }) });
      expect(await replica.onDecrypt(toDecrypt(), [wrap])).to.not.equal(null);
      expect(kms.latest.KeyId).to.equal(east);
    });

    it("sends grant tokens with every call, and none when there are none", async () => {
      const granted = new KmsKeyring({ keyId: kms.keyArn, client: kms.client(), grantTokens: ["token"] });
      const { materials, wrap } = await wrapOf(granted);
      expect(kms.latest.GrantTokens).to.deep.equal(["token"]);
      await granted.onDecrypt(toDecrypt(), [wrap]);
      expect(kms.latest.GrantTokens).to.deep.equal(["token"]);
      await granted.onEncrypt(materials);
      expect(kms.latest.GrantTokens).to.deep.equal(["token"]);
      await wrapOf(keyring);
      expect(kms.latest).to.not.have.property("GrantTokens");
    });

    it("makes a client of its own in the region of the key's ARN, unless told another", async () => {
      const { endpoint, credentials } = kms.server.clientConfig;
      const arn = "arn:aws:kms:ap-south-1:111122223333:key/of-the-south";
      kms.server.kms.createKey({ arn });
      const own = new KmsKeyring({ keyId: arn, clientConfig: { endpoint, credentials } });
      const elsewhere = new KmsKeyring({
        keyId: "of-the-south",
        region: "ap-south-1",
        clientConfig: { endpoint, credentials },
      });
      for (const each of [own, elsewhere]) {
        await wrapOf(each);
        expect(kms.server.requests.at(-1)?.headers.authorization).to.contain("/ap-south-1/kms/");
        each.destroy();
      }
    });

    it("leaves the caller's client open", async () => {
      const client = kms.client();
      new KmsKeyring({ keyId: kms.keyArn, client }).destroy();
      await wrapOf(new KmsKeyring({ keyId: kms.keyArn, client }));
    });

    it("refuses a client together with settings for one of its own", () => {
      const client = kms.client();
      for (const more of [{ region: "us-west-2" }, { clientConfig: {} }]) {
        expect(() => new KmsKeyring({ keyId: kms.keyArn, client, ...more }))
          .to.throw(/either a KMS client/)
          .with.property("code", "invalid-configuration");
      }
    });

    for (const keyId of ["", "arn:aws:s3:::bucket", "arn:aws:kms:us-west-2:1:key/x", "alias/", "a b", "key:x"]) {
      it(`refuses the key id "${keyId}" at construction`, () => {
        expect(() => new KmsKeyring({ keyId, client: kms.client() }))
          .to.throw()
          .with.property("code", "invalid-argument");
      });
    }
  });

  it("serves concurrent callers", async () => {
    const all = await Promise.all(Array.from({ length: 50 }, (_, index) => wrapOf(keyring, { index: `${index}` })));
    const opened = await Promise.all(
      all.map(({ wrap }, index) => keyring.onDecrypt(toDecrypt({ index: `${index}` }), [wrap])),
    );
    for (const [index, { materials }] of all.entries()) {
      expect(materials.dataKey && opened[index]?.dataKey?.equals(materials.dataKey)).to.equal(true);
    }
  });

  it("gives nothing away when it is printed", async () => {
    const { materials, wrap } = await wrapOf(keyring);
    const secret = materials.dataKey?.export() ?? Buffer.alloc(0);
    const printed = `${inspect([keyring, materials, wrap], { depth: null, showHidden: true })}${JSON.stringify([keyring, materials])}`;
    for (const encoding of ["hex", "base64", "latin1"] as const)
      expect(printed).to.not.contain(secret.toString(encoding));
    expect(JSON.stringify(keyring)).to.not.contain("credentials");
  });

  it("declares kms+context and kms, and aws-kms for messages", () => {
    expect(keyring.wrapAlgorithms.map(({ name }) => name)).to.deep.equal(["kms+context", "kms", "aws-kms"]);
    expect(legacyWrap(new Uint8Array(1), {}).wrapAlgorithm.legacy).to.equal(true);
  });
});
