import type { Recipe, Step } from "../recipe.js";

/** As Wrangler bundles: what is for browsers and Workers, in the place of what is for Node. */
const BUNDLE: Step = [
  "esbuild",
  "worker.mjs",
  "--bundle",
  "--format=esm",
  "--conditions=workerd,worker,browser",
  "--main-fields=browser,module,main",
  "--external:node:*",
  "--external:cloudflare:*",
  "--alias:@aws-sdk/xml-builder=@aws-sdk/xml-builder/dist-cjs/index.js",
  "--outfile=bundle.mjs",
];

const WORKER = `import { GetObjectCommand, PutObjectCommand } from "@aws-sdk/client-s3";
import { S3EncryptionClient } from "@s3ec/client";
import { RawAesKeyring } from "@s3ec/keyring-raw-aes";
import { putAndGet } from "./put-and-get.mjs";

const PIECES = 192;
const piece = new Uint8Array(65_536).map((_, index) => index % 251);

// 12 MiB, of which nobody knows the length: a multipart upload, whose answers are XML.
async function putInParts({ S3EC_ENDPOINT, S3EC_BUCKET }) {
  const client = new S3EncryptionClient({
    endpoint: S3EC_ENDPOINT,
    region: "us-west-2",
    credentials: { accessKeyId: "test", secretAccessKey: "test" },
    forcePathStyle: true,
    encryption: { keyring: new RawAesKeyring({ wrappingKey: new Uint8Array(32).fill(7) }) },
  });
  let left = PIECES;
  const Body = new ReadableStream({
    pull(controller) {
      if (left-- > 0) controller.enqueue(piece.slice());
      else controller.close();
    },
  });
  const object = { Bucket: S3EC_BUCKET, Key: "large" };
  await client.send(new PutObjectCommand({ ...object, Body }));
  const got = await client.send(new GetObjectCommand(object));
  const bytes = await got.Body.transformToByteArray();
  if (bytes.length !== PIECES * piece.length) throw new Error(\`\${bytes.length} bytes came back.\`);
  if (!bytes.every((byte, index) => byte === piece[index % piece.length])) throw new Error("Other bytes came back.");
  const missing = await client.send(new GetObjectCommand({ ...object, Key: "none" })).catch((error) => error);
  if (missing.name !== "NoSuchKey") throw new Error(\`What is not there is told as \${missing.name}: \${missing.message}\`);
}

export default {
  async fetch(_request, env) {
    try {
      const said = await putAndGet();
      await putInParts(env);
      return new Response(said);
    } catch (error) {
      return new Response(error.stack, { status: 500 });
    }
  },
};
`;

const MINIFLARE = `import { Miniflare } from "miniflare";

const { S3EC_ENDPOINT, S3EC_BUCKET } = process.env;
const worker = new Miniflare({
  modules: true,
  scriptPath: "bundle.mjs",
  compatibilityDate: "2026-01-01",
  compatibilityFlags: ["nodejs_compat"],
  bindings: { S3EC_ENDPOINT, S3EC_BUCKET },
});
try {
  const response = await worker.dispatchFetch("http://worker/");
  console.log(await response.text());
  if (!response.ok) process.exitCode = 1;
} finally {
  await worker.dispose();
}
`;

/** Cloudflare's runtime of Workers. */
export const WORKERS: readonly Recipe[] = [
  {
    name: "workerd",
    runtime: "workerd",
    manager: "npm",
    modules: "ES modules",
    loadedBy: "miniflare {miniflare} with a bundle of esbuild {esbuild}, as in the section on Workers",
    packages: { miniflare: "4", esbuild: "0" },
    files: { "worker.mjs": WORKER, "main.mjs": MINIFLARE },
    steps: [BUNDLE, ["node", "main.mjs"]],
  },
];
