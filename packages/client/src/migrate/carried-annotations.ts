import {
  DeleteObjectCommand,
  GetObjectCommand,
  PutObjectCommand,
  type PutObjectCommandInput,
  type S3Client,
} from "@aws-sdk/client-s3";
import { readAtMost } from "@s3ec/envelope";
import { isError, S3EncryptionError } from "@s3ec/materials";
import { AnnotationStore } from "../annotations/annotation-store.js";
import { answeredBody } from "../read/answered-body.js";
import { changedMeanwhile } from "../restate/changed-meanwhile.js";
import type { KeptObject } from "../restate/kept-object.js";
import { lookAt, type StoredAddress } from "../restate/seen-object.js";
import { whereOf } from "../restate/stored-lock.js";
import { isOthers, MAX_CARRIED_LENGTH } from "../restate/taken-along.js";
import { httpStatusOf, isMissing } from "../s3-errors.js";
import { destroyStream } from "../streams.js";
import { leavesRoomFor } from "../write/metadata-limits.js";
import { InstructionFileError } from "../write/sibling-error.js";

/** What follows the object's key in that of the file which holds its annotations while it is written anew. */
const ASIDE = ".s3ec-annotations";
/** As `setAside` writes it. */
const BEGINNING = '{"from":';
/** JSON writes a byte as six at most. */
const MAX_FILE_LENGTH = 6 * MAX_CARRIED_LENGTH + 64 * 1024;

/** How often an object that others change at the same time, and that stays ours, is looked at again. */
const MAX_ROUNDS = 5;

/** What an object's metadata alone has. */
type MarkOf = (metadata: Readonly<Record<string, string>> | undefined) => string | undefined;

/** What the file says. */
interface Carried {
  /** Entity tag of the object that had them. */
  readonly from: string;
  /** What the envelope alone has of the object that is to have them. Absent where its format tells nothing. */
  readonly mark?: string | undefined;
  /** Texts by name. */
  readonly annotations: Readonly<Record<string, string>>;
}

/**
 * Annotations of others, which a put leaves behind: they are read before it, kept in a file beside the object while it runs, and
 * put back after it. A process that dies in between leaves the file, from which the same call puts them back.
 */
export class CarriedAnnotations {
  readonly #client: S3Client;
  readonly #address: StoredAddress;
  readonly #kept: KeptObject;
  readonly #texts: ReadonlyMap<string, string>;
  readonly #signal: AbortSignal | undefined;
  #aside: string | undefined;
  #mark: string | undefined;

  private constructor(
    client: S3Client,
    kept: KeptObject,
    texts: ReadonlyMap<string, string>,
    signal: AbortSignal | undefined,
  ) {
    this.#client = client;
    this.#address = kept.address;
    this.#kept = kept;
    this.#texts = texts;
    this.#signal = signal;
  }

  /** Reads them. Throws `content-mismatch` for one that is gone, and S3's own errors. */
  static async read(client: S3Client, kept: KeptObject, signal: AbortSignal | undefined): Promise<CarriedAnnotations> {
    const store = new AnnotationStore(client, kept.address, signal);
    const texts = new Map<string, string>();
    for (const { name, size } of kept.annotations) {
      const text = await readOrAllowed(kept, () => store.read(name, size));
      if (text !== undefined) texts.set(name, text);
    }
    return new CarriedAnnotations(client, kept, texts, signal);
  }

  /** Stores them beside the object, once it is known what the new one is called. */
  async setAside(mark: string | undefined): Promise<void> {
    if (this.#texts.size === 0 || this.#aside !== undefined) return;
    this.#mark = mark;
    const { ETag: from = "" } = this.#kept.seen.head;
    const carried: Carried = { from, mark, annotations: Object.fromEntries(this.#texts) };
    const { ServerSideEncryption, SSEKMSKeyId, SSEKMSEncryptionContext, BucketKeyEnabled } = this.#kept.restated;
    const Body = JSON.stringify(carried);
    const put: PutObjectCommandInput = {
      ...fileOf(this.#address),
      ServerSideEncryption,
      SSEKMSKeyId,
      SSEKMSEncryptionContext,
      BucketKeyEnabled,
      Body,
      ContentType: "application/json",
      IfNoneMatch: "*",
    };
    try {
      this.#aside = (await this.#client.send(new PutObjectCommand(put), requestOf(this.#signal))).ETag ?? "";
    } catch (error) {
      // A lost answer is no failure where our text is there, nor what refuses a second try after one.
      const now = await readFile(this.#client, this.#address, this.#signal).catch(() => undefined);
      this.#aside = now?.text === Body ? now.etag : undefined;
      if (this.#aside !== undefined) return;
      throw [409, 412].includes(httpStatusOf(error) ?? 0) ? changedMeanwhile(error) : error;
    }
  }

  /** Puts them back to the object that was written, looks at them, and removes the file. */
  async putBack(etag: string, markOf: MarkOf): Promise<void> {
    if (this.#texts.size === 0) return;
    const written = { etag, mark: this.#mark, markOf };
    await putTo(this.#client, this.#address, this.#texts, written, this.#signal);
    await this.drop();
  }

  /** Nothing was written: the object still has them. */
  async drop(): Promise<void> {
    if (this.#aside !== undefined) await removeFile(this.#client, this.#address, this.#aside, this.#signal);
    this.#aside = undefined;
  }
}

/**
 * What a call that broke off has left: puts its annotations back to the object that it had written, or, where the object before
 * stands, which has them, removes the file.
 *
 * @param markOf what an object's metadata alone has
 * @throws S3EncryptionError `content-mismatch` where another object stands by now
 */
export async function finishCarrying(
  client: S3Client,
  address: StoredAddress,
  markOf: MarkOf,
  signal: AbortSignal | undefined,
): Promise<void> {
  const file = await readFile(client, address, signal);
  if (file === undefined) return;
  const carried = parsed(file.text);
  const { head } = await lookAt(client, address, requestOf(signal));
  const isWritten = carried?.mark !== undefined && carried.mark === markOf(head.Metadata);
  if (carried === undefined || (!isWritten && carried.from !== head.ETag)) {
    throw new S3EncryptionError(
      "content-mismatch",
      `Nothing was written: ${JSON.stringify(`${address.Key}${ASIDE}`)} holds annotations of an object that was written anew by a call that broke off, and whether that is the one that stands cannot be told. Put back what is still wanted, delete that file, and migrate again.`,
    );
  }
  if (isWritten) {
    // Whoever may write the file gives the object no recipients by it.
    const others = Object.entries(carried.annotations).filter(([name]) => isOthers(name));
    const written = { etag: head.ETag ?? "", mark: carried.mark, markOf };
    await putTo(client, address, new Map(others), written, signal);
  }
  await removeFile(client, address, file.etag, signal);
}

/** The object that was written, and how it is told from another. */
interface Written {
  readonly etag: string;
  readonly mark: string | undefined;
  readonly markOf: MarkOf;
}

/**
 * Puts texts to the object that was written, but none over an annotation that came since: S3 knows no condition for that, so that
 * they are listed first. Where another object stands, which has its own, none is put.
 */
async function putTo(
  client: S3Client,
  address: StoredAddress,
  texts: ReadonlyMap<string, string>,
  written: Written,
  signal: AbortSignal | undefined,
): Promise<void> {
  const store = new AnnotationStore(client, address, signal);
  let { etag } = written;
  try {
    const there = new Set((await store.list("")).map(({ name }) => name));
    const missing = new Map([...texts].filter(([name]) => !there.has(name)));
    let rounds = 0;
    for (const [name, text] of missing) {
      while (!(await store.put(name, text, etag))) {
        const now = await standingTag(client, address, written, signal);
        if (now === undefined) return;
        rounds += 1;
        if (rounds === MAX_ROUNDS) throw new Error("The store refuses them, although the object stands.");
        etag = now;
      }
    }
    const sizes = new Map((await store.list("")).map(({ name, size }) => [name, size]));
    const wrong = [...missing].find(([name, text]) => sizes.get(name) !== Buffer.byteLength(text));
    if (wrong === undefined) return;
    if ((await standingTag(client, address, written, signal)) === undefined) return;
    throw new Error(`The annotation ${JSON.stringify(wrong[0])} is not as it was put.`);
  } catch (error) {
    throw new InstructionFileError(
      "instruction-file-failed",
      `The object is written anew, but annotations of others may be missing: they are in ${JSON.stringify(`${address.Key}${ASIDE}`)}. The same call puts them back; allow s3:ListObjectAnnotations and s3:PutObjectAnnotation. Keep that file until then.${isError(error) ? ` ${error.message}` : ""}`,
      [...texts].map(([name, written]) => ({ key: address.Key, annotation: name, written })),
      error,
    );
  }
}

/** The tag that the object has by now; undefined where another one stands, or none. */
async function standingTag(
  client: S3Client,
  address: StoredAddress,
  { etag, mark, markOf }: Written,
  signal: AbortSignal | undefined,
): Promise<string | undefined> {
  try {
    const { head } = await lookAt(client, address, requestOf(signal));
    const isOurs = head.ETag === etag || (mark !== undefined && mark === markOf(head.Metadata));
    if (isOurs) return head.ETag ?? "";
    // Without a mark, a tag alone does not tell another object from this one, changed.
    if (mark === undefined) throw new Error("Another object may stand there by now.");
    return undefined;
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
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

async function readFile(
  client: S3Client,
  address: StoredAddress,
  signal: AbortSignal | undefined,
): Promise<{ readonly text: string; readonly etag: string } | undefined> {
  try {
    const output = await client.send(new GetObjectCommand(fileOf(address)), requestOf(signal));
    const bytes = await readAtMost(answeredBody(output), MAX_FILE_LENGTH + 1);
    return { text: Buffer.from(bytes).toString("utf8"), etag: output.ETag ?? "" };
  } catch (error) {
    // Without s3:ListBucket, S3 answers 403 where there is none.
    if (isMissing(error) || httpStatusOf(error) === 403) return undefined;
    throw error;
  }
}

function parsed(text: string): Carried | undefined {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value !== "object" || value === null) return undefined;
    const { from, mark, annotations } = value as Partial<Record<keyof Carried, unknown>>;
    if (typeof from !== "string" || typeof annotations !== "object" || annotations === null) return undefined;
    if (mark !== undefined && typeof mark !== "string") return undefined;
    const isText = Object.values(annotations).every((each) => typeof each === "string");
    return isText ? { from, mark, annotations: annotations as Carried["annotations"] } : undefined;
  } catch {
    return undefined;
  }
}

async function removeFile(
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

/** Undefined where it may get lost. */
async function readOrAllowed(
  { losses }: KeptObject,
  read: () => Promise<string | undefined>,
): Promise<string | undefined> {
  try {
    const text = await read();
    if (text === undefined) throw changedMeanwhile();
    return text;
  } catch (error) {
    if (httpStatusOf(error) !== 403) throw error;
    losses.accept(
      "annotations",
      "An annotation of the object may not be read, and what is written anew would not have it: allow s3:GetObjectAnnotation.",
    );
    return undefined;
  }
}

function fileOf(address: StoredAddress): ReturnType<typeof whereOf> {
  return whereOf({ ...address, Key: `${address.Key}${ASIDE}` });
}

function requestOf(abortSignal: AbortSignal | undefined): { abortSignal?: AbortSignal } {
  return abortSignal === undefined ? {} : { abortSignal };
}
