import { DeleteObjectCommand, GetObjectCommand, type HeadObjectCommandOutput, type S3Client } from "@aws-sdk/client-s3";
import { readAtMost, recipientOfAnnotation } from "@s3ec/envelope";
import { answeredBody } from "../read/answered-body.js";
import { isOfParts } from "../read/with-carried.js";
import type { StoredAddress } from "../restate/seen-object.js";
import { whereOf } from "../restate/stored-lock.js";
import { MAX_CARRIED_LENGTH } from "../restate/taken-along.js";
import { httpStatusOf, isMissing } from "../s3-errors.js";
import { destroyStream } from "../streams.js";
import { leavesRoomFor } from "../write/metadata-limits.js";

/** What follows the object's key in that of the file which holds its annotations while it is written anew. */
export const ASIDE: string = ".s3ec-annotations";
/** As `textOf` writes it. */
const BEGINNING = '{"from":';
/** JSON writes a byte as six at most. */
const MAX_FILE_LENGTH = 6 * MAX_CARRIED_LENGTH + 64 * 1024;

/** What the file says. */
export interface Carried {
  /** Entity tag of the object that stood there before; empty where there was none. */
  readonly from: string;
  /** When that was written, since a copy in parts may have the tag of an earlier one. */
  readonly since?: string | undefined;
  /** What the envelope alone has of the object that is to have them. Absent where its format tells nothing. */
  readonly mark?: string | undefined;
  /** When the file was written. */
  readonly time?: string | undefined;
  /** Others' texts by name. */
  readonly annotations: Readonly<Record<string, string>>;
  /** Texts by name of annotations that hold the object's own wrapped keys, where the data key stays. */
  readonly recipients?: Readonly<Record<string, string>> | undefined;
}

/** The file, as it was read. */
export interface CarriedFile {
  /** Undefined for what is none of ours. */
  readonly carried: Carried | undefined;
  readonly text: string;
  readonly etag: string;
}

export function textOf({ from, since, mark, time, annotations, recipients }: Carried): string {
  return JSON.stringify({ from, since, mark, time, annotations, recipients });
}

/** Undefined where there is none, or it may not be read. */
export async function readCarried(
  client: S3Client,
  address: StoredAddress,
  signal: AbortSignal | undefined,
): Promise<CarriedFile | undefined> {
  if (!leavesRoomFor(address.Key, ASIDE)) return undefined;
  try {
    const output = await client.send(new GetObjectCommand(fileOf(address)), requestOf(signal));
    const bytes = await readAtMost(answeredBody(output), MAX_FILE_LENGTH + 1);
    const text = Buffer.from(bytes).toString("utf8");
    return { text, etag: output.ETag ?? "", carried: parsed(text) };
  } catch (error) {
    // Without s3:ListBucket, S3 answers 403 where there is none.
    if (isMissing(error) || httpStatusOf(error) === 403) return undefined;
    throw error;
  }
}

/** The wrapped keys in it, by the names of their annotations, for whoever reads the object before they are put back. */
export async function carriedRecipients(
  client: S3Client,
  address: StoredAddress,
  signal: AbortSignal | undefined,
): Promise<ReadonlyMap<string, string>> {
  return recipientsOf((await readCarried(client, address, signal))?.carried);
}

/** Names that are none of ours are left out: whoever may write the file gives the object nothing else by it. */
export function recipientsOf({ recipients = {} }: Pick<Carried, "recipients"> = {}): ReadonlyMap<string, string> {
  return new Map(Object.entries(recipients).filter(([name]) => recipientOfAnnotation(name) !== undefined));
}

/** Deletes it, if it is still what was read. */
export async function removeCarried(
  client: S3Client,
  address: StoredAddress,
  IfMatch: string,
  signal: AbortSignal | undefined,
): Promise<void> {
  try {
    await client.send(new DeleteObjectCommand({ ...fileOf(address), IfMatch }), requestOf(signal));
  } catch (error) {
    // Somebody else has finished it.
    if (![404, 409, 412].includes(httpStatusOf(error) ?? 0)) throw error;
  }
}

/** The file that a call which broke off has left beside an object: by what it begins with, since anybody may name theirs so. */
export async function leftAside(
  client: S3Client,
  address: StoredAddress,
  signal: AbortSignal | undefined,
): Promise<{ readonly suffix: string; readonly key: string; readonly etag: string } | undefined> {
  if (!leavesRoomFor(address.Key, ASIDE)) return undefined;
  try {
    const output = await client.send(new GetObjectCommand(fileOf(address)), requestOf(signal));
    const body = answeredBody(output);
    const start = await readAtMost(body, BEGINNING.length);
    destroyStream(body);
    const isOurs = Buffer.from(start).toString("latin1").startsWith(BEGINNING) && output.ETag !== undefined;
    return isOurs ? { suffix: ASIDE, key: fileOf(address).Key, etag: output.ETag ?? "" } : undefined;
  } catch (error) {
    if (isMissing(error) || [400, 403].includes(httpStatusOf(error) ?? 0)) return undefined;
    throw error;
  }
}

/** Whether the object that stands is the one from before. */
export function isBefore({ from, since }: Carried, head: HeadObjectCommandOutput | undefined): boolean {
  // A rewrap in one request keeps the tag, and the annotations.
  const isSameTime = since === undefined || !isOfParts(from) || since === head?.LastModified?.toISOString();
  return from === (head?.ETag ?? "") && isSameTime;
}

export function fileOf(address: StoredAddress): ReturnType<typeof whereOf> {
  return whereOf({ ...address, Key: `${address.Key}${ASIDE}` });
}

export function requestOf(abortSignal: AbortSignal | undefined): { abortSignal?: AbortSignal } {
  return abortSignal === undefined ? {} : { abortSignal };
}

function parsed(text: string): Carried | undefined {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value !== "object" || value === null) return undefined;
    const { from, since, mark, time, annotations, recipients = {} } = value as Partial<Record<keyof Carried, unknown>>;
    if (typeof from !== "string" || !areTexts(annotations) || !areTexts(recipients)) return undefined;
    if (!isTextOrNone(since) || !isTextOrNone(mark) || !isTextOrNone(time)) return undefined;
    return { from, since, mark, time, annotations, recipients };
  } catch {
    return undefined;
  }
}

function isTextOrNone(value: unknown): value is string | undefined {
  return value === undefined || typeof value === "string";
}

function areTexts(value: unknown): value is Readonly<Record<string, string>> {
  return typeof value === "object" && value !== null && Object.values(value).every((each) => typeof each === "string");
}
