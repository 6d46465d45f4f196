import { constants, readFileSync, readlinkSync } from "node:fs";
import { S3EncryptionError } from "@s3ec/materials";
import { STANDARD_INPUT, STANDARD_OUTPUT } from "./open-descriptor.js";

/** Throws `invalid-argument` where standard input was closed (`<&-`): it would be taken for an empty one. */
export function assertInputOpen(): void {
  // Somebody may have put another stream in its place.
  if (process.stdin.fd !== STANDARD_INPUT || !isClosed(STANDARD_INPUT)) return;
  throw new S3EncryptionError(
    "invalid-argument",
    "Standard input is closed, so that there is nothing to read: redirect it, from /dev/null (</dev/null) where it is meant to be empty.",
  );
}

/** Throws `invalid-argument` where standard output was closed (`>&-`): what is written there would be lost without a word. */
export function assertOutputOpen(): void {
  if (!isClosed(STANDARD_OUTPUT)) return;
  throw new S3EncryptionError(
    "invalid-argument",
    "Standard output is closed, so that nobody would get the content: redirect it, to /dev/null (>/dev/null) where nobody is to.",
  );
}

/**
 * In the place of a standard stream that is closed Node opens /dev/null, for reading and writing, as no shell does that is told
 * to redirect to it or from it. Only Linux tells how a file was opened: elsewhere false.
 */
function isClosed(descriptor: number): boolean {
  try {
    if (readlinkSync(`/proc/self/fd/${descriptor}`) !== "/dev/null") return false;
    const [, flags = ""] = /^flags:\s*([0-7]+)$/m.exec(readFileSync(`/proc/self/fdinfo/${descriptor}`, "utf8")) ?? [];
    return (Number.parseInt(flags, 8) & (constants.O_RDWR | constants.O_WRONLY)) === constants.O_RDWR;
  } catch {
    return false;
  }
}
