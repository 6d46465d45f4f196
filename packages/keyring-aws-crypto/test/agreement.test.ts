import { constants, generateKeyPairSync } from "node:crypto";
import {
  KMS,
  KmsKeyringNode,
  RawAesKeyringNode,
  RawAesWrappingSuiteIdentifier,
  RawRsaKeyringNode,
} from "@aws-crypto/client-node";
import { KMSClient } from "@aws-sdk/client-kms";
import { type DevServer, startDevServer } from "@s3ec/dev-server";
import { MESSAGE_SUITES } from "@s3ec/format-aws-message";
import { KmsDiscoveryKeyring, KmsKeyring } from "@s3ec/keyring-kms";
import { RawAesKeyring } from "@s3ec/keyring-raw-aes";
import { RawRsaKeyring } from "@s3ec/keyring-raw-rsa";
import { importDataKey, type Keyring } from "@s3ec/materials";
import { bytes } from "@s3ec/test-support";
import { expect } from "chai";
import { AwsCryptoKeyring } from "../dist/index.js";
import { CONTEXT, NAME, toDecrypt, toEncrypt } from "./fixture.js";

const { publicKey, privateKey } = generateKeyPairSync("rsa", {
  modulusLength: 2048,
  publicKeyEncoding: { type: "spki", format: "pem" },
  privateKeyEncoding: { type: "pkcs8", format: "pem" },
});

/** Each opens what the other wrapped, for every suite, and not under another context where the wrap binds it. */
async function agree(ours: Keyring, theirs: Keyring, bindsContext: boolean): Promise<void> {
  for (const suite of MESSAGE_SUITES) {
    for (const [writer, reader] of [
      [ours, theirs],
      [theirs, ours],
    ] as const) {
      const dataKey = importDataKey(bytes(1, suite.keyLength));
      const { encryptedDataKeys } = await writer.onEncrypt({ ...toEncrypt(suite), dataKey });
      expect(encryptedDataKeys).to.have.length(1);
      const opened = await reader.onDecrypt(toDecrypt(suite), encryptedDataKeys);
      expect(opened?.dataKey?.equals(dataKey)).to.equal(true);
      if (!bindsContext) continue;
      const elsewhere = reader.onDecrypt(toDecrypt(suite, { ...CONTEXT, tenant: "b" }), encryptedDataKeys);
      expect(await elsewhere.then((materials) => materials?.dataKey).catch(() => undefined)).to.equal(undefined);
    }
  }
}

describe("our keyrings and those of the AWS Encryption SDK open each other's wraps", () => {
  for (const [length, wrappingSuite] of [
    [16, RawAesWrappingSuiteIdentifier.AES128_GCM_IV12_TAG16_NO_PADDING],
    [24, RawAesWrappingSuiteIdentifier.AES192_GCM_IV12_TAG16_NO_PADDING],
    [32, RawAesWrappingSuiteIdentifier.AES256_GCM_IV12_TAG16_NO_PADDING],
  ] as const) {
    it(`raw AES with ${length} bytes`, async () => {
      const keyring = new RawAesKeyringNode({
        keyName: NAME.name,
        keyNamespace: NAME.namespace,
        unencryptedMasterKey: bytes(7, length),
        wrappingSuite,
      });
      const ours = new RawAesKeyring({ wrappingKey: bytes(7, length), messageKey: NAME });
      await agree(ours, new AwsCryptoKeyring({ keyring }), true);
    });
  }

  it("raw AES with names that the SDK orders as no other does, unless it is told utf8Sorting", async () => {
    const encryptionContext = { b: "1", C: "2" };
    const sdk = (utf8Sorting: boolean): Keyring =>
      new AwsCryptoKeyring({
        keyring: new RawAesKeyringNode({
          keyName: NAME.name,
          keyNamespace: NAME.namespace,
          unencryptedMasterKey: bytes(7, 32),
          wrappingSuite: RawAesWrappingSuiteIdentifier.AES256_GCM_IV12_TAG16_NO_PADDING,
          utf8Sorting,
        }),
      });
    const ours = new RawAesKeyring({ wrappingKey: bytes(7, 32), messageKey: NAME });
    const opens = async (writer: Keyring, reader: Keyring): Promise<boolean> => {
      const { encryptedDataKeys } = await writer.onEncrypt({ ...toEncrypt(), encryptionContext });
      return (await reader.onDecrypt({ ...toDecrypt(), encryptionContext }, encryptedDataKeys)) !== null;
    };
    expect(await opens(sdk(false), ours)).to.equal(true);
    expect(await opens(sdk(true), ours)).to.equal(true);
    expect(await opens(ours, sdk(true))).to.equal(true);
    expect(await opens(ours, sdk(false))).to.equal(false);
  });

  for (const oaepHash of ["sha1", "sha256", "sha384", "sha512"] as const) {
    it(`raw RSA with ${oaepHash}`, async () => {
      const keyring = new RawRsaKeyringNode({
        keyName: NAME.name,
        keyNamespace: NAME.namespace,
        rsaKey: { publicKey, privateKey },
        padding: constants.RSA_PKCS1_OAEP_PADDING,
        oaepHash,
      });
      const ours = new RawRsaKeyring({ privateKey, messageKey: NAME, oaepHash });
      await agree(ours, new AwsCryptoKeyring({ keyring }), false);
    });
  }

  describe("KMS", () => {
    let server: DevServer;
    let client: KMSClient;
    let sdkClient: KMS;
    let keyArn: string;

    before(async () => {
      server = await startDevServer();
      const { endpoint, region, credentials } = server.clientConfig;
      client = new KMSClient({ endpoint, region, credentials });
      sdkClient = new KMS({ endpoint, region, credentials });
      keyArn = server.kms.createKey({ alias: "alias/app" }).arn;
    });
    after(async () => {
      client.destroy();
      sdkClient.destroy();
      await server.close();
    });

    it("by ARN, by alias and by discovery", async () => {
      const keyring = new KmsKeyringNode({ generatorKeyId: keyArn, clientProvider: () => sdkClient });
      const theirs = new AwsCryptoKeyring({ keyring });
      await agree(new KmsKeyring({ keyId: keyArn, client }), theirs, true);
      await agree(new KmsKeyring({ keyId: "alias/app", client }), theirs, true);
      const discovering = new KmsKeyringNode({ discovery: true, clientProvider: () => sdkClient });
      for (const [writer, reader] of [
        [theirs, new KmsDiscoveryKeyring({ client })],
        [new KmsKeyring({ keyId: keyArn, client }), new AwsCryptoKeyring({ keyring: discovering })],
      ] as const) {
        const { dataKey, encryptedDataKeys } = await writer.onEncrypt(toEncrypt());
        const opened = await reader.onDecrypt(toDecrypt(), encryptedDataKeys);
        expect(dataKey && opened?.dataKey?.equals(dataKey)).to.equal(true);
      }
    });
  });
});
