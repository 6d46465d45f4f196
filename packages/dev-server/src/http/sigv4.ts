import { createHash, createHmac, timingSafeEqual } from "node:crypto";
import type { Headers, RequestTarget } from "./request-target.js";
import { percentEncode } from "./request-target.js";

/** The only credentials that the server takes. */
export interface Account {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
}

/** What is wrong with a signature. */
export type SignatureFault =
  | "missing"
  | "unsupported"
  | "malformed"
  | "unknown-key"
  | "wrong-region"
  | "skewed"
  | "expired"
  | "unsigned-header"
  | "mismatch";

/** A request that is not signed as it must be. */
export class SignatureError extends Error {
  /** What is wrong. */
  readonly reason: SignatureFault;

  constructor(reason: SignatureFault, message: string) {
    super(message);
    this.name = "SignatureError";
    this.reason = reason;
  }
}

/** What a signature covers. */
export interface SignedRequest {
  readonly method: string;
  readonly target: RequestTarget;
  readonly headers: Headers;
  /** What the signature covers as the body: a hex SHA-256, or one of S3's words for "not hashed". */
  readonly payloadHash: string;
}

interface Claim {
  readonly accessKeyId: string;
  readonly date: string;
  readonly region: string;
  readonly service: string;
  readonly signedHeaders: readonly string[];
  readonly signature: string;
  readonly timestamp: string;
  readonly lifetimeSeconds: number | undefined;
}

const algorithm = "AWS4-HMAC-SHA256";
const allowedSkewMs = 15 * 60 * 1000;
const longestLifetimeSeconds = 7 * 24 * 3600;

/** Whether the signature is in the URL. */
export function isPresigned(target: RequestTarget): boolean {
  return target.query.has("X-Amz-Signature");
}

/** A signature that was found right, with what the signatures of its chunks continue from. */
export interface VerifiedSignature {
  readonly region: string;
  readonly signature: string;
  readonly timestamp: string;
  /** `DATE/REGION/SERVICE/aws4_request` */
  readonly scope: string;
  readonly signingKey: Buffer;
}

/**
 * `region` pins the region of the credential scope when it is given.
 * @throws SignatureError
 */
export function verifySignature(
  request: SignedRequest,
  account: Account,
  scope: { readonly service: string; readonly region?: string },
): VerifiedSignature {
  const claim = isPresigned(request.target) ? claimOfQuery(request) : claimOfHeader(request);
  if (claim.accessKeyId !== account.accessKeyId)
    throw new SignatureError("unknown-key", "The AWS Access Key Id you provided does not exist in our records.");
  if (claim.service !== scope.service)
    throw new SignatureError("malformed", `The credential scope names ${claim.service}; expecting ${scope.service}.`);
  if (scope.region !== undefined && claim.region !== scope.region)
    throw new SignatureError("wrong-region", `The region '${claim.region}' is wrong; expecting '${scope.region}'.`);
  requireFresh(claim);
  requireSignedHeaders(request, claim);
  const { signature, timestamp, region } = claim;
  const signingKey = signingKeyOf(claim, account.secretAccessKey);
  if (!isSameSignature(signatureOf(request, claim, signingKey), signature))
    throw new SignatureError(
      "mismatch",
      "The request signature we calculated does not match the signature you provided. Check your key and signing method.",
    );
  return { region, signature, timestamp, scope: scopeOf(claim), signingKey };
}

/** In constant time. */
export function isSameSignature(expected: string, received: string): boolean {
  const [a, b] = [Buffer.from(expected, "latin1"), Buffer.from(received, "latin1")];
  return a.length === b.length && timingSafeEqual(a, b);
}

function claimOfHeader({ headers }: SignedRequest): Claim {
  const authorization = headers.authorization;
  if (authorization === undefined) throw new SignatureError("missing", "The request carries no signature.");
  if (!authorization.startsWith(`${algorithm} `))
    throw new SignatureError(
      "unsupported",
      `The authorization mechanism you have provided is not supported. Please use ${algorithm}.`,
    );
  const fields = new Map<string, string>();
  for (const field of authorization.slice(algorithm.length).split(",")) {
    const [name = "", value = ""] = field.trim().split(/=(.*)/s);
    fields.set(name, value);
  }
  return claimOf({
    credential: fields.get("Credential"),
    signedHeaders: fields.get("SignedHeaders"),
    signature: fields.get("Signature"),
    timestamp: headers["x-amz-date"],
  });
}

function claimOfQuery({ target: { query }, headers }: SignedRequest): Claim {
  if (headers.authorization !== undefined)
    throw new SignatureError("unsupported", "Only one auth mechanism allowed: a signed query or a signed header.");
  if (query.get("X-Amz-Algorithm") !== algorithm)
    throw new SignatureError("unsupported", `X-Amz-Algorithm only supports "${algorithm}".`);
  const expires = query.get("X-Amz-Expires") ?? "";
  if (!/^\d{1,6}$/.test(expires) || Number(expires) > longestLifetimeSeconds)
    throw new SignatureError("malformed", "X-Amz-Expires must be a number of seconds up to one week.");
  return claimOf({
    credential: query.get("X-Amz-Credential"),
    signedHeaders: query.get("X-Amz-SignedHeaders"),
    signature: query.get("X-Amz-Signature"),
    timestamp: query.get("X-Amz-Date"),
    lifetimeSeconds: Number(expires),
  });
}

function claimOf(parts: {
  credential: string | undefined;
  signedHeaders: string | undefined;
  signature: string | undefined;
  timestamp: string | undefined;
  lifetimeSeconds?: number;
}): Claim {
  const scope = /^(.+)\/(\d{8})\/([^/]+)\/([^/]+)\/aws4_request$/.exec(parts.credential ?? "");
  const [, accessKeyId, date, region, service] = scope ?? [];
  const { signedHeaders, signature, timestamp } = parts;
  if (
    accessKeyId === undefined ||
    date === undefined ||
    region === undefined ||
    service === undefined ||
    !signedHeaders ||
    !/^[0-9a-f]{64}$/.test(signature ?? "") ||
    signature === undefined ||
    !/^\d{8}T\d{6}Z$/.test(timestamp ?? "") ||
    timestamp === undefined ||
    !timestamp.startsWith(date)
  )
    throw new SignatureError(
      "malformed",
      "The authorization is malformed: it needs Credential=KEY/DATE/REGION/SERVICE/aws4_request, SignedHeaders, Signature and X-Amz-Date.",
    );
  const names = signedHeaders.split(";");
  return {
    accessKeyId,
    date,
    region,
    service,
    signedHeaders: names,
    signature,
    timestamp,
    lifetimeSeconds: parts.lifetimeSeconds,
  };
}

function requireFresh({ timestamp, lifetimeSeconds }: Claim): void {
  const signedAt = Date.parse(timestamp.replace(/^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/, "$1-$2-$3T$4:$5:$6Z"));
  const age = Date.now() - signedAt;
  if (Number.isNaN(age)) throw new SignatureError("malformed", "X-Amz-Date is not a date.");
  if (lifetimeSeconds !== undefined && age > lifetimeSeconds * 1000)
    throw new SignatureError("expired", "Request has expired");
  if (age < -allowedSkewMs || (lifetimeSeconds === undefined && age > allowedSkewMs))
    throw new SignatureError("skewed", "The difference between the request time and the current time is too large.");
}

/** An unsigned x-amz- header could be added by anyone on the way and would still be obeyed. */
function requireSignedHeaders({ target, headers }: SignedRequest, { signedHeaders }: Claim): void {
  const mustBeSigned = Object.keys(headers).filter(
    (name) => name.startsWith("x-amz-") && !(name === "x-amz-content-sha256" && isPresigned(target)),
  );
  for (const name of ["host", ...mustBeSigned])
    if (!signedHeaders.includes(name))
      throw new SignatureError(
        "unsigned-header",
        `There were headers present in the request which were not signed: ${name}`,
      );
}

function signatureOf(
  { method, target, headers, payloadHash }: SignedRequest,
  claim: Claim,
  signingKey: Buffer,
): string {
  const query = [...target.query]
    .filter(([name]) => name !== "X-Amz-Signature")
    .map(([name, value]) => ({ name: percentEncode(name), value: percentEncode(value) }))
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .map(({ name, value }) => `${name}=${value}`);
  const canonicalHeaders = claim.signedHeaders.map(
    (name) => `${name}:${(headers[name] ?? "").trim().replace(/ +/g, " ")}\n`,
  );
  const canonical = [
    method,
    target.path.split("/").map(percentEncode).join("/"),
    query.join("&"),
    canonicalHeaders.join(""),
    claim.signedHeaders.join(";"),
    payloadHash,
  ].join("\n");
  // Node gives header bytes as Latin-1 characters; the signature covers the bytes.
  const digest = createHash("sha256").update(canonical, "latin1").digest("hex");
  return createHmac("sha256", signingKey)
    .update(`${algorithm}\n${claim.timestamp}\n${scopeOf(claim)}\n${digest}`)
    .digest("hex");
}

function scopeOf({ date, region, service }: Claim): string {
  return `${date}/${region}/${service}/aws4_request`;
}

function signingKeyOf({ date, region, service }: Claim, secret: string): Buffer {
  return [date, region, service, "aws4_request"].reduce<Buffer>(
    (key, part) => createHmac("sha256", key).update(part).digest(),
    Buffer.from(`AWS4${secret}`),
  );
}
