import { readFileSync } from "node:fs";
import { readJson } from "./read-json.js";
import type { InstructionFile, Vector } from "./vector.js";
import type { WrappingKey } from "./wrapping-key.js";

/** Every vector, in the manifest's order. */
export function loadVectors(): readonly Vector[] {
  return readJson("manifest.json");
}

/** The wrapping keys by name. They were made for these vectors and protect nothing. */
export function loadKeys(): Readonly<Record<string, WrappingKey>> {
  return readJson("keys.json");
}

/** The object's stored bytes. */
export function readBody(vector: Vector): Buffer {
  return readFileSync(new URL(`../${vector.body.file}`, import.meta.url));
}

/**
 * The instruction file that the vector is about, or undefined when it has none. A suffix other than `.instruction` is
 * one that the reader must be told to use; `INSTRUCTION_SUFFIX` has no dot.
 */
export function instructionFileToRead(vector: Vector): (InstructionFile & { readonly suffix: string }) | undefined {
  const [first] = Object.entries(vector.instructionFiles ?? {});
  return first === undefined ? undefined : { suffix: first[0], ...first[1] };
}
