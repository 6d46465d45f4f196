import { mkdtemp, rm } from "node:fs/promises";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { Socket } from "node:net";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { Faults } from "./faults/faults.js";
import { type RecordedRequest, RecordedRequests } from "./http/recorded-requests.js";
import type { Account } from "./http/sigv4.js";
import { canonicalContext } from "./kms/ciphertext.js";
import { type KeySpec, KmsKeys } from "./kms/kms-keys.js";
import { type KmsService, seedOf } from "./kms/kms-service.js";
import { isKmsRequest, serveKms } from "./kms/serve-kms.js";
import { putSeededObject, type SeededObject } from "./s3/operations/seeded-object.js";
import { serveS3 } from "./s3/serve-s3.js";
import { MultipartUploads, type OpenUpload } from "./s3/store/multipart-uploads.js";
import { ObjectStore } from "./s3/store/object-store.js";

export interface DevServerOptions {
  /** Where objects and keys are kept. Default: a new temporary directory, which `close` removes. */
  readonly directory?: string;
  /** Default: a free one. */
  readonly port?: number;
  /** Default `test`. */
  readonly accessKeyId?: string;
  /** Default `test`. */
  readonly secretAccessKey?: string;
  /** The region of S3 and of `kms.createKey`. Default `us-west-2`. KMS requests are served in the region they are signed for. */
  readonly region?: string;
  /** Whether a write is answered only once it is on the disk. Default: true for a given directory, false for a temporary one. */
  readonly fsync?: boolean;
  /** `md5`, the default, is what most clients see of S3; `opaque` spares benchmarks the slowest part of a write. */
  readonly entityTags?: "md5" | "opaque";
  /** Buckets that exist from the start. */
  readonly buckets?: readonly string[];
  /** KMS aliases (`alias/NAME`) that exist from the start, each with a symmetric key. */
  readonly aliases?: readonly string[];
}

const OPTIONS: Readonly<Record<keyof DevServerOptions, true>> = {
  directory: true,
  port: true,
  accessKeyId: true,
  secretAccessKey: true,
  region: true,
  fsync: true,
  entityTags: true,
  buckets: true,
  aliases: true,
};

export interface DevServer extends AsyncDisposable {
  /** `http://127.0.0.1:PORT`, for S3 and for KMS. */
  readonly endpoint: string;
  readonly region: string;
  readonly credentials: { readonly accessKeyId: string; readonly secretAccessKey: string };
  /** For `new S3Client(...)` and `new KMSClient(...)`. */
  readonly clientConfig: {
    readonly endpoint: string;
    readonly region: string;
    readonly credentials: { readonly accessKeyId: string; readonly secretAccessKey: string };
    readonly forcePathStyle: true;
  };
  /** The latest 10,000 requests as they arrived, retries and refused ones among them. */
  readonly requests: readonly RecordedRequest[];
  clearRequests(): void;
  readonly openConnections: number;
  /** Multipart uploads that are neither completed nor aborted. */
  readonly openUploads: readonly OpenUpload[];
  readonly faults: Faults;
  readonly kms: DevServerKms;
  /** Stores an object without a request; the metadata is returned as given, however large. */
  putRawObject(bucket: string, key: string, object: SeededObject): Promise<void>;
  /** Ends every connection and, when the server made it, removes the directory. */
  close(): Promise<void>;
}

/** KMS without requests, to set up tests. */
export interface DevServerKms {
  /** `arn` may be of any region and account; an `mrk-` key of the same id in another region shares its material. */
  createKey(key?: {
    readonly arn?: string;
    readonly keyId?: string;
    readonly alias?: string;
    readonly spec?: KeySpec;
    readonly multiRegion?: boolean;
  }): { readonly arn: string; readonly keyId: string };
  /** Makes Decrypt of exactly this blob under exactly this context and key answer with this plaintext. */
  seedDecrypt(seed: {
    readonly ciphertextBlob: Uint8Array;
    readonly encryptionContext: Readonly<Record<string, string>>;
    /** Of a key or of an alias; the key is created when it does not exist. */
    readonly keyArn: string;
    readonly plaintext: Uint8Array;
  }): void;
}

/**
 * Starts S3 and KMS on one port of the loopback interface. For development and tests: it is not made to keep data safe.
 * Rejects with an `Error` for an option that it does not know.
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
  const s3 = { region, store, uploads, faults, hasOpaqueTags: options.entityTags === "opaque" };
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
  const http = createServer({ requestTimeout: 0, keepAliveTimeout: 60_000, highWaterMark: 1 << 18 }, onRequest);
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
  const endpoint = `http://127.0.0.1:${port}`;
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
