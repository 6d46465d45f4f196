// Reads an object as the Java SDK v1's AmazonS3EncryptionClient wrote it with an RSA key pair, in the mode that was its
// default until 2020. Runs alone: `node docs/examples/read-java.mjs`.
import {
  constants,
  createCipheriv,
  createPublicKey,
  generateKeyPairSync,
  publicEncrypt,
  randomBytes,
} from "node:crypto";
import { GetObjectCommand, PutObjectCommand, S3Client } from "@aws-sdk/client-s3";
import { S3EncryptionClient } from "@s3ec/client";
import { startDevServer } from "@s3ec/dev-server";
import { RawRsaKeyring } from "@s3ec/keyring-raw-rsa";

const server = await startDevServer({ buckets: ["archive"] });
const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
const object = { Bucket: "archive", Key: "2014/report" };
await storeAsJavaDid("Written in 2014.");

const read = async (encryption) => {
  const s3 = new S3EncryptionClient({ ...server.clientConfig, encryption });
  try {
    const { Body } = await s3.send(new GetObjectCommand(object));
    return await Body.transformToString();
  } catch (error) {
    return `${error.code}: ${error.message}`;
  } finally {
    s3.destroy();
  }
};

// Each refusal names the switch that is missing.
const keyring = new RawRsaKeyring({ privateKey });
console.log(await read({ keyring }));
const policy = { keyring, commitmentPolicy: "REQUIRE_ENCRYPT_ALLOW_DECRYPT" };
console.log(await read(policy));
console.log(await read({ ...policy, enableLegacyUnauthenticatedModes: true }));
console.log(await read({ ...policy, enableLegacyUnauthenticatedModes: true, enableLegacyWrappingAlgorithms: true }));

await server.close();

async function storeAsJavaDid(text) {
  const dataKey = randomBytes(32);
  const iv = randomBytes(16);
  const cipher = createCipheriv("aes-256-cbc", dataKey, iv);
  const wrapped = publicEncrypt({ key: createPublicKey(privateKey), padding: constants.RSA_PKCS1_PADDING }, dataKey);
  const plain = new S3Client(server.clientConfig);
  await plain.send(
    new PutObjectCommand({
      ...object,
      Body: Buffer.concat([cipher.update(text), cipher.final()]),
      Metadata: {
        "x-amz-key": wrapped.toString("base64"),
        "x-amz-iv": iv.toString("base64"),
        "x-amz-matdesc": "{}",
        "x-amz-unencrypted-content-length": String(text.length),
      },
    }),
  );
  plain.destroy();
}
