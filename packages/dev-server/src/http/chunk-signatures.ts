import { createHash, createHmac } from "node:crypto";
import { isSameSignature, type VerifiedSignature } from "./sigv4.js";

const emptyHash = createHash("sha256").digest("hex");

/** Checks the signatures inside a `STREAMING-AWS4-HMAC-SHA256-PAYLOAD` body: each covers its data and the one before it. */
export class ChunkSignatures {
  readonly #request: VerifiedSignature;
  #previous: string;

  constructor(request: VerifiedSignature) {
    this.#request = request;
    this.#previous = request.signature;
  }

  /** Whether this is the signature of the next chunk, whose data has this SHA-256 in hex. */
  acceptChunk(dataHash: string, signature: string): boolean {
    return this.#accept("AWS4-HMAC-SHA256-PAYLOAD", `${emptyHash}\n${dataHash}`, signature);
  }

  /** Whether this is the signature of the trailers, in the order in which they were sent. */
  acceptTrailers(trailers: Iterable<readonly [name: string, value: string]>, signature: string): boolean {
    const hash = createHash("sha256");
    for (const [name, value] of trailers) hash.update(`${name}:${value}\n`, "latin1");
    return this.#accept("AWS4-HMAC-SHA256-TRAILER", hash.digest("hex"), signature);
  }

  #accept(algorithm: string, hashes: string, signature: string): boolean {
    const { timestamp, scope, signingKey } = this.#request;
    const text = [algorithm, timestamp, scope, this.#previous, hashes].join("\n");
    this.#previous = createHmac("sha256", signingKey).update(text).digest("hex");
    return isSameSignature(this.#previous, signature);
  }
}
