import { mkdtemp, rm } from "node:fs/promises";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { createServer as createTlsServer } from "node:https";
import type { Socket } from "node:net";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import type { DevServer, DevServerKms, DevServerOptions } from "./dev-server.js";
import { Faults } from "./faults/faults.js";
import { RecordedRequests } from "./http/recorded-requests.js";
import type { Account } from "./http/sigv4.js";
import { canonicalContext } from "./kms/ciphertext.js";
import { KmsKeys } from "./kms/kms-keys.js";
import { type KmsService, seedOf } from "./kms/kms-service.js";
import { isKmsRequest, serveKms } from "./kms/serve-kms.js";
import { putSeededObject } from "./s3/operations/seeded-object.js";
import { serveS3 } from "./s3/serve-s3.js";
import { MultipartUploads } from "./s3/store/multipart-uploads.js";
import { ObjectStore } from "./s3/store/object-store.js";

const OPTIONS: Readonly<Record<keyof DevServerOptions, true>> = {
  directory: true,
  port: true,
  accessKeyId: true,
  secretAccessKey: true,
  region: true,
  fsync: true,
  entityTags: true,
  annotations: true,
  tls: true,
  buckets: true,
  aliases: true,
};

/**
 * Starts S3 and KMS on one port of the loopback interface. For development and tests: it is not made to keep data safe.
 * @throws Error for an option that it does not know, a port that is taken, and a directory that cannot be used
 */
export async function startDevServer(options: DevServerOptions = {}): Promise<DevServer> {
  const unknown = Object.keys(options).find((name) => !Object.hasOwn(OPTIONS, name));
  if (unknown !== undefined) {
    throw new Error(`startDevServer knows no option "${unknown}": its options are ${Object.keys(OPTIONS).join(", ")}.`);
  }
  if (options.directory !== undefined) return serve(options, resolve(options.directory), false);
  const directory = await mkdtemp(join(tmpdir(), "s3ec-dev-server-"));
  try {
    return await serve(options, directory, true);
  } catch (error) {
    await rm(directory, { recursive: true, force: true });
    throw error;
  }
}

async function serve(options: DevServerOptions, directory: string, isTemporary: boolean): Promise<DevServer> {
  const { accessKeyId = "test", secretAccessKey = "test", region = "us-west-2" } = options;
  const account: Account = { accessKeyId, secretAccessKey };
  const faults = new Faults();
  const recorded = new RecordedRequests();
  const store = await ObjectStore.open(directory, options.fsync ?? !isTemporary);
  for (const name of options.buckets ?? [])
    if (!store.buckets.some((bucket) => bucket.name === name)) store.createBucket(name);
  const uploads = new MultipartUploads();
  const keys = new KmsKeys(join(directory, "kms-keys.json"));
  await keys.load();
  for (const name of options.aliases ?? [])
    if (!keys.findAlias(name, region)) keys.setAlias(name, keys.create({ region }));
  const s3 = {
    region,
    store,
    uploads,
    faults,
    hasOpaqueTags: options.entityTags === "opaque",
    annotations: options.annotations ?? "supported",
  };
  const kms = { keys, seeded: new Map(), faults };
  const sockets = new Set<Socket>();
  const running = new Set<Promise<unknown>>();

  const onRequest = (request: IncomingMessage, response: ServerResponse): void => {
    const served = isKmsRequest(request)
      ? serveKms(kms, account, recorded, request, response)
      : serveS3(s3, account, recorded, request, response);
    const ended = served.catch(() => response.destroy()).finally(() => running.delete(ended));
    running.add(ended);
  };
  // A large body needs more than the five minutes that Node allows for a request by default.
  const settings = { requestTimeout: 0, keepAliveTimeout: 60_000, highWaterMark: 1 << 18 };
  const { tls } = options;
  const http = tls
    ? createTlsServer({ ...settings, key: tls.key, cert: tls.cert }, onRequest)
    : createServer(settings, onRequest);
  // A body is asked for only once its head has been verified.
  http.on("checkContinue", onRequest);
  http.on("connection", (socket: Socket) => {
    sockets.add(socket);
    socket.once("close", () => sockets.delete(socket));
  });
  await new Promise<void>((listening, failed) => {
    http.once("error", failed);
    http.listen(options.port ?? 0, "127.0.0.1", listening);
  }).catch(async (error: unknown) => {
    // Keys that are still being saved would stand in the way of removing their directory, and hide this error.
    await Promise.allSettled([keys.saved]);
    throw error;
  });
  const address = http.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;

  const close = async (): Promise<void> => {
    const closed = new Promise<void>((done) => http.close(() => done()));
    faults.clear();
    for (const socket of sockets) socket.destroy();
    await closed;
    await Promise.allSettled([...running, keys.saved]);
    if (isTemporary) await rm(directory, { recursive: true, force: true });
  };
  const endpoint = `${tls ? "https" : "http"}://127.0.0.1:${port}`;
  const credentials = { accessKeyId, secretAccessKey };
  return {
    endpoint,
    region,
    credentials,
    clientConfig: { endpoint, region, credentials, forcePathStyle: true },
    requests: recorded.list,
    clearRequests: () => recorded.clear(),
    get openConnections() {
      return sockets.size;
    },
    get openUploads() {
      return uploads.list;
    },
    faults,
    kms: seedableKms(kms, region),
    putRawObject: (bucket, key, object) => putSeededObject(store.bucket(bucket), key, object),
    close,
    [Symbol.asyncDispose]: close,
  };
}

function seedableKms({ keys, seeded }: KmsService, region: string): DevServerKms {
  return {
    createKey({ alias, ...wanted } = {}) {
      const key = keys.create({ region, ...wanted });
      if (alias !== undefined) keys.setAlias(alias, key);
      return { arn: key.arn, keyId: key.id };
    },
    seedDecrypt({ ciphertextBlob, encryptionContext, keyArn, plaintext }) {
      const key = keys.has(keyArn) ? keys.find(keyArn, region) : keys.createFor(keyArn);
      const context = canonicalContext(encryptionContext);
      seeded.set(seedOf(ciphertextBlob), { context, key, plaintext: Buffer.from(plaintext) });
    },
  };
}
