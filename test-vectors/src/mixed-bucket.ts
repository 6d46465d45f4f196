import { loadVectors, readBody } from "./load-vectors.js";
import type { InstructionFile, ReadableVector } from "./vector.js";

/** The key that opens every encrypted object of a mixed bucket. */
export const MIXED_MATERIAL = "aes-256";

/**
 * What an object of a mixed bucket is there for: sound ones are to be moved, damaged and plain ones are not; `faulty` are those that
 * requests are to fail for, and `replaced` those that somebody is to put anew meanwhile.
 */
export type MixedKind = "sound" | "damaged" | "plain" | "faulty" | "replaced";

/** An object of a mixed bucket, as it is stored. */
export interface MixedObject {
  /** Its number in six digits, and the vector's id. */
  readonly key: string;
  /** What it is there for. */
  readonly kind: MixedKind;
  /** What is stored. */
  readonly body: Buffer;
  /** Its user metadata. */
  readonly metadata: Readonly<Record<string, string>>;
  /** Its instruction files, by suffix. */
  readonly instructionFiles: Readonly<Record<string, InstructionFile>>;
}

/**
 * A bucket of every format, suite, wrap and placement that one key opens and a reader finds by itself; a tenth of it damaged, and
 * another plain.
 *
 * @param copies of each vector
 */
export function* mixedBucket(copies: number): Generator<MixedObject> {
  const readable = readableVectors();
  for (let copy = 0; copy < copies; copy++) {
    for (const [index, vector] of readable.entries()) {
      const number = copy * readable.length + index;
      const kind = kindOf(number, vector);
      const key = `${String(number).padStart(6, "0")} ${vector.id}`;
      yield kind === "plain"
        ? { key, kind, body: Buffer.from("nothing"), metadata: {}, instructionFiles: {} }
        : { key, kind, body: readBody(vector), ...storedAs(vector, kind === "damaged") };
    }
  }
}

function readableVectors(): readonly ReadableVector[] {
  return loadVectors()
    .filter((vector): vector is ReadableVector => vector.expect === undefined && vector.material === MIXED_MATERIAL)
    .filter(({ instructionFiles = {}, requires }) => {
      const suffixes = Object.keys(instructionFiles);
      return requires === undefined && suffixes.every((suffix) => suffix === ".instruction");
    });
}

/** Of a legacy wrap nothing tells damage from another key. */
function kindOf(number: number, { switches }: ReadableVector): MixedKind {
  if (number % 10 === 3) return "plain";
  if (number % 10 === 7 && !switches.includes("legacy-wrapping")) return "damaged";
  if (number % 10 === 5) return "faulty";
  return number % 20 === 9 ? "replaced" : "sound";
}

const WRAPPED = ["x-amz-key", "x-amz-key-v2", "x-amz-3"];

function storedAs(
  { metadata, instructionFiles = {} }: ReadableVector,
  isDamaged: boolean,
): Pick<MixedObject, "metadata" | "instructionFiles"> {
  if (!isDamaged) return { metadata, instructionFiles };
  const damagedFile = (file: InstructionFile): InstructionFile => ({ ...file, text: damagedText(file.text) });
  return {
    metadata: mapped(metadata, (value, name) => (WRAPPED.includes(name) ? flipped(value) : value)),
    instructionFiles: mapped(instructionFiles, damagedFile),
  };
}

function mapped<Value>(
  all: Readonly<Record<string, Value>>,
  change: (value: Value, name: string) => Value,
): Record<string, Value> {
  return Object.fromEntries(Object.entries(all).map(([name, value]) => [name, change(value, name)]));
}

function damagedText(text: string): string {
  const wrapped = new RegExp(`("(?:${WRAPPED.join("|")})"\\s*:\\s*")([^"]+)"`);
  return text.replace(wrapped, (_, name, value) => `${name}${flipped(value)}"`);
}

/** The wrapped key with another byte in its middle. */
function flipped(text: string): string {
  const bytes = Buffer.from(text, "base64");
  const middle = bytes.length >> 1;
  bytes[middle] = (bytes[middle] ?? 0) ^ 1;
  return bytes.toString("base64");
}
