import { readFile } from "node:fs/promises";
import { isUint8Array } from "node:util/types";
import { keyUnavailable } from "./token-errors.js";

/** Text, or its UTF-8 bytes, which are zeroed after use. */
export type Pin = string | Uint8Array;

/** Where the PIN is: a file, without the line break at its end; an environment variable; or a function that gives it. */
export type PinSource =
  | {
      /** A path; a relative one starts from the working directory. */
      readonly file: string;
    }
  | {
      /** The name of an environment variable. */
      readonly env: string;
    }
  | (() => Pin | Promise<Pin>);

/**
 * The PIN, read anew for each login so that it is not kept. As text, since that is what the binding takes.
 * Throws `key-unavailable`, without a cause: what a reader of secrets throws may quote them.
 */
export async function readPin(source: PinSource): Promise<string> {
  const pin = await pinOf(source);
  // A login without a PIN would count as a wrong one, or ask for it at the token's own keypad.
  if (pin === "") throw keyUnavailable(`There is no PIN ${placeOf(source)}.`);
  return pin;
}

async function pinOf(source: PinSource): Promise<string> {
  if (typeof source === "function") return await pinOfFunction(source);
  if ("env" in source) return process.env[source.env] ?? "";
  const bytes = await readFile(source.file).catch(() => undefined);
  if (bytes === undefined) throw keyUnavailable(`The file ${source.file}, which should hold the PIN, cannot be read.`);
  return textOf(bytes).replace(/\r?\n$/, "");
}

async function pinOfFunction(source: () => Pin | Promise<Pin>): Promise<string> {
  let pin: unknown;
  try {
    pin = await source();
  } catch {
    throw keyUnavailable("The function that should give the PIN failed.");
  }
  if (typeof pin === "string") return pin;
  if (isUint8Array(pin)) return textOf(pin);
  throw keyUnavailable("The function that should give the PIN gave neither text nor bytes.");
}

function textOf(bytes: Uint8Array): string {
  try {
    return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("utf8");
  } finally {
    bytes.fill(0);
  }
}

function placeOf(source: PinSource): string {
  if (typeof source === "function") return "in what the function gave";
  return "env" in source ? `in the environment variable ${source.env}` : `in the file ${source.file}`;
}
