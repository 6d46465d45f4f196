import { execFile } from "node:child_process";
import { randomBytes } from "node:crypto";
import { copyFile, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { DecryptCommand, KMSClient } from "@aws-sdk/client-kms";
import { GetObjectCommand, PutObjectCommand, S3Client } from "@aws-sdk/client-s3";
import { S3EncryptionClient } from "@s3ec/client";
import { startDevServer } from "@s3ec/dev-server";
import { KmsKeyring } from "@s3ec/keyring-kms";
import { loadVectors, type ProductObject, readBody } from "@s3ec/test-vectors";
import { buildOnce, folderContents } from "./build/build-cache.js";
import { buildJava, PEER_SOURCES } from "./build/build-program.js";
import { runCommand } from "./build/run-command.js";
import type { KeyringJob } from "./objects/job.js";
import { startObjectPeer } from "./objects/object-peers.js";
import { storedKey } from "./objects/surroundings.js";
import { plaintext, sha256 } from "./peers/plaintext.js";
import { CREDENTIALS } from "./servers/servers.js";

/*
 * Writes `test-vectors/products` anew: what products that encrypt by themselves store, by their own code. `npm run
 * make-product-vectors --workspace @s3ec/interop`.
 */

const FOLDER = fileURLToPath(new URL("../../../test-vectors/", import.meta.url));
const LENGTHS = [0, 28, 1000];
const HADOOP_PATIENCE_MS = 30_000;
const run = promisify(execFile);
const server = await startDevServer({ buckets: ["demo"], ...CREDENTIALS });
const s3 = new S3Client(server.clientConfig);
const made: ProductObject[] = [];
try {
  await rm(join(FOLDER, "products"), { recursive: true, force: true });
  await mkdir(join(FOLDER, "products"));
  for (const bits of [128, 256]) await snowflake(randomBytes(bits / 8).toString("base64"), bits);
  await hadoop();
  await javaKeystore();
  await writeFile(join(FOLDER, "products/manifest.json"), `${JSON.stringify(made, null, 2)}\n`);
  console.log(`${made.length} objects`);
} finally {
  s3.destroy();
  await server.close();
}

async function keep(
  entry: Omit<ProductObject, "body" | "plaintext">,
  body: Uint8Array,
  seed: number,
  length: number,
): Promise<void> {
  const file = `products/${entry.id}.bin`;
  await writeFile(join(FOLDER, file), body);
  made.push({ ...entry, body: { file }, plaintext: { seed, length, sha256: sha256(plaintext(seed, length)) } });
}

async function snowflake(key: string, bits: number): Promise<void> {
  const source = join(PEER_SOURCES, "snowflake");
  const built = await buildOnce("snowflake", await folderContents(source), async (out) => {
    for (const file of ["package.json", "peer.mjs"]) await copyFile(join(source, file), join(out, file));
    await runCommand("npm", ["install", "--ignore-scripts", "--no-audit", "--no-fund", "--silent"], { cwd: out });
  });
  const { stdout } = await run(process.execPath, [join(built, "peer.mjs"), key, ...LENGTHS.map(String)]);
  for (const line of stdout.trim().split("\n")) {
    const { length, body, metadata } = JSON.parse(line);
    const entry = { id: `snowflake-${bits}-${length}`, product: "snowflake-sdk 3.3.0 for Node.js", metadata, key };
    await keep(entry, Buffer.from(body, "base64"), length, length);
  }
}

/** Both ways: what it reads of ours is looked at here, and told in docs/reading-hadoop.md. */
async function hadoop(): Promise<void> {
  const { arn } = server.kms.createKey();
  const program = await buildJava("hadoop", join(PEER_SOURCES, "hadoop"), [], ["."]);
  const folder = await mkdtemp(join(tmpdir(), "s3ec-hadoop-"));
  const kms = new KMSClient(server.clientConfig);
  try {
    const ask = async (op: "put" | "get" | "get-v1", names: readonly string[], key = arn): Promise<string[]> => {
      const files = names.flatMap((name) => [name, join(folder, name)]);
      const env = { ...process.env, AWS_ENDPOINT_URL_KMS: server.endpoint, AWS_REGION: server.region };
      const { accessKeyId, secretAccessKey } = CREDENTIALS;
      const credentials = { AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey };
      const args = [...program.args, op, server.endpoint, key, ...files];
      const options = { env: { ...env, ...credentials }, timeout: HADOOP_PATIENCE_MS };
      const answered = await run(program.command, args, options).catch((error: Error) => {
        if ("killed" in error && error.killed) return { stdout: "no answer" };
        throw error;
      });
      return answered.stdout.trim().split("\n");
    };
    for (const length of LENGTHS) await writeFile(join(folder, `hadoop-${length}`), plaintext(length, length));
    expectLines(
      await ask(
        "put",
        LENGTHS.map((length) => `hadoop-${length}`),
      ),
      LENGTHS.map((length) => `hadoop-${length} ${length}`),
    );
    for (const length of LENGTHS) {
      const id = `hadoop-${length}`;
      const { Body, Metadata: metadata = {} } = await s3.send(new GetObjectCommand({ Bucket: "demo", Key: id }));
      const CiphertextBlob = Buffer.from(metadata["x-amz-key-v2"] ?? "", "base64");
      const EncryptionContext = JSON.parse(metadata["x-amz-matdesc"] ?? "{}");
      const { Plaintext } = await kms.send(new DecryptCommand({ KeyId: arn, CiphertextBlob, EncryptionContext }));
      const answer = {
        keyArn: arn,
        encryptionContext: EncryptionContext,
        ciphertextBlob: CiphertextBlob.toString("base64"),
        plaintextDataKey: Buffer.from(Plaintext ?? []).toString("base64"),
      };
      const product = "hadoop-aws 3.4.2 with amazon-s3-encryption-client-java 3.1.3";
      const body = (await Body?.transformToByteArray()) ?? new Uint8Array();
      await keep({ id, product, metadata, kms: answer }, body, length, length);
    }
    const ours = new S3EncryptionClient({
      ...server.clientConfig,
      encryption: {
        keyring: new KmsKeyring({ keyId: arn, client: kms }),
        commitmentPolicy: "FORBID_ENCRYPT_ALLOW_DECRYPT",
      },
    });
    await ours.send(new PutObjectCommand({ Bucket: "demo", Key: "ours", Body: "of ours" }));
    const params = { Bucket: "demo", Key: "with-context", Body: "of ours" };
    await ours.send(new PutObjectCommand(params), { encryptionContext: { tenant: "a" } });
    const [read, refused] = await ask("get", ["ours", "with-context"]);
    expectLines([read ?? ""], ["ours 7"]);
    if (!refused?.includes("Provided encryption context does not match")) throw new Error(`It answered ${refused}`);
    if ((await readFile(join(folder, "ours"), "utf8")) !== "of ours") throw new Error("It read something else.");
    ours.destroy();
    await v1(ask, arn);
  } finally {
    kms.destroy();
    await rm(folder, { recursive: true });
  }
}

/**
 * Its mode for V1: a length that the metadata doesn't state is found out by a range that ends behind the object. The Java
 * client inside answers that for CBC, and never for GCM, not even of its own.
 */
async function v1(
  ask: (op: "get-v1", names: readonly string[], key: string) => Promise<readonly string[]>,
  itsKey: string,
): Promise<void> {
  for (const [id, stated, answer] of [
    ["java-v1-eo-kms1-meta-100", true, "100"],
    ["java-v1-eo-kms1-meta-100", false, "100"],
    ["java-v1-eo-kms1-meta-16", false, "16"],
    ["java-v1-ae-kms1-meta-100", true, "100"],
    ["java-v1-ae-kms1-meta-100", false, undefined],
  ] as const) {
    const vector = loadVectors().find((one) => one.id === id);
    if (vector?.kms === undefined) throw new Error(`There is no ${id}.`);
    const { keyArn, encryptionContext, ciphertextBlob, plaintextDataKey } = vector.kms;
    const blob = Buffer.from(ciphertextBlob, "base64");
    const key = Buffer.from(plaintextDataKey, "base64");
    server.kms.seedDecrypt({ ciphertextBlob: blob, encryptionContext, keyArn, plaintext: key });
    const { "x-amz-unencrypted-content-length": _, ...unstated } = vector.metadata;
    await server.putRawObject("demo", id, { body: readBody(vector), metadata: stated ? vector.metadata : unstated });
    expectLines(await ask("get-v1", [id], keyArn), [answer === undefined ? "no answer" : `${id} ${answer}`]);
  }
  expectLines(await ask("get-v1", ["hadoop-28"], itsKey), ["no answer"]);
}

function expectLines(lines: readonly string[], expected: readonly string[]): void {
  if (lines.join("\n") !== expected.join("\n")) throw new Error(`It answered ${JSON.stringify(lines)}`);
}

/** Java clients with the keys of a store that keytool made, which they open themselves. */
async function javaKeystore(): Promise<void> {
  const store = { file: join(FOLDER, "key-files/java.p12"), passphrase: "changeit" };
  const aes = await storedKey({ ...store, alias: "archive" }, "aes");
  const keyrings: readonly KeyringJob[] = [
    { type: "aes", key: aes.export().toString("base64"), store: { ...store, alias: "archive" } },
    { type: "rsa", privateKey: "", publicKey: "", store: { ...store, alias: "orders" } },
  ];
  const endpoint = { endpoint: server.endpoint, region: server.region };
  for (const [peer, client] of [
    ["java-v1", "java-v1-eo"],
    ["java-v1", "java-v1-ae"],
    ["java-v4", "java-v4"],
  ] as const) {
    const started = await startObjectPeer(peer, endpoint);
    try {
      for (const keyring of keyrings) {
        const id = `keystore-${client}-${keyring.type}`;
        const answer = await started.run({
          op: "put",
          client,
          s3: endpoint,
          kms: endpoint,
          bucket: "demo",
          key: id,
          keyring,
          placement: "metadata",
          suite: client === "java-v1-eo" ? "cbc" : client === "java-v4" ? "committing" : "gcm",
          body: { seed: 28, length: 28 },
        });
        if (!answer.ok) throw new Error(`${id}: ${answer.message}`);
        const { Body, Metadata: metadata = {} } = await s3.send(new GetObjectCommand({ Bucket: "demo", Key: id }));
        const product = `${client === "java-v4" ? "S3EncryptionClient 4.0.1" : "AmazonS3EncryptionClient 1.12.797"} of Java`;
        const body = (await Body?.transformToByteArray()) ?? new Uint8Array();
        await keep({ id, product, metadata, store: "key-files/java.p12" }, body, 28, 28);
      }
    } finally {
      await started.close();
    }
  }
}
