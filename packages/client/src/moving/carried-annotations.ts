import {
  type HeadObjectCommandOutput,
  PutObjectCommand,
  type PutObjectCommandInput,
  type S3Client,
} from "@aws-sdk/client-s3";
import { S3EncryptionError } from "@s3ec/materials";
import { AnnotationStore, type ListedAnnotation } from "../annotations/annotation-store.js";
import { changedMeanwhile } from "../restate/changed-meanwhile.js";
import type { AllowedLosses } from "../restate/losses.js";
import { lookAt, type StoredAddress, type StoredVersion } from "../restate/seen-object.js";
import { isOthers } from "../restate/taken-along.js";
import { httpStatusOf, isMissing } from "../s3-errors.js";
import {
  ASIDE,
  type Carried,
  type CarriedFile,
  fileOf,
  isBefore,
  readCarried,
  recipientsOf,
  removeCarried,
  requestOf,
  textOf,
} from "./carried-file.js";
import { isPast, REMOVING_TIMEOUT } from "./moving-mark.js";
import { type MarkOf, putBackTo } from "./put-back.js";

/** Which annotations are carried over, and to where. */
export interface Carrying {
  /** The object, or version, that has them. */
  readonly from: StoredVersion;
  /** Those of it that go along. */
  readonly annotations: readonly ListedAnnotation[];
  /** Where the object is written; the file is beside it. */
  readonly to: StoredAddress;
  /** How S3 encrypts the file: as the object. */
  readonly encryption: Pick<
    PutObjectCommandInput,
    "BucketKeyEnabled" | "SSEKMSEncryptionContext" | "SSEKMSKeyId" | "ServerSideEncryption"
  >;
  readonly losses: AllowedLosses;
}

/**
 * Annotations that do not go along by themselves: they are read before, kept in a file beside the object while it is written, and put
 * back after that. A process that dies in between leaves the file, from which the same call puts them back.
 */
export class CarriedAnnotations {
  readonly #client: S3Client;
  readonly #carrying: Carrying;
  readonly #texts: ReadonlyMap<string, string>;
  readonly #signal: AbortSignal | undefined;
  readonly #left: CarriedFile | undefined;
  #aside: string | undefined;
  #mark: string | undefined;

  private constructor(
    client: S3Client,
    carrying: Carrying,
    texts: ReadonlyMap<string, string>,
    { signal, left }: { readonly signal: AbortSignal | undefined; readonly left: CarriedFile | undefined },
  ) {
    this.#client = client;
    this.#carrying = carrying;
    this.#texts = texts;
    this.#signal = signal;
    this.#left = left;
  }

  /**
   * Reads them. Throws `content-mismatch` for one that is gone, and S3's own errors.
   *
   * @param left the file of another call that `finishCarrying` has left: this one's takes its place
   */
  static async read(
    client: S3Client,
    carrying: Carrying,
    signal: AbortSignal | undefined,
    left?: CarriedFile,
  ): Promise<CarriedAnnotations> {
    const store = new AnnotationStore(client, carrying.from, signal);
    const texts = new Map<string, string>();
    for (const { name, size } of carrying.annotations) {
      const text = await readOrAllowed(carrying.losses, () => store.read(name, size));
      if (text !== undefined) texts.set(name, text);
    }
    return new CarriedAnnotations(client, carrying, texts, { signal, left });
  }

  /**
   * Stores them beside where the object is written, once it is known what that is called.
   *
   * @param before what stands there
   * @throws S3EncryptionError `unsupported-operation` where its store has not shown that it knows annotations
   */
  async setAside(before: HeadObjectCommandOutput | undefined, mark: string | undefined): Promise<void> {
    if (this.#aside !== undefined) return;
    const { encryption, to } = this.#carrying;
    if (this.#texts.size === 0) {
      // What another call has kept there is not the object's any more.
      if (this.#left !== undefined) await removeCarried(this.#client, to, this.#left.etag, this.#signal);
      return;
    }
    this.#mark = mark;
    const all = [...this.#texts];
    const carried: Carried = {
      from: before?.ETag ?? "",
      since: before?.LastModified?.toISOString(),
      mark,
      time: new Date().toISOString(),
      annotations: Object.fromEntries(all.filter(([name]) => isOthers(name))),
      recipients: Object.fromEntries(all.filter(([name]) => !isOthers(name))),
    };
    const Body = textOf(carried);
    const { ServerSideEncryption, SSEKMSKeyId, SSEKMSEncryptionContext, BucketKeyEnabled } = encryption;
    const put: PutObjectCommandInput = {
      ...fileOf(to),
      ServerSideEncryption,
      SSEKMSKeyId,
      SSEKMSEncryptionContext,
      BucketKeyEnabled,
      Body,
      ContentType: "application/json",
      ...(this.#left === undefined ? { IfNoneMatch: "*" } : { IfMatch: this.#left.etag }),
    };
    try {
      this.#aside = (await this.#client.send(new PutObjectCommand(put), requestOf(this.#signal))).ETag ?? "";
    } catch (error) {
      // A lost answer is no failure where our text is there, nor what refuses a second try after one.
      const now = await readCarried(this.#client, to, this.#signal).catch(() => undefined);
      this.#aside = now?.text === Body ? now.etag : undefined;
      if (this.#aside === undefined) {
        throw [409, 412].includes(httpStatusOf(error) ?? 0) ? changedMeanwhile(error) : error;
      }
    }
    // Of the file, since the object may not be there yet.
    await new AnnotationStore(this.#client, fileOf(to), this.#signal).prove();
  }

  /** Puts them back to the object that was written, looks at them, and removes the file. */
  async putBack(etag: string, markOf: MarkOf): Promise<void> {
    if (this.#texts.size === 0) return;
    const written = { etag, mark: this.#mark, markOf };
    await putBackTo(this.#client, this.#carrying.to, this.#texts, written, this.#signal);
    await this.drop();
  }

  /** The same after a failure behind which the object may stand: where it does. */
  async putBackBehind(markOf: MarkOf): Promise<void> {
    if (this.#texts.size === 0 || this.#mark === undefined) return;
    const { head } = await lookAt(this.#client, this.#carrying.to, requestOf(this.#signal));
    if (markOf(head.Metadata ?? {}) === this.#mark) await this.putBack(head.ETag ?? "", markOf);
  }

  /** Nothing was written: the object still has them. */
  async drop(): Promise<void> {
    if (this.#aside === undefined) return;
    const signal = AbortSignal.timeout(REMOVING_TIMEOUT);
    await removeCarried(this.#client, this.#carrying.to, this.#aside, signal);
    this.#aside = undefined;
  }
}

/**
 * What a call that broke off has left: puts its annotations back to the object that it had written, or, where the object before
 * stands, which has its own, removes the file. That call may be under way for all that is known, and its object still to come: where
 * it has not had its two hours, the file is left, and returned, for the caller's own to take its place.
 *
 * @param markOf what an object's metadata alone has
 * @param read the file, where it was read
 * @throws S3EncryptionError `content-mismatch` where another object stands by now
 */
export async function finishCarrying(
  client: S3Client,
  address: StoredAddress,
  markOf: MarkOf,
  signal: AbortSignal | undefined,
  read?: CarriedFile,
): Promise<CarriedFile | undefined> {
  const file = read ?? (await readCarried(client, address, signal));
  if (file === undefined) return undefined;
  const { carried } = file;
  const head = await lookAt(client, address, requestOf(signal)).then(
    (seen) => seen.head,
    (error: unknown) => {
      if (isMissing(error)) return undefined;
      throw error;
    },
  );
  // What is gone has none.
  const isStill = carried !== undefined && (head === undefined || isBefore(carried, head));
  const isWritten = !isStill && carried?.mark !== undefined && carried.mark === markOf(head?.Metadata ?? {});
  if (carried === undefined || !(isStill || isWritten)) {
    throw new S3EncryptionError(
      "content-mismatch",
      `Nothing was written: ${JSON.stringify(`${address.Key}${ASIDE}`)} holds annotations of an object that was written anew by a call that broke off, and whether that is the one that stands cannot be told. Put back what is still wanted, delete that file, and do it again.`,
    );
  }
  if (isStill && !isPast(carried.time)) return file;
  if (isWritten) {
    // Whoever may write the file gives the object no recipients by what it says of others.
    const others = Object.entries(carried.annotations).filter(([name]) => isOthers(name));
    const texts = new Map([...others, ...recipientsOf(carried)]);
    await putBackTo(client, address, texts, { etag: head?.ETag ?? "", mark: carried.mark, markOf }, signal);
  }
  await removeCarried(client, address, file.etag, signal);
  return undefined;
}

/** Undefined where it may get lost. */
async function readOrAllowed(
  losses: AllowedLosses,
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
