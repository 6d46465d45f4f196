import { KeyProblem } from "./key-problem.js";

/** As many as Java reads of a PKCS#12 store. */
export const MAX_ITERATIONS = 5_000_000;
/** Of bcrypt; each takes a hundred times as long as an iteration of others. ssh-keygen makes 16 or 24. */
const MAX_ROUNDS = 1_000;

const INTEGER = 0x02;
const OCTETS = 0x04;
const SEQUENCE = 0x30;

/** An AlgorithmIdentifier in DER: none of the numbers in it, among which is the count of iterations, is too large. */
export function assertIterations(algorithm: Buffer): void {
  const pending = elements(algorithm);
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    const { tag, content } = next;
    if (tag === SEQUENCE) pending.push(...elements(content));
    else if (tag === INTEGER) assertAtMost(integer(content), MAX_ITERATIONS, "iterations");
  }
}

/** A count that a header says, before anything is done that often. */
export function assertAtMost(count: number, limit: number, what: string): void {
  if (count > limit) throw new KeyProblem(`takes more than ${limit} ${what} to open: write it again with fewer`);
}

/** The same of an encrypted PKCS#8 key in DER, or whatever else is in its place. */
export function assertPkcs8Iterations(der: Buffer): void {
  const [key] = elements(der);
  if (key?.tag !== SEQUENCE) return;
  const [algorithm, encrypted] = elements(key.content);
  if (algorithm?.tag === SEQUENCE && encrypted?.tag === OCTETS) assertIterations(algorithm.content);
}

/** An OpenSSH key, as PEM: its header says the cipher, the derivation (bcrypt or none), and the salt and rounds of that. */
export function assertRounds(pem: Buffer): void {
  const body = /-----BEGIN OPENSSH PRIVATE KEY-----([^-]*)/.exec(pem.toString("latin1"))?.[1] ?? "";
  const bytes = Buffer.from(body, "base64");
  let at = "openssh-key-v1\0".length;
  const text = (): Buffer => {
    const start = at + 4;
    at = start + (start <= bytes.length ? bytes.readUInt32BE(at) : 0);
    return bytes.subarray(start, at);
  };
  text();
  if (text().toString("latin1") !== "bcrypt") return;
  const options = text();
  if (options.length >= 4) assertAtMost(options.readUInt32BE(options.length - 4), MAX_ROUNDS, "rounds");
}

interface Element {
  readonly tag: number;
  readonly content: Buffer;
}

/** Those that stand one after the other, as far as they are DER. */
function elements(der: Buffer): Element[] {
  const found: Element[] = [];
  for (let at = 0; at + 2 <= der.length; ) {
    const tag = der[at] ?? 0;
    const short = der[at + 1] ?? 0;
    const lengthBytes = short < 0x80 ? 0 : short & 0x7f;
    const start = at + 2 + lengthBytes;
    if (lengthBytes > 4 || start > der.length) break;
    const length = lengthBytes === 0 ? (short < 0x80 ? short : 0) : der.readUIntBE(at + 2, lengthBytes);
    found.push({ tag, content: der.subarray(start, start + length) });
    at = start + length;
  }
  return found;
}

function integer(content: Buffer): number {
  return Number(`0x${content.toString("hex") || "0"}`);
}
