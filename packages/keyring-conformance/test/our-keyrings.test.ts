import { generateKeyPairSync, randomBytes } from "node:crypto";
import { KMSClient } from "@aws-sdk/client-kms";
import { type DevServer, startDevServer } from "@s3ec/dev-server";
import { KmsDiscoveryKeyring, KmsKeyring } from "@s3ec/keyring-kms";
import { MultiKeyring } from "@s3ec/keyring-multi";
import { RawAesKeyring } from "@s3ec/keyring-raw-aes";
import { RawRsaKeyring } from "@s3ec/keyring-raw-rsa";
import { describeKeyring } from "../dist/index.js";
import { ReferenceKeyring } from "./reference-keyring.js";

const [key, otherKey] = [randomBytes(32), randomBytes(32)];
const [pair, otherPair] = [2048, 2048].map((modulusLength) => generateKeyPairSync("rsa", { modulusLength }));
if (pair === undefined || otherPair === undefined) throw new Error("unreachable");

describe("every keyring of ours", () => {
  let server: DevServer;
  let client: KMSClient;

  before(async () => {
    server = await startDevServer();
    const { endpoint, region, credentials } = server.clientConfig;
    client = new KMSClient({ endpoint, region, credentials });
    server.kms.createKey({ alias: "alias/one" });
    server.kms.createKey({ alias: "alias/two" });
  });
  after(async () => {
    client.destroy();
    await server.close();
  });

  const kms = (keyId: string) => () => new KmsKeyring({ keyId, client });

  describeKeyring("reference", () => new ReferenceKeyring(key));
  describeKeyring("raw AES", {
    create: () => new RawAesKeyring({ wrappingKey: key, materialDescription: { name: "one" } }),
    createOther: () => new RawAesKeyring({ wrappingKey: otherKey }),
    secrets: [key],
  });
  describeKeyring("raw RSA", {
    create: () => new RawRsaKeyring({ privateKey: pair.privateKey }),
    createOther: () => new RawRsaKeyring({ privateKey: otherPair.privateKey }),
  });
  describeKeyring("raw RSA with the public key alone", {
    create: () => new RawRsaKeyring({ publicKey: pair.publicKey }),
    createReader: () => new RawRsaKeyring({ privateKey: pair.privateKey }),
  });
  describeKeyring("KMS", { create: kms("alias/one"), createOther: kms("alias/two") });
  describeKeyring("KMS discovery", {
    create: () => new KmsDiscoveryKeyring({ client }),
    createWriter: kms("alias/one"),
  });
  describeKeyring("multi", {
    create: () =>
      new MultiKeyring({
        generator: kms("alias/one")(),
        children: [
          { keyring: new RawAesKeyring({ wrappingKey: key }), instructionFileSuffix: "a" },
          { keyring: new RawRsaKeyring({ privateKey: pair.privateKey }), instructionFileSuffix: "b" },
        ],
      }),
    createOther: () =>
      new MultiKeyring({
        generator: kms("alias/two")(),
        children: [{ keyring: new RawAesKeyring({ wrappingKey: otherKey }), instructionFileSuffix: "a" }],
      }),
    encryptedDataKeys: 3,
    secrets: [key],
  });
});
