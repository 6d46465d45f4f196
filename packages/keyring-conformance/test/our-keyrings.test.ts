import { createCipheriv, createDecipheriv, generateKeyPairSync, randomBytes } from "node:crypto";
import { KMSClient } from "@aws-sdk/client-kms";
import { type DevServer, startDevServer } from "@s3ec/dev-server";
import { KmsDiscoveryKeyring, KmsKeyring } from "@s3ec/keyring-kms";
import { MultiKeyring } from "@s3ec/keyring-multi";
import { RawAesKeyring } from "@s3ec/keyring-raw-aes";
import { RawRsaKeyring } from "@s3ec/keyring-raw-rsa";
import { defineKeyring, type Keyring } from "@s3ec/materials";
import { describeKeyring } from "../dist/index.js";
import { ReferenceKeyring } from "./reference-keyring.js";

const [key, otherKey] = [randomBytes(32), randomBytes(32)];
const [pair, otherPair] = [2048, 2048].map((modulusLength) => generateKeyPairSync("rsa", { modulusLength }));
if (pair === undefined || otherPair === undefined) throw new Error("unreachable");

const messageKey = { namespace: "test keys", name: "one" };
const formats = ["s3", "message"] as const;

function definedWith(wrappingKey: Buffer): Keyring {
  return defineKeyring({
    name: "test:defined/v1",
    wrap: (dataKey, binding) => {
      const iv = randomBytes(12);
      const cipher = createCipheriv("aes-256-gcm", wrappingKey, iv).setAAD(Buffer.from(binding));
      return Buffer.concat([iv, cipher.update(dataKey), cipher.final(), cipher.getAuthTag()]);
    },
    unwrap: (wrapped, binding) => {
      const decipher = createDecipheriv("aes-256-gcm", wrappingKey, wrapped.subarray(0, 12), { authTagLength: 16 });
      decipher.setAAD(Buffer.from(binding)).setAuthTag(wrapped.subarray(-16));
      return Buffer.concat([decipher.update(wrapped.subarray(12, -16)), decipher.final()]);
    },
  });
}

describe("every keyring of ours", () => {
  let server: DevServer;
  let client: KMSClient;
  const arns = { one: "", two: "" };

  before(async () => {
    server = await startDevServer();
    const { endpoint, region, credentials } = server.clientConfig;
    client = new KMSClient({ endpoint, region, credentials });
    arns.one = server.kms.createKey({ alias: "alias/one" }).arn;
    arns.two = server.kms.createKey({ alias: "alias/two" }).arn;
  });
  after(async () => {
    client.destroy();
    await server.close();
  });

  const kms = (keyId: string) => () => new KmsKeyring({ keyId, client });

  describeKeyring("reference", { create: () => new ReferenceKeyring(key), formats });
  describeKeyring("defined", {
    create: () => definedWith(key),
    createOther: () => definedWith(otherKey),
    secrets: [key],
    formats,
  });
  describeKeyring("raw AES", {
    create: () => new RawAesKeyring({ wrappingKey: key, materialDescription: { name: "one" }, messageKey }),
    createOther: () => new RawAesKeyring({ wrappingKey: otherKey, messageKey }),
    secrets: [key],
    formats,
  });
  describeKeyring("raw RSA", {
    create: () => new RawRsaKeyring({ privateKey: pair.privateKey, messageKey }),
    createOther: () => new RawRsaKeyring({ privateKey: otherPair.privateKey, messageKey }),
    bindsContextOfMessages: false,
    formats,
  });
  describeKeyring("raw RSA with the public key alone", {
    create: () => new RawRsaKeyring({ publicKey: pair.publicKey, messageKey }),
    createReader: () => new RawRsaKeyring({ privateKey: pair.privateKey, messageKey }),
    bindsContextOfMessages: false,
    formats,
  });
  describeKeyring("KMS", { create: kms("alias/one"), createOther: kms("alias/two"), formats });
  describeKeyring("KMS by ARN", {
    create: () => kms(arns.one)(),
    createOther: () => kms(arns.two)(),
    formats,
  });
  describeKeyring("KMS discovery", {
    create: () => new KmsDiscoveryKeyring({ client }),
    createWriter: kms("alias/one"),
    formats,
  });
  describeKeyring("multi", {
    create: () =>
      new MultiKeyring({
        generator: kms("alias/one")(),
        children: [
          { keyring: new RawAesKeyring({ wrappingKey: key, messageKey }), instructionFileSuffix: "a" },
          {
            keyring: new RawRsaKeyring({ privateKey: pair.privateKey, messageKey: { namespace: "rsa", name: "one" } }),
            instructionFileSuffix: "b",
          },
        ],
      }),
    createOther: () =>
      new MultiKeyring({
        generator: kms("alias/two")(),
        children: [{ keyring: new RawAesKeyring({ wrappingKey: otherKey, messageKey }), instructionFileSuffix: "a" }],
      }),
    encryptedDataKeys: 3,
    secrets: [key],
    bindsContextOfMessages: false,
    formats,
  });
});
