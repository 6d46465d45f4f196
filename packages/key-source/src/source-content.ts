import { resolve } from "node:path";
import { isUint8Array } from "node:util/types";
import { nearestName } from "@s3ec/envelope";
import { parameter, secret } from "./aws-secrets.js";
import { commandOutput, TIME_LIMIT_MS } from "./command-output.js";
import type { Content } from "./content.js";
import { fileContent, MAX_LENGTH } from "./file-content.js";
import { KeyProblem } from "./key-problem.js";
import type { ContentSource, GivenSource, PassphraseSource } from "./key-source.js";
import { keychainEntry } from "./keychain.js";
import { emitWarning, type SourceOptions } from "./source-options.js";

/** Each kind of source by the field that is its own, with what may stand beside it. */
const KINDS: Readonly<Record<string, readonly string[]>> = {
  file: [],
  env: [],
  base64: [],
  bytes: [],
  stdin: [],
  command: ["timeoutMs"],
  keychain: ["account"],
  secretsManager: ["version", "field", "region"],
  parameterStore: ["version", "region"],
};
const OPENING = ["passphrase", "keyPassphrase", "alias", "encoding"];

/** What for: others may read a public key, and a passphrase may be empty. */
type Use = "key" | "public key" | "passphrase";

/** The content of a source. Throws a `KeyProblem` that names neither the file nor its content. */
export async function readContent(
  source: ContentSource | GivenSource,
  options: SourceOptions,
  use: Use,
): Promise<Content> {
  assertSource(source);
  if ("file" in source) return { bytes: await keyFile(source.file, options, use), isText: false };
  if ("env" in source) return { bytes: variable(source.env, options, use), isText: true };
  if ("base64" in source) {
    const bytes = decodeBase64(source.base64);
    if (bytes === undefined) throw new KeyProblem("expected base64 text");
    return { bytes, isText: false, base64: source.base64 };
  }
  if ("bytes" in source) return { bytes: given(source.bytes), isText: false };
  if ("stdin" in source) return { bytes: await standardInput(options), isText: false };
  if ("command" in source) return { bytes: await commandOutput(source, options), isText: false };
  if ("keychain" in source) return await keychainEntry(source);
  return "secretsManager" in source ? secret(source, options.aws) : parameter(source, options.aws);
}

/** One place, and nothing beside it that is not known. Throws a `KeyProblem`. */
export function assertSource(source: unknown): void {
  const fields = typeof source === "object" && source !== null ? Object.keys(source) : [];
  const [kind, ...others] = Object.keys(KINDS).filter((each) => fields.includes(each));
  if (kind === undefined || others.length > 0) {
    throw new KeyProblem(`expected exactly one of ${Object.keys(KINDS).join(", ")}`);
  }
  const known = [kind, ...(KINDS[kind] ?? []), ...OPENING];
  const unknown = fields.find((field) => !known.includes(field));
  if (unknown === undefined) return;
  const near = nearestName(unknown, known);
  const advice = near === undefined ? `known beside ${kind} are ${known.slice(1).join(", ")}` : `did you mean ${near}?`;
  throw new KeyProblem(`expected no field ${JSON.stringify(unknown)} here: ${advice}`);
}

/** A passphrase, or why there is none, told with its name. */
export async function readPassphrase(
  source: PassphraseSource | undefined,
  options: SourceOptions,
  name: string,
): Promise<Buffer | undefined> {
  if (source === undefined) return undefined;
  try {
    return withoutLineBreak((await readContent(source, options, "passphrase")).bytes);
  } catch (error) {
    throw error instanceof KeyProblem ? new KeyProblem(`${name}: ${error.message}`) : error;
  }
}

/** Editors and `echo` end the last line, too. */
export function withoutLineBreak(bytes: Buffer): Buffer {
  const end = bytes.at(-1) !== 0x0a ? bytes.length : bytes.at(-2) === 0x0d ? bytes.length - 2 : bytes.length - 1;
  return bytes.subarray(0, end);
}

export function decodeBase64(text: string): Buffer | undefined {
  const bare = text.replace(/\s/g, "");
  return /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/.test(bare)
    ? Buffer.from(bare, "base64")
    : undefined;
}

async function keyFile(
  file: string,
  { folder = ".", onWarning = emitWarning }: SourceOptions,
  use: Use,
): Promise<Buffer> {
  const { bytes, mode } = await fileContent(resolve(folder, file), TIME_LIMIT_MS);
  // Windows has no such mode, and says that everybody may read.
  if (use !== "public key" && (mode & 0o044) !== 0 && process.platform !== "win32") {
    onWarning(`The key file ${file} can be read by other users of this machine: chmod 600 ${file}`);
  }
  return bytes;
}

function variable(name: string, { env = process.env }: SourceOptions, use: Use): Buffer {
  const text = env[name];
  const called = isVariableName(name) ? name : "named here";
  if (text === undefined) throw new KeyProblem(`the environment variable ${called} is not set`);
  // A passphrase may be empty: PKCS#12 stores are made with such ones.
  if (use !== "passphrase" && text.trim() === "") throw new KeyProblem(`the environment variable ${called} is empty`);
  return Buffer.from(text, "utf8");
}

/** Somebody may have put the key or the passphrase itself in the place of its name: what does not look like a name is not shown. */
function isVariableName(name: string): boolean {
  return /^[A-Z_][A-Z0-9_]*$/.test(name) && name.length <= 64 && !/^[0-9A-F]{16,}$/.test(name);
}

/** A copy: what is read is overwritten when it has been used. */
function given(bytes: Uint8Array | string): Buffer {
  if (typeof bytes === "string") return Buffer.from(bytes, "utf8");
  if (isUint8Array(bytes)) return Buffer.from(bytes);
  throw new KeyProblem("expected a text or a Uint8Array as bytes");
}

const readInputs = new WeakSet<object>();

async function standardInput({ stdin = process.stdin }: SourceOptions): Promise<Buffer> {
  if (stdin === false) throw new KeyProblem("standard input cannot be the key, since something else is read from it");
  if (readInputs.has(stdin)) throw new KeyProblem("standard input was read for another key before, to its end");
  readInputs.add(stdin);
  const pieces: Buffer[] = [];
  let length = 0;
  for await (const piece of stdin) {
    const bytes = typeof piece === "string" ? Buffer.from(piece, "utf8") : Buffer.from(piece);
    length += bytes.length;
    if (length > MAX_LENGTH) throw new KeyProblem("standard input holds more than a key");
    pieces.push(bytes);
  }
  if (length === 0) throw new KeyProblem("standard input is empty");
  return Buffer.concat(pieces);
}
