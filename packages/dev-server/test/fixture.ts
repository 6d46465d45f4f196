import { createHash, createHmac } from "node:crypto";
import { type IncomingHttpHeaders, request } from "node:http";
import { KMSClient } from "@aws-sdk/client-kms";
import { S3Client } from "@aws-sdk/client-s3";
import { type DevServer, type DevServerOptions, startDevServer } from "../dist/index.js";

export const Bucket = "demo";

export interface Fixture extends AsyncDisposable {
  readonly server: DevServer;
  readonly s3: S3Client;
  readonly kms: KMSClient;
}

/** A server with the bucket `demo`, and clients that do not retry unless told to. */
export async function startFixture(options: DevServerOptions = {}, maxAttempts = 1): Promise<Fixture> {
  const server = await startDevServer({ buckets: [Bucket], ...options });
  const s3 = new S3Client({ ...server.clientConfig, maxAttempts });
  const kms = new KMSClient({ ...server.clientConfig, maxAttempts });
  return {
    server,
    s3,
    kms,
    async [Symbol.asyncDispose]() {
      s3.destroy();
      kms.destroy();
      await server.close();
    },
  };
}

/** The name and HTTP status of the error that a call must end with. */
export async function refusal(call: Promise<unknown>): Promise<string> {
  try {
    await call;
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    const metadata: unknown = Reflect.get(error, "$metadata");
    const status: unknown = typeof metadata === "object" && metadata ? Reflect.get(metadata, "httpStatusCode") : "";
    return `${error.name} ${status ?? ""}`.trim();
  }
  throw new Error("The call was not refused.");
}

export async function bytesOf(body: { transformToByteArray(): Promise<Uint8Array> } | undefined): Promise<Buffer> {
  if (body === undefined) throw new Error("The response has no body.");
  return Buffer.from(await body.transformToByteArray());
}

/** Bytes that differ from their neighbours, so that a wrong offset shows. */
export function pattern(length: number): Buffer {
  const bytes = Buffer.alloc(length);
  for (let i = 0; i < length; i++) bytes[i] = (i * 31 + (i >>> 8) * 7 + (i >>> 16)) & 255;
  return bytes;
}

export interface RawRequest {
  readonly method: string;
  /** Escaped, with the query. */
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Sent as they are, one line each, in this order; the headers of their names are what is signed. */
  readonly lines?: readonly (readonly [string, string])[];
  /** A function makes a body that holds signatures, which continue from that of the request. */
  readonly body?: Uint8Array | string | readonly (Uint8Array | string)[] | ((seed: Seed) => string);
  /** What the signature says the body hashes to. Default: the SHA-256 of the body. */
  readonly payloadHash?: string;
  readonly signing?: {
    readonly region?: string;
    readonly service?: string;
    readonly accessKeyId?: string;
    readonly secret?: string;
    readonly date?: Date;
    /** Headers that are sent without being signed. */
    readonly leaveOut?: readonly string[];
  };
}

export interface Seed {
  readonly signature: string;
  readonly timestamp: string;
  readonly scope: string;
  readonly key: Buffer;
}

export interface RawResponse {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
  readonly code: string;
}

/** Sends what no SDK would, signed by hand so that the server's own code does not check itself. */
export async function sendRaw(server: DevServer, raw: RawRequest): Promise<RawResponse> {
  const fixed = typeof raw.body === "function" || raw.body === undefined ? [] : raw.body;
  const given = typeof fixed === "string" || fixed instanceof Uint8Array ? [fixed] : fixed;
  const payloadHash = raw.payloadHash ?? createHash("sha256").update(bytesOfPieces(given)).digest("hex");
  const { headers, ...seed } = signedHeaders(server, raw, payloadHash);
  const pieces = typeof raw.body === "function" ? [raw.body(seed)] : given;
  const body = bytesOfPieces(pieces);
  const hasLength = Object.keys(headers).some((name) => /^(content-length|transfer-encoding)$/.test(name));
  return new Promise((resolve, reject) => {
    const outgoing = request(`${server.endpoint}${raw.path}`, {
      method: raw.method,
      headers: headerLines(hasLength ? headers : { ...headers, "content-length": String(body.length) }, raw.lines),
      agent: false,
    });
    outgoing.once("error", reject);
    outgoing.once("response", (response) => {
      const received: Buffer[] = [];
      response.on("data", (piece: Buffer) => received.push(piece));
      response.once("error", reject);
      response.once("end", () => {
        const text = Buffer.concat(received).toString("utf8");
        const code = /<Code>(.*?)<\/Code>/.exec(text)?.[1] ?? "";
        resolve({ status: response.statusCode ?? 0, headers: response.headers, text, code });
      });
    });
    for (const piece of pieces) outgoing.write(piece);
    outgoing.end();
  });
}

function bytesOfPieces(pieces: readonly (Uint8Array | string)[]): Buffer {
  return Buffer.concat(pieces.map((piece) => Buffer.from(piece)));
}

/** As Node takes headers that come more than once: a flat list of names and values. */
function headerLines(headers: Record<string, string>, lines: RawRequest["lines"] = []): string[] {
  const rest = Object.entries(headers).filter(([name]) => !lines.some(([other]) => other.toLowerCase() === name));
  return [...rest, ...lines].flat();
}

function signedHeaders(
  server: DevServer,
  raw: RawRequest,
  payloadHash: string,
): Seed & { headers: Record<string, string> } {
  const { region = server.region, service = "s3", date = new Date(), leaveOut = [] } = raw.signing ?? {};
  const { accessKeyId = server.credentials.accessKeyId, secret = server.credentials.secretAccessKey } =
    raw.signing ?? {};
  const timestamp = date.toISOString().replace(/[-:]|\.\d+/g, "");
  const headers: Record<string, string> = {
    host: new URL(server.endpoint).host,
    "x-amz-date": timestamp,
    "x-amz-content-sha256": payloadHash,
    ...raw.headers,
  };
  for (const [sent, value] of raw.lines ?? []) {
    const name = sent.toLowerCase();
    headers[name] = headers[name] === undefined ? value : `${headers[name]},${value}`;
  }
  const names = Object.keys(headers)
    .filter((name) => !leaveOut.includes(name))
    .sort();
  const [path = "", query = ""] = raw.path.split("?");
  const canonical = [
    raw.method,
    path,
    query
      .split("&")
      .filter((pair) => pair !== "")
      .map((pair) => (pair.includes("=") ? pair : `${pair}=`))
      .sort()
      .join("&"),
    ...names.map((name) => `${name}:${headers[name]}`),
    "",
    names.join(";"),
    payloadHash,
  ].join("\n");
  const day = timestamp.slice(0, 8);
  const scope = `${day}/${region}/${service}/aws4_request`;
  const hmac = (key: string | Buffer, text: string): Buffer => createHmac("sha256", key).update(text).digest();
  const key = hmac(hmac(hmac(hmac(`AWS4${secret}`, day), region), service), "aws4_request");
  const digest = createHash("sha256").update(canonical, "latin1").digest("hex");
  const signature = hmac(key, `AWS4-HMAC-SHA256\n${timestamp}\n${scope}\n${digest}`).toString("hex");
  const authorization = `AWS4-HMAC-SHA256 Credential=${accessKeyId}/${scope}, SignedHeaders=${names.join(";")}, Signature=${signature}`;
  return { headers: { ...headers, authorization }, signature, timestamp, scope, key };
}
