import { mkdir, mkdtemp, rm, stat, symlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { KMSClient } from "@aws-sdk/client-kms";
import { PutObjectCommand, S3Client } from "@aws-sdk/client-s3";
import { S3EncryptionClient } from "@s3ec/client";
import { startDevServer } from "@s3ec/dev-server";
import { KmsKeyring } from "@s3ec/keyring-kms";
import { build } from "esbuild";
import { startLambda } from "./lambda-emulator.js";

const Bucket = "reports";
const RUNS = 9;
const PACKAGES = fileURLToPath(new URL("../../../../node_modules", import.meta.url));
/** What Lambda's own runtime has, and CDK's `NodejsFunction` leaves to it. */
const THERE = ["@aws-sdk/*", "@smithy/*"];

const HANDLER = `
import { GetObjectCommand } from "@aws-sdk/client-s3";
export async function handler({ Key }) {
  const { Body } = await s3.send(new GetObjectCommand({ Bucket: process.env.BUCKET, Key }));
  return await Body.transformToString();
}
`;

/** Functions that get an object: what is stored is what the first of them is compared with. */
const FUNCTIONS = {
  "`S3Client`": `import { S3Client } from "@aws-sdk/client-s3";
const s3 = new S3Client({});
${HANDLER}`,
  "`S3EncryptionClient`, `KmsKeyring`": `import { S3EncryptionClient } from "@s3ec/client";
import { KmsKeyring } from "@s3ec/keyring-kms";
const s3 = new S3EncryptionClient({ encryption: { keyring: new KmsKeyring({ keyId: "alias/app" }) } });
${HANDLER}`,
};

/** Says how large functions that get an object are, and how long their first and second invocation take in Lambda's emulator. */
export async function coldStarts(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "s3ec-lambda-"));
  const server = await startDevServer({ buckets: [Bucket], aliases: ["alias/app"] });
  try {
    const kms = new KMSClient(server.clientConfig);
    const keyring = new KmsKeyring({ keyId: "alias/app", client: kms });
    const clients: readonly S3Client[] = [
      new S3Client(server.clientConfig),
      new S3EncryptionClient({ ...server.clientConfig, encryption: { keyring } }),
    ];
    const functions = await Promise.all(
      Object.entries(FUNCTIONS).map(async ([name, code], index) => {
        await clients[index]?.send(new PutObjectCommand({ Bucket, Key: `${index}`, Body: "a report" }));
        const first: number[] = [];
        const second: number[] = [];
        return { name, Key: `${index}`, ...(await bundled(code, join(folder, `${index}`))), first, second };
      }),
    );
    for (const client of [...clients, kms]) client.destroy();
    const env = {
      AWS_ENDPOINT_URL: server.endpoint,
      AWS_REGION: server.region,
      AWS_ACCESS_KEY_ID: server.credentials.accessKeyId,
      AWS_SECRET_ACCESS_KEY: server.credentials.secretAccessKey,
      BUCKET: Bucket,
    };
    for (let run = 0; run < RUNS; run += 1) {
      for (const { bundle, Key, first, second } of functions) {
        await using lambda = await started(bundle, env);
        first.push(await lambda.timed({ Key }));
        second.push(await lambda.timed({ Key }));
      }
    }
    const rows = functions.map(
      ({ name, bytes, first, second }) =>
        `| ${name} | ${(bytes / 1000).toFixed(0)} kB | ${median(first)} ms | ${median(second)} ms |`,
    );
    return ["| a get by | bundle | first invocation | second |", "| - | - | - | - |", ...rows, ""].join("\n");
  } finally {
    await server.close();
    await rm(folder, { recursive: true, force: true });
  }
}

/** As CDK's `NodejsFunction` bundles with `minify`. */
async function bundled(code: string, folder: string): Promise<{ readonly bundle: string; readonly bytes: number }> {
  await mkdir(folder);
  await symlink(PACKAGES, join(folder, "node_modules"), "junction");
  const bundle = join(folder, "index.mjs");
  await build({
    stdin: { contents: code, resolveDir: folder },
    outfile: bundle,
    bundle: true,
    minify: true,
    platform: "node",
    format: "esm",
    target: "node20",
    external: THERE,
    logLevel: "error",
  });
  return { bundle, bytes: (await stat(bundle)).size };
}

interface Started extends AsyncDisposable {
  timed(event: unknown): Promise<number>;
}

async function started(bundle: string, env: Readonly<Record<string, string>>): Promise<Started> {
  const lambda = await startLambda(bundle, { env, timeout: 30 });
  return {
    timed: async (event: unknown): Promise<number> => {
      const before = performance.now();
      const answer = await lambda.invoke(event);
      if (answer !== "a report") throw new Error(`The function answered ${JSON.stringify(answer)}.`);
      return performance.now() - before;
    },
    [Symbol.asyncDispose]: () => lambda.close(),
  };
}

function median(values: readonly number[]): string {
  return ([...values].sort((one, other) => one - other)[values.length >> 1] ?? 0).toFixed(0);
}
