import assert from "node:assert/strict";
import { inspect } from "node:util";
import { isError } from "@s3ec/materials";

/** Asserts that neither `inspect` nor `JSON.stringify` shows any of these bytes, in any usual notation. */
export function assertNotPrinted(value: unknown, secrets: readonly Uint8Array[]): void {
  for (const secret of secrets)
    assert(!contains(value, secret), "A secret key is printed with the keyring or an error.");
}

/** Whether the printed value shows these bytes as hex, base64, base64url, Latin-1 or a list of numbers. */
export function contains(value: unknown, secret: Uint8Array): boolean {
  const options = { depth: null, showHidden: true, compact: false, maxArrayLength: null, maxStringLength: null };
  const printed = [inspect(value, options), json(value), isError(value) ? String(value.stack) : ""].join("\n");
  const dense = printed.replace(/\s/g, "");
  const bytes = Buffer.from(secret);
  const base64 = bytes.toString("base64").replace(/=+$/, "");
  const notations = [bytes.toString("hex"), base64, bytes.toString("base64url"), [...bytes].join(",")];
  return (
    notations.some((text) => dense.toLowerCase().includes(text.toLowerCase())) ||
    printed.includes(bytes.toString("latin1"))
  );
}

function json(value: unknown): string {
  try {
    return JSON.stringify(value) ?? "";
  } catch {
    // Circular: inspect has shown it.
    return "";
  }
}
