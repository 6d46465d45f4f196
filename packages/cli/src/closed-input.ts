import { constants, readFileSync, readlinkSync } from "node:fs";
import { S3EncryptionError } from "@s3ec/materials";
import { STANDARD_INPUT } from "./open-descriptor.js";

/** Throws `invalid-argument` where standard input was closed (`<&-`): it would be taken for an empty one. */
export function assertInputOpen(): void {
  // Somebody may have put another stream in its place.
  if (process.stdin.fd !== STANDARD_INPUT || !isClosed()) return;
  throw new S3EncryptionError(
    "invalid-argument",
    "Standard input is closed, so that there is nothing to read: redirect it, from /dev/null (</dev/null) where it is meant to be empty.",
  );
}

/**
 * In the place of a standard input that is closed Node opens /dev/null, for reading and writing, as no shell does that is told
 * to read from it. Only Linux tells how a file was opened: elsewhere false. Output is not asked about: programs that let it
 * go to nobody open /dev/null for reading and writing, too.
 */
function isClosed(): boolean {
  try {
    if (readlinkSync(`/proc/self/fd/${STANDARD_INPUT}`) !== "/dev/null") return false;
    const opened = readFileSync(`/proc/self/fdinfo/${STANDARD_INPUT}`, "utf8");
    const [, flags = ""] = /^flags:\s*([0-7]+)$/m.exec(opened) ?? [];
    return (Number.parseInt(flags, 8) & (constants.O_RDWR | constants.O_WRONLY)) === constants.O_RDWR;
  } catch {
    return false;
  }
}
