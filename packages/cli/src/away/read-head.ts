import { readFile } from "node:fs/promises";
import { S3EncryptionError } from "@s3ec/materials";
import { assertInputOpen } from "../closed-input.js";

/** What is known of a downloaded object. */
export interface DownloadedHead {
  readonly Metadata: Readonly<Record<string, string>>;
  /** Stored bytes. */
  readonly ContentLength?: number;
}

/** Bytes; S3's own answer has less than 16 KiB of headers. */
const MAX_LENGTH = 1024 * 1024;

const USER_METADATA = "x-amz-meta-";

/**
 * Reads what a tool has told of an object: JSON as `aws s3api head-object`, `aws s3api get-object` and `s3ec encrypt` have
 * it, or the headers of an answer, as `curl -I` and `curl -D` have them.
 *
 * @param file its path; `-` is standard input
 * @throws S3EncryptionError `invalid-argument`; the file system's own errors
 */
export async function readHead(file: string): Promise<DownloadedHead> {
  const bytes = file === "-" ? await standardInput() : await readFile(file);
  if (bytes.length > MAX_LENGTH) throw noHead(file, "it is too long");
  const text = bytes.toString("utf8").replace(/^\ufeff/, "");
  if (/^\s*\{/.test(text)) return headOfJson(file, text);
  // Bytes of a header are what they are; the envelope's reader knows what S3 does to those of other languages (H18).
  return headOfHeaders(file, bytes.toString("latin1"));
}

async function standardInput(): Promise<Buffer> {
  assertInputOpen();
  const pieces: Buffer[] = [];
  let length = 0;
  for await (const piece of process.stdin) {
    pieces.push(piece);
    length += piece.length;
    if (length > MAX_LENGTH) break;
  }
  return Buffer.concat(pieces);
}

function headOfJson(file: string, text: string): DownloadedHead {
  let head: unknown;
  try {
    head = JSON.parse(text);
  } catch {
    throw noHead(file, "it is no JSON");
  }
  const { Metadata = {}, ContentLength } = head as { readonly Metadata?: unknown; readonly ContentLength?: unknown };
  const isMap = typeof Metadata === "object" && Metadata !== null && !Array.isArray(Metadata);
  if (!isMap || !Object.values(Metadata).every((value) => typeof value === "string")) {
    throw noHead(file, "its Metadata has others than texts");
  }
  if (ContentLength !== undefined && !isCount(ContentLength)) throw noHead(file, "its ContentLength is no number");
  return {
    Metadata: Metadata as Readonly<Record<string, string>>,
    ...(ContentLength === undefined ? {} : { ContentLength }),
  };
}

function headOfHeaders(file: string, text: string): DownloadedHead {
  // Of redirects, and of a proxy's own answer, there is a block each; the last one is of the object.
  const block =
    text
      .trim()
      .split(/\r?\n\r?\n/)
      .at(-1) ?? "";
  const lines = block.split(/\r?\n/);
  const [, status] = /^HTTP\/[\d.]+ (\d{3})\b/.exec(lines[0] ?? "") ?? [];
  if (status === undefined) throw noHead(file, "it is neither JSON nor begins with the status line of an answer");
  if (status !== "200") throw noHead(file, `its status is ${status}`);
  const headers = lines.slice(1).flatMap((line) => {
    const [, name = "", value = ""] = /^([^:\s]+):[ \t]*(.*?)[ \t]*$/.exec(line) ?? [];
    return name === "" ? [] : [[name.toLowerCase(), value] as const];
  });
  const length = headers.find(([name]) => name === "content-length")?.[1];
  const metadata = headers.flatMap(([name, value]) =>
    name.startsWith(USER_METADATA) ? [[name.slice(USER_METADATA.length), value] as const] : [],
  );
  return {
    Metadata: Object.fromEntries(metadata),
    ...(length !== undefined && /^\d{1,15}$/.test(length) ? { ContentLength: Number(length) } : {}),
  };
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && Number(value) >= 0;
}

function noHead(file: string, why: string): S3EncryptionError {
  return new S3EncryptionError(
    "invalid-argument",
    `${file === "-" ? "What came in" : file} does not tell the object's metadata, because ${why}: pass what aws s3api head-object prints, or the headers that curl -I prints.`,
  );
}
