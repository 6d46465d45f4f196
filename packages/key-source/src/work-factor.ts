import { KeyProblem } from "./key-problem.js";

/** As many as Java reads of a PKCS#12 store, and with scrypt as many blocks: some seconds of either. */
export const MAX_ITERATIONS = 5_000_000;
/** Of bcrypt; each takes a hundred times as long as an iteration of others. ssh-keygen makes 16 or 24. */
const MAX_ROUNDS = 1_000;

const INTEGER = 0x02;
const OID = 0x06;
const SEQUENCE = 0x30;
const SCRYPT = "2b06010401da47040b";
/** What encrypts with a passphrase: PKCS#5 and PKCS#12. */
const OF_PASSPHRASES = /^(?:2a864886f70d0105|2a864886f70d010c01)/;

/**
 * What opening takes that an AlgorithmIdentifier in DER says: its iterations, or the blocks that scrypt mixes, added up.
 * Throws a `KeyProblem` where they are too many.
 */
export function assertIterations(algorithm: Buffer): number {
  let taken = 0;
  const pending = [elements(algorithm)];
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    const [first, parameters] = next;
    const isScrypt = first?.tag === OID && first.content.toString("hex") === SCRYPT;
    if (isScrypt && parameters?.tag === SEQUENCE) {
      const [cost = 1, blockSize = 1, parallel = 1] = integersOf(elements(parameters.content));
      taken += cost * blockSize * parallel;
    } else {
      // Among the numbers, which are few and small, is the count.
      for (const number of integersOf(next)) taken += number;
      pending.push(...next.filter(({ tag }) => tag === SEQUENCE).map(({ content }) => elements(content)));
    }
  }
  assertAtMost(taken, MAX_ITERATIONS, "iterations");
  return taken;
}

/** A count that a header says, before anything is done that often. */
export function assertAtMost(count: number, limit: number, what: string): void {
  if (count > limit) throw new KeyProblem(`takes more than ${limit} ${what} to open: write it again with fewer`);
}

/** The same of an encrypted PKCS#8 key in DER, or whatever else is in its place. */
export function assertPkcs8Iterations(der: Buffer): void {
  const [key] = elements(der);
  if (key?.tag !== SEQUENCE) return;
  const [algorithm] = elements(key.content);
  if (algorithm?.tag !== SEQUENCE) return;
  const [name] = elements(algorithm.content);
  if (name?.tag === OID && OF_PASSPHRASES.test(name.content.toString("hex"))) assertIterations(algorithm.content);
}

/** What an OpenSSH key says in the clear. */
export interface OpenSshHeader {
  readonly cipher: string;
}

/** An OpenSSH key, as PEM: its header says the cipher, the derivation (bcrypt or none), and the salt and rounds of that. */
export function openSshHeader(pem: Buffer): OpenSshHeader {
  const body = /-----BEGIN OPENSSH PRIVATE KEY-----([^-]*)/.exec(pem.toString("latin1"))?.[1] ?? "";
  const fields = new SshFields(Buffer.from(body, "base64").subarray("openssh-key-v1\0".length));
  const cipher = fields.next().toString("latin1");
  if (fields.next().toString("latin1") === "bcrypt") {
    const options = new SshFields(fields.next());
    options.next();
    assertAtMost(options.number(), MAX_ROUNDS, "rounds");
  }
  return { cipher };
}

/** Each behind its length; empty where there is no more. */
class SshFields {
  #rest: Buffer;

  constructor(bytes: Buffer) {
    this.#rest = bytes;
  }

  number(): number {
    const number = this.#rest.length < 4 ? 0 : this.#rest.readUInt32BE();
    this.#rest = this.#rest.subarray(4);
    return number;
  }

  next(): Buffer {
    const length = this.number();
    const field = this.#rest.subarray(0, length);
    this.#rest = this.#rest.subarray(length);
    return field;
  }
}

interface Element {
  readonly tag: number;
  readonly content: Buffer;
}

/**
 * Those that stand one after the other, as far as they are BER. One of no definite length, as OpenSSL reads it, too, has
 * all that follows it.
 */
function elements(ber: Buffer): Element[] {
  const found: Element[] = [];
  for (let at = 0; at + 2 <= ber.length; ) {
    const tag = ber[at] ?? 0;
    const short = ber[at + 1] ?? 0;
    const lengthBytes = short <= 0x80 ? 0 : short & 0x7f;
    const start = at + 2 + lengthBytes;
    if (lengthBytes > 6 || start > ber.length) break;
    const definite = lengthBytes === 0 ? short : ber.readUIntBE(at + 2, lengthBytes);
    const length = short === 0x80 ? ber.length - start : definite;
    found.push({ tag, content: ber.subarray(start, start + length) });
    at = start + length;
  }
  return found;
}

function integersOf(siblings: readonly Element[]): number[] {
  return siblings.filter(({ tag }) => tag === INTEGER).map(({ content }) => integer(content));
}

function integer(content: Buffer): number {
  return Number(`0x${content.toString("hex") || "0"}`);
}
