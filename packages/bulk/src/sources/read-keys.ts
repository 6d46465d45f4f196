import { assertKnownOptions, S3EncryptionError } from "@s3ec/materials";
import { decodedKey } from "./list-objects.js";
import type { StoredObject } from "./stored-object.js";

/** How a list of keys is written. */
export interface ReadKeysOptions {
  /**
   * `"none"`, the default: each line is a key as S3 has it. `"url"`: each is URL-encoded, as S3's listings and the CSV of an
   * inventory have it, which alone can hold keys with line breaks. A list is all of one kind: nothing is guessed.
   */
  readonly encoding?: "none" | "url";
}

/** S3's limit for a key, three characters for a byte that is escaped. */
const MAX_LINE = 3 * 1024;

/**
 * The keys of a text, one a line; empty lines are passed over.
 *
 * @param text such as `process.stdin`
 * @throws S3EncryptionError `invalid-argument` for what is no UTF-8, no key, or no URL-encoding where that is named
 */
export async function* readKeys(
  text: AsyncIterable<Uint8Array | string>,
  options: ReadKeysOptions = {},
): AsyncGenerator<StoredObject> {
  assertKnownOptions(options, { encoding: true }, "readKeys");
  const { encoding = "none" } = options;
  if (encoding !== "none" && encoding !== "url") throw invalid('encoding must be "none" or "url".');
  let number = 0;
  for await (const line of lines(text)) {
    number += 1;
    if (line === "") continue;
    if (line.endsWith("\r")) {
      throw invalid(
        `Line ${number} of the keys ends with a carriage return: end lines with a line feed alone; or write keys that end so URL-encoded, and say that they are.`,
      );
    }
    const Key = encoding === "url" ? decodedKey(line) : line;
    if (Buffer.byteLength(Key) > 1024) throw invalid(`Line ${number} of the keys is longer than any key of S3.`);
    yield { Key };
  }
}

async function* lines(text: AsyncIterable<Uint8Array | string>): AsyncGenerator<string> {
  const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
  let rest = "";
  for await (const chunk of text) {
    const parts = (rest + decode(decoder, chunk)).split("\n");
    rest = parts.pop() ?? "";
    yield* parts;
    if (rest.length > MAX_LINE) throw invalid("The keys hold a line that is longer than any key of S3.");
  }
  rest += decode(decoder, undefined);
  if (rest !== "") yield rest;
}

function decode(decoder: InstanceType<typeof TextDecoder>, chunk: Uint8Array | string | undefined): string {
  if (typeof chunk === "string") return chunk;
  try {
    return chunk === undefined ? decoder.decode() : decoder.decode(chunk, { stream: true });
  } catch {
    throw invalid("The keys are no UTF-8 text.");
  }
}

function invalid(message: string): S3EncryptionError {
  return new S3EncryptionError("invalid-argument", message);
}
