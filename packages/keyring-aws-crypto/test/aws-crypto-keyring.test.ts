import { generateKeyPairSync } from "node:crypto";
import { inspect } from "node:util";
import {
  EncryptedDataKey,
  KeyringNode,
  KeyringTraceFlag,
  KMS,
  KmsKeyringNode,
  MultiKeyringNode,
  NodeAlgorithmSuite,
  NodeDecryptionMaterial,
  NodeEncryptionMaterial,
  RawAesKeyringNode,
  RawAesWrappingSuiteIdentifier,
  RawRsaKeyringNode,
  unwrapDataKey,
} from "@aws-crypto/client-node";
import { type DevServer, startDevServer } from "@s3ec/dev-server";
import { CBC, COMMITTING_GCM } from "@s3ec/envelope";
import { COMMITTED, COMMITTED_SIGNED, MESSAGE_SUITES } from "@s3ec/format-aws-message";
import { MultiKeyring } from "@s3ec/keyring-multi";
import { RawAesKeyring } from "@s3ec/keyring-raw-aes";
import { defineWrapAlgorithm, importDataKey, keyProvider, stringMap } from "@s3ec/materials";
import { bytes, refusal } from "@s3ec/test-support";
import { expect } from "chai";
import { AwsCryptoKeyring, type AwsCryptoKeyringOptions, AwsCryptoMaterialsManager } from "../dist/index.js";
import { CONTEXT, NAME, toDecrypt, toEncrypt } from "./fixture.js";

const aesNode = (keyName: string = NAME.name): RawAesKeyringNode =>
  new RawAesKeyringNode({
    keyName,
    keyNamespace: NAME.namespace,
    unencryptedMasterKey: bytes(7, 32),
    wrappingSuite: RawAesWrappingSuiteIdentifier.AES256_GCM_IV12_TAG16_NO_PADDING,
  });

/** A keyring of a user's own: XORs, and keeps what it was given. */
class OwnKeyring extends KeyringNode {
  readonly seen: (NodeEncryptionMaterial | NodeDecryptionMaterial)[] = [];

  async _onEncrypt(material: NodeEncryptionMaterial): Promise<NodeEncryptionMaterial> {
    this.seen.push(material);
    if (!material.hasUnencryptedDataKey) {
      const flags = KeyringTraceFlag.WRAPPING_KEY_GENERATED_DATA_KEY;
      material.setUnencryptedDataKey(bytes(3, material.suite.keyLengthBytes), {
        keyNamespace: "own",
        keyName: "own",
        flags,
      });
    }
    const encryptedDataKey = Uint8Array.from(unwrapDataKey(material.getUnencryptedDataKey()), (byte) => byte ^ 0x5a);
    const edk = new EncryptedDataKey({ providerId: "own", providerInfo: "info é", encryptedDataKey });
    return material.addEncryptedDataKey(edk, KeyringTraceFlag.WRAPPING_KEY_ENCRYPTED_DATA_KEY);
  }

  async _onDecrypt(
    material: NodeDecryptionMaterial,
    encryptedDataKeys: EncryptedDataKey[],
  ): Promise<NodeDecryptionMaterial> {
    this.seen.push(material);
    const own = encryptedDataKeys.find(({ providerId }) => providerId === "own");
    if (own === undefined) return material;
    const flags = KeyringTraceFlag.WRAPPING_KEY_DECRYPTED_DATA_KEY;
    const dataKey = Uint8Array.from(own.encryptedDataKey, (byte) => byte ^ 0x5a);
    return material.setUnencryptedDataKey(dataKey, { keyNamespace: "own", keyName: "own", flags });
  }
}

describe("AwsCryptoKeyring", () => {
  for (const suite of MESSAGE_SUITES) {
    it(`gives and opens data keys of 0x${suite.storedName}`, async () => {
      const keyring = new AwsCryptoKeyring({ keyring: aesNode() });
      const materials = await keyring.onEncrypt(toEncrypt(suite));
      expect(materials.dataKey?.symmetricKeySize).to.equal(suite.keyLength);
      expect(materials.suite).to.equal(suite);
      expect({ ...materials.encryptionContext }).to.deep.equal(CONTEXT);
      expect(materials.encryptedDataKeys.map(({ wrapAlgorithm }) => wrapAlgorithm.name)).to.deep.equal(["test keys"]);
      const opened = await keyring.onDecrypt(toDecrypt(suite), materials.encryptedDataKeys);
      expect(materials.dataKey && opened?.dataKey?.equals(materials.dataKey)).to.equal(true);
      expect(opened?.suite).to.equal(suite);
    });
  }

  it("opens any provider's keys, as far as it tells", () => {
    const { wrapAlgorithms } = new AwsCryptoKeyring({ keyring: aesNode() });
    expect(wrapAlgorithms.map(({ name }) => name)).to.deep.equal(["*"]);
  });

  it("keeps raw provider information to the byte, and text as UTF-8", async () => {
    const [aes] = (await new AwsCryptoKeyring({ keyring: aesNode() }).onEncrypt(toEncrypt())).encryptedDataKeys;
    expect(aes?.providerInfo).to.have.length(Buffer.byteLength(NAME.name) + 20);
    const [own] = (await new AwsCryptoKeyring({ keyring: new OwnKeyring() }).onEncrypt(toEncrypt())).encryptedDataKeys;
    expect(Buffer.from(own?.providerInfo ?? []).toString()).to.equal("info é");
  });

  it("hands over a data key that is there, and appends", async () => {
    const dataKey = importDataKey(bytes(1, 32));
    const other = {
      ...(await new RawAesKeyring({ wrappingKey: bytes(0, 32), messageKey: NAME }).onEncrypt(toEncrypt())),
    };
    const { encryptedDataKeys: before } = other;
    const keyring = new AwsCryptoKeyring({ keyring: aesNode() });
    const materials = await keyring.onEncrypt({ ...toEncrypt(), dataKey, encryptedDataKeys: before });
    expect(materials.dataKey?.equals(dataKey)).to.equal(true);
    expect(materials.encryptedDataKeys).to.have.length(2);
    expect(materials.encryptedDataKeys[0]).to.equal(before[0]);
    const opened = await keyring.onDecrypt(toDecrypt(), materials.encryptedDataKeys.slice(1));
    expect(opened?.dataKey?.equals(dataKey)).to.equal(true);
  });

  it("works with a keyring of keyrings, all of whose wraps go into the message", async () => {
    const keyring = new AwsCryptoKeyring({
      keyring: new MultiKeyringNode({ generator: aesNode("a"), children: [aesNode("b"), new OwnKeyring()] }),
    });
    const { dataKey, encryptedDataKeys } = await keyring.onEncrypt(toEncrypt());
    expect(encryptedDataKeys.map(({ wrapAlgorithm }) => wrapAlgorithm.name)).to.deep.equal([
      "test keys",
      "test keys",
      "own",
    ]);
    for (const key of encryptedDataKeys) {
      const opened = await keyring.onDecrypt(toDecrypt(), [key]);
      expect(dataKey && opened?.dataKey?.equals(dataKey)).to.equal(true);
    }
  });

  it("works beside keyrings of ours", async () => {
    const ours = new RawAesKeyring({ wrappingKey: bytes(0, 32), messageKey: { namespace: "ours", name: "key" } });
    const theirs = new AwsCryptoKeyring({ keyring: aesNode() });
    const multi = new MultiKeyring({
      generator: ours,
      children: [{ keyring: theirs, instructionFileSuffix: ".theirs" }],
    });
    const { dataKey, encryptedDataKeys } = await multi.onEncrypt(toEncrypt());
    for (const keyring of [multi, ours, theirs]) {
      const opened = await keyring.onDecrypt(toDecrypt(), encryptedDataKeys);
      expect(dataKey && opened?.dataKey?.equals(dataKey)).to.equal(true);
    }
  });

  it("works with a keyring of a user's own, whatever its class, and zeroes the SDK's materials", async () => {
    const own = new OwnKeyring();
    const plain: AwsCryptoKeyringOptions["keyring"] = {
      onEncrypt: (material) => own.onEncrypt(material),
      onDecrypt: (material, keys) => own.onDecrypt(material, keys),
    };
    for (const each of [own, plain]) {
      const keyring = new AwsCryptoKeyring({ keyring: each });
      const { dataKey, encryptedDataKeys } = await keyring.onEncrypt(toEncrypt());
      expect(dataKey?.export()).to.deep.equal(Buffer.from(bytes(3, 32)));
      const opened = await keyring.onDecrypt(toDecrypt(), encryptedDataKeys);
      expect(opened?.dataKey?.export()).to.deep.equal(Buffer.from(bytes(3, 32)));
    }
    expect(own.seen).to.have.length(4);
    for (const material of own.seen) expect(material.hasUnencryptedDataKey).to.equal(false);
  });

  it("binds the context, as far as the keyring does, and answers null where no key comes out", async () => {
    const keyring = new AwsCryptoKeyring({ keyring: aesNode() });
    const { encryptedDataKeys } = await keyring.onEncrypt(toEncrypt());
    const [key] = encryptedDataKeys;
    if (key === undefined) throw new Error("No encrypted data key.");
    expect(await keyring.onDecrypt(toDecrypt(COMMITTED, { tenant: "b" }), encryptedDataKeys)).to.equal(null);
    const altered = { ...key, ciphertext: key.ciphertext.map((byte) => byte ^ 1) };
    expect(await keyring.onDecrypt(toDecrypt(), [altered])).to.equal(null);
    expect(await keyring.onDecrypt(toDecrypt(), [altered, key])).to.have.property("dataKey");
    const other = new AwsCryptoKeyring({ keyring: aesNode("other") });
    expect(await other.onDecrypt(toDecrypt(), encryptedDataKeys)).to.equal(null);
    expect(await other.onDecrypt(toDecrypt(), [])).to.equal(null);
  });

  it("passes by what the SDK cannot represent, and gives descriptions as JSON", async () => {
    const keyring = new AwsCryptoKeyring({ keyring: aesNode() });
    const { encryptedDataKeys } = await keyring.onEncrypt(toEncrypt());
    const empty = { wrapAlgorithm: keyProvider("x"), ciphertext: new Uint8Array(0), description: stringMap([]) };
    const uninformed = { ...empty, ciphertext: bytes(1, 8), providerInfo: new Uint8Array(0) };
    expect(await keyring.onDecrypt(toDecrypt(), [empty, uninformed])).to.equal(null);
    expect(await keyring.onDecrypt(toDecrypt(), [empty, uninformed, ...encryptedDataKeys])).to.have.property("dataKey");
    const seen: EncryptedDataKey[] = [];
    const listening = new AwsCryptoKeyring({
      keyring: {
        onEncrypt: async (material) => material,
        onDecrypt: async (material, keys) => {
          seen.push(...keys);
          return material;
        },
      },
    });
    const wrapAlgorithm = defineWrapAlgorithm({ name: "own:wrap" });
    const described = { wrapAlgorithm, ciphertext: bytes(1, 8), description: stringMap([["a", "b"]]) };
    expect(await listening.onDecrypt(toDecrypt(), [described])).to.equal(null);
    expect(seen.map(({ providerId, providerInfo }) => [providerId, providerInfo])).to.deep.equal([
      ["own:wrap", '{"a":"b"}'],
    ]);
  });

  it("serves messages only, and asks its keyring about nothing else", async () => {
    const own = new OwnKeyring();
    const keyring = new AwsCryptoKeyring({ keyring: own });
    const { encryptedDataKeys } = await keyring.onEncrypt(toEncrypt());
    for (const suite of [COMMITTING_GCM, CBC]) {
      const error = await refusal("unsupported-operation", keyring.onEncrypt(toEncrypt(suite)));
      expect(error.message).to.contain("messages only");
      expect(await keyring.onDecrypt(toDecrypt(suite), encryptedDataKeys)).to.equal(null);
    }
    expect(own.seen).to.have.length(1);
  });

  it("refuses what is no keyring, and answers that are no wraps of the data key", async () => {
    for (const keyring of [undefined, {}, { onEncrypt: () => {} }]) {
      expect(() => new AwsCryptoKeyring({ keyring } as unknown as AwsCryptoKeyringOptions))
        .to.throw()
        .with.property("code", "invalid-argument");
    }
    for (const Made of [AwsCryptoKeyring, AwsCryptoMaterialsManager]) {
      expect(() => Reflect.construct(Made, [{ keyRing: aesNode() }]))
        .to.throw()
        .with.property("message")
        .that.contains('knows no option "keyRing"');
    }
    const idle = new AwsCryptoKeyring({
      keyring: { onEncrypt: async (material) => material, onDecrypt: async (material) => material },
    });
    await refusal("invalid-configuration", idle.onEncrypt(toEncrypt()));
    await refusal("invalid-configuration", idle.onEncrypt({ ...toEncrypt(), dataKey: importDataKey(bytes(1, 32)) }));
    const short = importDataKey(bytes(1, 16));
    const keyring = new AwsCryptoKeyring({ keyring: aesNode() });
    await refusal("invalid-configuration", keyring.onEncrypt({ ...toEncrypt(), dataKey: short }));
  });

  it("refuses another data key than the one that it handed over, or one of another suite", async () => {
    const own = new OwnKeyring();
    const given: NodeEncryptionMaterial[] = [];
    const small = MESSAGE_SUITES.find(({ keyLength }) => keyLength === 16);
    const swapping = new AwsCryptoKeyring({
      keyring: {
        onEncrypt: (material) => {
          given.push(material);
          return own.onEncrypt(new NodeEncryptionMaterial(material.suite, material.encryptionContext));
        },
        onDecrypt: ({ encryptionContext }, keys) =>
          own.onDecrypt(new NodeDecryptionMaterial(new NodeAlgorithmSuite(small?.id ?? 0), encryptionContext), keys),
      },
    });
    const dataKey = importDataKey(bytes(1, 32));
    await refusal("invalid-configuration", swapping.onEncrypt({ ...toEncrypt(), dataKey }));
    expect(given.map((material) => material.hasUnencryptedDataKey)).to.deep.equal([false]);
    const { encryptedDataKeys } = await new AwsCryptoKeyring({ keyring: own }).onEncrypt(toEncrypt(small));
    await refusal("decryption-failed", swapping.onDecrypt(toDecrypt(), encryptedDataKeys));
  });

  it("gives its errors of writing as a cause", async () => {
    const { privateKey } = generateKeyPairSync("rsa", {
      modulusLength: 2048,
      publicKeyEncoding: { type: "spki", format: "pem" },
      privateKeyEncoding: { type: "pkcs8", format: "pem" },
    });
    const reader = new RawRsaKeyringNode({ keyName: "a", keyNamespace: "b", rsaKey: { privateKey } });
    const error = await refusal(
      "invalid-configuration",
      new AwsCryptoKeyring({ keyring: reader }).onEncrypt(toEncrypt()),
    );
    expect(error.cause).to.have.property("message").that.contains("No public key");
  });

  it("shows no key when it is printed", async () => {
    const keyring = new AwsCryptoKeyring({ keyring: aesNode() });
    const materials = await keyring.onEncrypt(toEncrypt(COMMITTED_SIGNED));
    const printed = inspect([keyring, materials], { depth: null, showHidden: true });
    for (const secret of [materials.dataKey?.export(), Buffer.from(bytes(7, 32))]) {
      for (const encoding of ["hex", "base64"] as const) expect(printed).to.not.contain(secret?.toString(encoding));
    }
  });

  describe("with KMS", () => {
    let server: DevServer;
    let client: KMS;
    let keyArn: string;

    before(async () => {
      server = await startDevServer();
      const { endpoint, region, credentials } = server.clientConfig;
      client = new KMS({ endpoint, region, credentials, maxAttempts: 1 });
      keyArn = server.kms.createKey().arn;
    });
    afterEach(() => server.faults.clear());
    after(async () => {
      client.destroy();
      await server.close();
    });

    const kmsNode = (): KmsKeyringNode => new KmsKeyringNode({ generatorKeyId: keyArn, clientProvider: () => client });

    it("tells a key that cannot be asked from one that does not open", async () => {
      for (const inner of [kmsNode(), new MultiKeyringNode({ generator: kmsNode() })]) {
        const keyring = new AwsCryptoKeyring({ keyring: inner });
        const { encryptedDataKeys } = await keyring.onEncrypt(toEncrypt());
        const elsewhere = toDecrypt(COMMITTED, { tenant: "b" });
        const failed = await refusal("decryption-failed", keyring.onDecrypt(elsewhere, encryptedDataKeys));
        expect(failed.cause).to.be.instanceOf(Error);
        expect(Object.keys(failed)).to.not.include("cause");
        for (const fault of [
          { status: 400, code: "AccessDeniedException" },
          { status: 400, code: "DisabledException" },
          { status: 400, code: "NotFoundException" },
          { status: 500, code: "KMSInternalException" },
          { cutAfterBytes: 0 },
        ]) {
          server.faults.clear();
          server.faults.add({ service: "kms", ...fault });
          for (const act of [
            () => keyring.onDecrypt(toDecrypt(), encryptedDataKeys),
            () => keyring.onEncrypt(toEncrypt()),
          ]) {
            expect((await refusal("key-unavailable", act())).cause).to.be.instanceOf(Error);
          }
        }
        server.faults.clear();
      }
    });

    it("reports a KMS that is not there", async () => {
      const away = new KMS({ ...server.clientConfig, endpoint: "http://127.0.0.1:1", maxAttempts: 1 });
      const keyring = new KmsKeyringNode({ generatorKeyId: keyArn, clientProvider: () => away });
      const { encryptedDataKeys } = await new AwsCryptoKeyring({ keyring: kmsNode() }).onEncrypt(toEncrypt());
      const absent = new AwsCryptoKeyring({ keyring });
      await refusal("key-unavailable", absent.onEncrypt(toEncrypt()));
      await refusal("key-unavailable", absent.onDecrypt(toDecrypt(), encryptedDataKeys));
      away.destroy();
    });
  });
});
