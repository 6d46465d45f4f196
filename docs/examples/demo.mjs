// The main job from end to end, without an AWS account: npm run demo, or npm run demo -- path/to/file
import { createHash, generateKeyPairSync } from "node:crypto";
import { createReadStream } from "node:fs";
import { copyFile, mkdtemp, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join, resolve } from "node:path";
import { Readable } from "node:stream";
import { fileURLToPath } from "node:url";
import { GetObjectCommand, ListObjectsV2Command, PutObjectCommand, S3Client } from "@aws-sdk/client-s3";
import { createFromConfig } from "@s3ec/container";
import { startDevServer } from "@s3ec/dev-server";

process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED = "true";

const given = process.argv[2] ?? fileURLToPath(new URL("../../README.md", import.meta.url));
const file = resolve(process.env.INIT_CWD ?? ".", given);
const stats = await stat(file).catch(() => undefined);
if (stats?.isFile() !== true) {
  console.error(`There is no file ${file}; name one: npm run demo -- path/to/file`);
  process.exit(1);
}
const object = { Bucket: "demo", Key: basename(file) };
const encryptionContext = { tenant: "a" };

const folder = await mkdtemp(join(tmpdir(), "s3ec-demo-"));
const server = await startDevServer({ buckets: [object.Bucket], aliases: ["alias/app"] });
const services = { s3: server.clientConfig, kms: server.clientConfig };
const plain = new S3Client(server.clientConfig);

try {
  step("A local S3 and KMS", `listens at ${server.endpoint}. Nothing leaves this machine.`);

  step(
    "The key hierarchy",
    "is described by docs/examples/escrow.config.json: KMS for the application, an RSA key for escrow.",
  );
  const { privateKey } = await hierarchy(folder);
  const app = await createFromConfig(join(folder, "escrow.config.json"), services);
  say(
    "The application may use the KMS key, and has the public half of the escrow key; the private half lies in a safe.",
  );

  step("Put", `${file} into s3://${object.Bucket}/${object.Key}, under the encryption context tenant=a.`);
  const went = await sha256(createReadStream(file));
  await app.client.send(new PutObjectCommand({ ...object, Body: createReadStream(file), ContentLength: stats.size }), {
    encryptionContext,
  });
  say(`went in    ${stats.size} bytes, SHA-256 ${went.hash}`);

  step("What S3 now stores", "is ciphertext, a key commitment, and the data key wrapped twice:");
  await showStored();

  step("Read through KMS", "as the application does.");
  await showRead(app, { encryptionContext }, went);

  step("Read with the escrow key alone,", "with KMS switched off: every request to it would fail, and none is made.");
  const kmsIsBack = server.faults.add({ service: "kms", status: 503 });
  server.clearRequests();
  const escrow = await createFromConfig(
    {
      keyring: {
        type: "raw-rsa",
        privateKey: { base64: Buffer.from(privateKey).toString("base64") },
        materialDescription: { purpose: "escrow" },
      },
      client: { instructionFileConfig: { suffix: ".escrow" } },
    },
    services,
  );
  await showRead(escrow, {}, went);
  say(`KMS was asked ${server.requests.filter(({ service }) => service === "kms").length} times.`);
  await escrow.dispose();
  kmsIsBack();

  step("The wrong encryption context", "tenant=b is refused:");
  await showRefusal(app, { encryptionContext: { tenant: "b" } });

  step("One flipped byte", "in the middle of what is stored, and nothing is given out:");
  await flipOneByte();
  await showRefusal(app, { encryptionContext });

  await app.dispose();
} finally {
  plain.destroy();
  await server.close();
  await rm(folder, { recursive: true });
}

/** The configuration as it is in the repository, beside a new escrow key pair; its private half belongs in a safe. */
async function hierarchy(into) {
  const pair = generateKeyPairSync("rsa", {
    modulusLength: 3072,
    publicKeyEncoding: { type: "spki", format: "pem" },
    privateKeyEncoding: { type: "pkcs8", format: "pem" },
  });
  await copyFile(new URL("escrow.config.json", import.meta.url), join(into, "escrow.config.json"));
  await writeFile(join(into, "escrow.pub.pem"), pair.publicKey);
  return pair;
}

async function showStored() {
  const { Contents = [] } = await plain.send(new ListObjectsV2Command({ Bucket: object.Bucket }));
  for (const { Key, Size } of Contents) {
    const { Body, Metadata = {} } = await plain.send(new GetObjectCommand({ Bucket: object.Bucket, Key }));
    say(`${Key}  (${Size} bytes)`);
    if (Key === object.Key) {
      const [first] = await Body.take(1).toArray();
      say(`  body       ${first.subarray(0, 24).toString("hex")}... (random to anyone without a key)`);
      showFields(Metadata);
    } else {
      showFields(JSON.parse(await Body.transformToString()));
    }
  }
}

function showFields(fields) {
  const meanings = {
    "x-amz-c": "the algorithm suite: AES-256-GCM with key commitment",
    "x-amz-d": "the key commitment",
    "x-amz-i": "the message id",
    "x-amz-3": "the data key, wrapped",
    "x-amz-w": "with this: 12 is KMS, 22 is RSA-OAEP",
    "x-amz-t": "the encryption context",
    "x-amz-m": "the material description",
  };
  for (const [name, value] of Object.entries(fields)) {
    if (name in meanings)
      say(`  ${name}    ${value.length > 44 ? `${value.slice(0, 41)}...` : value.padEnd(44)}  ${meanings[name]}`);
  }
}

async function showRead({ client }, options, went) {
  const { Body } = await client.send(new GetObjectCommand(object), options);
  const came = await sha256(Body);
  say(`came out   ${came.length} bytes, SHA-256 ${came.hash}${came.hash === went.hash ? " (the same)" : ""}`);
  if (came.hash !== went.hash) throw new Error("What came out is not what went in.");
}

async function showRefusal({ client }, options) {
  try {
    await client.send(new GetObjectCommand(object), options);
  } catch (error) {
    say(`refused    ${error.code}: ${error.message}`);
    return;
  }
  throw new Error("This should have been refused.");
}

/** As someone would who can write to the bucket but has no key. */
async function flipOneByte() {
  const { Body, ContentLength, Metadata } = await plain.send(new GetObjectCommand(object));
  const at = Math.floor(ContentLength / 2);
  const flipped = async function* () {
    let offset = 0;
    for await (const chunk of Body) {
      if (at >= offset && at < offset + chunk.length) chunk[at - offset] ^= 1;
      offset += chunk.length;
      yield chunk;
    }
  };
  const Tampered = Readable.from(flipped(), { objectMode: false });
  await plain.send(new PutObjectCommand({ ...object, Body: Tampered, ContentLength, Metadata }));
}

async function sha256(stream) {
  const hash = createHash("sha256");
  let length = 0;
  for await (const chunk of stream) {
    hash.update(chunk);
    length += chunk.length;
  }
  return { hash: hash.digest("hex"), length };
}

function step(title, text) {
  step.count = (step.count ?? 0) + 1;
  console.log(`\n${step.count}. ${title} ${text}`);
}

function say(text) {
  console.log(`   ${text}`);
}
