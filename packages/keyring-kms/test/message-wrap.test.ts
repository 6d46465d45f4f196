import { createSecretKey, randomBytes } from "node:crypto";
import { AWS_KMS_PROVIDER, keyProvider } from "@s3ec/envelope";
import { COMMITTED, MESSAGE_SUITES } from "@s3ec/format-aws-message";
import { type EncryptedDataKey, stringMap, withDataKey } from "@s3ec/materials";
import { refusal } from "@s3ec/test-support";
import { expect } from "chai";
import { KmsDiscoveryKeyring, KmsKeyring } from "../dist/index.js";
import { boundWrap, COMMITTING_GCM, KmsFixture, toDecrypt, toEncrypt, wrapOf } from "./kms-fixture.js";

const CONTEXT = { tenant: "a", "aws-crypto-public-key": "AzzZ" };
const writing = (context: Record<string, string> = CONTEXT) => toEncrypt(context, COMMITTED);
const reading = (context: Record<string, string> = CONTEXT) => toDecrypt(context, COMMITTED);
const textOf = (key: EncryptedDataKey | undefined): string => Buffer.from(key?.providerInfo ?? []).toString();

const MRK_WEST = "arn:aws:kms:us-west-2:111122223333:key/mrk-0123456789abcdef0123456789abcdef";
const MRK_EAST = MRK_WEST.replace("us-west-2", "eu-west-1");

describe("messages", () => {
  let kms: KmsFixture;
  let keyring: KmsKeyring;
  let otherArn: string;

  before(async () => {
    kms = await KmsFixture.start();
    keyring = new KmsKeyring({ keyId: kms.keyArn, client: kms.client() });
    otherArn = kms.server.kms.createKey({ alias: "alias/other" }).arn;
    kms.server.kms.createKey({ arn: MRK_WEST });
    kms.server.kms.createKey({ arn: MRK_EAST });
  });
  beforeEach(() => kms.forget());
  after(async () => await kms.close());

  const keyringOf = (keyId: string, region?: string): KmsKeyring =>
    new KmsKeyring({ keyId, client: kms.client(region === undefined ? {} : { region }) });

  /** What a key wraps, told apart from what its provider information says. */
  async function wrapBy(keyId: string, saying?: string): Promise<EncryptedDataKey> {
    const [key] = (await keyringOf(keyId).onEncrypt(writing())).encryptedDataKeys;
    if (key === undefined) throw new Error("The keyring added no encrypted data key.");
    kms.forget();
    return saying === undefined ? key : { ...key, providerInfo: Buffer.from(saying) };
  }

  describe("onEncrypt", () => {
    for (const suite of MESSAGE_SUITES) {
      it(`generates a data key as long as that of 0x${suite.storedName} takes, under the context as it is`, async () => {
        const materials = await keyring.onEncrypt(toEncrypt(CONTEXT, suite));
        expect(materials.dataKey?.symmetricKeySize).to.equal(suite.keyLength);
        expect(kms.calls).to.deep.equal(["GenerateDataKey"]);
        expect(kms.latest).to.deep.equal({
          KeyId: kms.keyArn,
          NumberOfBytes: suite.keyLength,
          EncryptionContext: CONTEXT,
        });
        const opened = await keyring.onDecrypt(toDecrypt(CONTEXT, suite), materials.encryptedDataKeys);
        expect(materials.dataKey && opened?.dataKey?.equals(materials.dataKey)).to.equal(true);
        expect(kms.latest).to.deep.include({ KeyId: kms.keyArn, EncryptionContext: CONTEXT });
      });
    }

    it("stores the key's ARN as KMS answered it, whatever the key was called", async () => {
      const id = kms.keyArn.split("/")[1] ?? "";
      for (const keyId of ["alias/app", id, kms.keyArn]) {
        const key = await wrapBy(keyId);
        expect(key.wrapAlgorithm).to.equal(AWS_KMS_PROVIDER);
        expect(textOf(key)).to.equal(kms.keyArn);
        expect({ ...key.description }).to.deep.equal({});
      }
    });

    it("wraps an existing data key with Encrypt, keeps it, and appends", async () => {
      const dataKey = createSecretKey(randomBytes(32));
      const other = await wrapBy("alias/other");
      const result = await keyring.onEncrypt(withDataKey({ ...writing(), encryptedDataKeys: [other] }, dataKey));
      expect(kms.calls).to.deep.equal(["Encrypt"]);
      expect(kms.latest.EncryptionContext).to.deep.equal(CONTEXT);
      expect(result.dataKey).to.equal(dataKey);
      expect(result.encryptedDataKeys[0]).to.equal(other);
      expect(textOf(result.encryptedDataKeys[1])).to.equal(kms.keyArn);
      const opened = await keyring.onDecrypt(reading(), result.encryptedDataKeys);
      expect(opened?.dataKey?.equals(dataKey)).to.equal(true);
    });

    it("refuses __proto__ in the context, which would stay unbound, without a KMS call", async () => {
      const materials = { ...writing(), encryptionContext: stringMap([["__proto__", "x"]]) };
      await refusal("invalid-argument", keyring.onEncrypt(materials));
      expect(kms.calls).to.deep.equal([]);
    });

    it("reports a denied call as key-unavailable, with the permission", async () => {
      kms.server.faults.add({
        service: "kms",
        operation: "GenerateDataKey",
        status: 400,
        code: "AccessDeniedException",
      });
      const error = await refusal("key-unavailable", keyring.onEncrypt(writing()));
      expect(error.message).to.contain("kms:GenerateDataKey");
    });
  });

  describe("onDecrypt", () => {
    it("asks KMS about nothing that is not for its key", async () => {
      const own = await wrapBy(kms.keyArn);
      const id = kms.keyArn.split("/")[1] ?? "";
      const foreign = [
        await wrapBy("alias/other"),
        { ...own, wrapAlgorithm: keyProvider("aws-kms-hierarchy") },
        { ...own, wrapAlgorithm: keyProvider("raw") },
        { wrapAlgorithm: AWS_KMS_PROVIDER, ciphertext: own.ciphertext, description: stringMap([]) },
        boundWrap(own.ciphertext, CONTEXT),
        ...[
          kms.keyArn.replace("us-", "eu-"),
          kms.keyArn.replace("111122223333", "999988887777"),
          kms.keyArn.replace("arn:aws:", "arn:aws-cn:"),
          kms.keyArn.replace(/key\/.*/, "alias/app"),
          `${kms.keyArn}0`,
          ` ${kms.keyArn}`,
          id,
          "",
        ].map((text) => ({ ...own, providerInfo: Buffer.from(text) })),
      ];
      expect(await keyring.onDecrypt(reading(), foreign)).to.equal(null);
      expect(await keyring.onDecrypt(reading(), [])).to.equal(null);
      expect(kms.calls).to.deep.equal([]);
      expect(await keyring.onDecrypt(reading(), [...foreign, own])).to.have.property("dataKey");
      expect(kms.calls).to.deep.equal(["Decrypt"]);
    });

    it("with a bare key id asks about that id alone", async () => {
      const byId = keyringOf(kms.keyArn.split("/")[1] ?? "");
      expect(await byId.onDecrypt(reading(), [await wrapBy("alias/other")])).to.equal(null);
      expect(kms.calls).to.deep.equal([]);
      expect(await byId.onDecrypt(reading(), [await wrapBy("alias/app")])).to.have.property("dataKey");
    });

    it("with an alias tries each, and takes KMS's word that one is another key's", async () => {
      const aliasArn = kms.keyArn.replace(/key\/.*$/, "alias/app");
      for (const keyId of ["alias/app", aliasArn]) {
        const byAlias = keyringOf(keyId);
        const [own, other] = [await wrapBy(kms.keyArn), await wrapBy("alias/other")];
        expect(await byAlias.onDecrypt(reading(), [other, other])).to.equal(null);
        expect(kms.calls).to.deep.equal(["Decrypt", "Decrypt"]);
        expect(kms.latest.KeyId).to.equal(keyId);
        expect(await byAlias.onDecrypt(reading(), [other, own])).to.have.property("dataKey");
      }
    });

    it("refuses what names its key and is another's", async () => {
      await refusal("decryption-failed", keyring.onDecrypt(reading(), [await wrapBy("alias/other", kms.keyArn)]));
    });

    it("refuses what its alias opens and names another key", async () => {
      const lying = await wrapBy("alias/app", otherArn);
      await refusal("decryption-failed", keyringOf("alias/app").onDecrypt(reading(), [lying]));
    });

    it("opens with a multi-Region key what any of its replicas wrapped, asking its own", async () => {
      const wrapped = await wrapBy(MRK_WEST);
      for (const keyId of [MRK_EAST, MRK_EAST.split("/")[1] ?? ""]) {
        const replica = keyringOf(keyId, "eu-west-1");
        expect(await replica.onDecrypt(reading(), [wrapped])).to.have.property("dataKey");
        expect(kms.latest.KeyId).to.equal(keyId);
      }
      kms.forget();
      const ofAnotherAccount = {
        ...wrapped,
        providerInfo: Buffer.from(MRK_WEST.replace("111122223333", "999988887777")),
      };
      expect(await keyringOf(MRK_EAST, "eu-west-1").onDecrypt(reading(), [ofAnotherAccount])).to.equal(null);
      expect(kms.calls).to.deep.equal([]);
    });

    it("leaves it to KMS whether the context is the one that was bound", async () => {
      const wrapped = await wrapBy(kms.keyArn);
      for (const context of [{}, { tenant: "a" }, { ...CONTEXT, tenant: "b" }, { ...CONTEXT, more: "" }]) {
        await refusal("decryption-failed", keyring.onDecrypt(reading(context), [wrapped]));
      }
    });

    it("fails uniformly on altered, cut and emptied blobs, and goes on to the next", async () => {
      const own = await wrapBy(kms.keyArn);
      const texts = new Set<string>();
      const flipped = own.ciphertext.map((byte, index) => (index === own.ciphertext.length - 1 ? byte ^ 1 : byte));
      for (const ciphertext of [flipped, own.ciphertext.slice(0, -1), new Uint8Array(0), new Uint8Array(6145)]) {
        const altered = { ...own, ciphertext };
        texts.add((await refusal("decryption-failed", keyring.onDecrypt(reading(), [altered]))).message);
        expect(await keyring.onDecrypt(reading(), [altered, own])).to.have.property("dataKey");
      }
      expect(texts.size).to.equal(1);
    });

    it("refuses a data key of a length that the suite does not take", async () => {
      for (const length of [16, 24, 31]) {
        const ciphertextBlob = randomBytes(80);
        const plaintext = randomBytes(length);
        kms.server.kms.seedDecrypt({ ciphertextBlob, encryptionContext: CONTEXT, keyArn: kms.keyArn, plaintext });
        const key = { ...(await wrapBy(kms.keyArn)), ciphertext: ciphertextBlob };
        await refusal("decryption-failed", keyring.onDecrypt(reading(), [key]));
      }
    });

    it("reports a key that cannot be asked as key-unavailable", async () => {
      const own = await wrapBy(kms.keyArn);
      kms.server.faults.add({ service: "kms", operation: "Decrypt", status: 400, code: "AccessDeniedException" });
      const error = await refusal("key-unavailable", keyring.onDecrypt(reading(), [own]));
      expect(error.message).to.contain("kms:Decrypt");
    });
  });

  describe("with discovery", () => {
    const discovery = (accountIds?: readonly string[], partition = "aws"): KmsDiscoveryKeyring =>
      new KmsDiscoveryKeyring({
        client: kms.client(),
        ...(accountIds === undefined ? {} : { discoveryFilter: { partition, accountIds } }),
      });

    it("are opened with the key that they name", async () => {
      for (const keyId of ["alias/app", "alias/other"]) {
        const wrapped = await wrapBy(keyId);
        expect(await discovery().onDecrypt(reading(), [wrapped])).to.have.property("dataKey");
        expect(kms.latest).to.deep.include({ KeyId: textOf(wrapped), EncryptionContext: CONTEXT });
      }
    });

    it("are held against the filter before KMS is asked", async () => {
      const wrapped = await wrapBy("alias/app");
      for (const filtered of [discovery(["999988887777"]), discovery(["111122223333"], "aws-cn")]) {
        expect(await filtered.onDecrypt(reading(), [wrapped])).to.equal(null);
      }
      const alias = { ...wrapped, providerInfo: Buffer.from(kms.keyArn.replace(/key\/.*/, "alias/app")) };
      expect(await discovery().onDecrypt(reading(), [alias])).to.equal(null);
      expect(kms.calls).to.deep.equal([]);
      expect(await discovery(["111122223333"]).onDecrypt(reading(), [wrapped])).to.have.property("dataKey");
    });

    it("are refused when they name another key than the one that wrapped them", async () => {
      const lying = await wrapBy("alias/app", otherArn);
      await refusal("decryption-failed", discovery().onDecrypt(reading(), [lying]));
    });

    it("are not written", async () => {
      await refusal("unsupported-operation", discovery().onEncrypt(writing()));
    });
  });

  it("and objects of S3 clients do not open each other's wraps", async () => {
    const { wrap } = await wrapOf(keyring, { tenant: "a" });
    const message = await wrapBy(kms.keyArn);
    for (const each of [keyring, new KmsDiscoveryKeyring({ client: kms.client() })]) {
      kms.forget();
      expect(await each.onDecrypt(reading(), [wrap])).to.equal(null);
      expect(await each.onDecrypt(toDecrypt({}, COMMITTING_GCM), [message])).to.equal(null);
      expect(kms.calls).to.deep.equal([]);
    }
  });
});
