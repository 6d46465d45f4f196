#!/usr/bin/env node
import { readFile } from "node:fs/promises";
import { parseArgs } from "node:util";
import type { DevServer } from "./dev-server.js";
import { startDevServer } from "./server.js";

const usage = `Usage: s3ec-dev-server [--port N] [--directory DIR] [--region REGION] [--bucket NAME]...
                       [--access-key-id ID] [--secret-access-key SECRET] [--tls-key FILE --tls-cert FILE]

A local S3 and KMS for development. It listens on 127.0.0.1 only, and starts with the bucket "demo" and the key "alias/app".
Without --directory everything is gone when it stops.`;

const bucket = "demo";
const alias = "alias/app";

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      port: { type: "string", default: "0" },
      directory: { type: "string" },
      region: { type: "string" },
      bucket: { type: "string", multiple: true, default: [] },
      "access-key-id": { type: "string" },
      "secret-access-key": { type: "string" },
      "tls-key": { type: "string" },
      "tls-cert": { type: "string" },
      help: { type: "boolean", short: "h" },
    },
  });
  if (values.help) {
    console.log(usage);
    return;
  }
  const { directory, region, "access-key-id": accessKeyId, "secret-access-key": secretAccessKey } = values;
  const { "tls-key": key, "tls-cert": cert } = values;
  if ((key === undefined) !== (cert === undefined)) throw new Error("--tls-key and --tls-cert must be given together.");
  const server = await startDevServer({
    port: portOf(values.port),
    buckets: [bucket, ...values.bucket],
    aliases: [alias],
    ...(key !== undefined &&
      cert !== undefined && { tls: { key: await readFile(key, "utf8"), cert: await readFile(cert, "utf8") } }),
    ...(directory !== undefined && { directory }),
    ...(region !== undefined && { region }),
    ...(accessKeyId !== undefined && { accessKeyId }),
    ...(secretAccessKey !== undefined && { secretAccessKey }),
  });
  const connection = { region: server.region, endpoint: server.endpoint, credentials: server.credentials };
  const configuration = {
    keyring: { type: "kms", keyId: alias },
    s3: { ...connection, forcePathStyle: true },
    kms: connection,
  };
  console.log(`S3 and KMS for development only, never for data that matters: ${server.endpoint}
It has the bucket "${bucket}" and the key "${alias}". Put this into s3ec.config.json to use them:

${JSON.stringify(configuration, null, 2)}

Or name it to a command: s3ec inspect s3://${bucket}/key --dev-server "${addressOf(server)}"
Press Ctrl+C to stop.`);
  for (const signal of ["SIGINT", "SIGTERM"] as const)
    process.once(signal, () => {
      void server.close();
    });
}

/** The endpoint with all that a client of it needs to know. */
function addressOf({ endpoint, region, credentials }: DevServer): string {
  const url = new URL(endpoint);
  url.username = encodeURIComponent(credentials.accessKeyId);
  url.password = encodeURIComponent(credentials.secretAccessKey);
  url.searchParams.set("region", region);
  return url.href;
}

function portOf(text: string): number {
  const port = Number(text);
  if (!/^\d{1,5}$/.test(text) || port > 65_535) throw new Error(`--port must be a number up to 65535, not ${text}.`);
  return port;
}

main().catch((error: unknown) => {
  console.error(`${error instanceof Error ? error.message : error}\n\n${usage}`);
  process.exitCode = 1;
});
