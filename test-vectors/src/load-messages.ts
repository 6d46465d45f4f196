import { readFileSync } from "node:fs";
import type { MessageKeyring, MessageVector } from "./message-vector.js";
import { readJson } from "./read-json.js";

/** Every message of the AWS Encryption SDK, in the manifest's order. */
export function loadMessages(): readonly MessageVector[] {
  return readJson("messages/manifest.json");
}

/** The messages' keyrings by name. Their keys were made for these vectors and protect nothing. */
export function loadMessageKeyrings(): Readonly<Record<string, MessageKeyring>> {
  return readJson("messages/keyrings.json");
}

/** The message's bytes. */
export function readMessage({ message }: MessageVector): Buffer {
  return readFileSync(new URL(`../${message.file}`, import.meta.url));
}
