import { S3EncryptionError } from "@s3ec/materials";
import type { ResolvedOptions } from "../options.js";
import type { OpenUpload } from "./open-upload.js";

/** Which upload a command means. */
export interface UploadName {
  readonly Bucket?: string | undefined;
  readonly Key?: string | undefined;
  readonly UploadId?: string | undefined;
}

/** What has come of creating one, and what its creator is answered. */
export interface BegunUpload<T> {
  readonly name: UploadName;
  readonly upload: OpenUpload;
  readonly answer: T;
}

const MOST_UPLOADS = 1000;
/** Bytes of parts that wait for the end of their uploads, of all together. */
const MOST_HELD = 1024 ** 3;
/** Milliseconds. */
const IDLE_TIME = 24 * 60 * 60 * 1000;

/**
 * The multipart uploads that a client has begun. Nothing of them is kept elsewhere: what has ended, was not used for a day,
 * or has made room for others, cannot be gone on with.
 */
export class OpenUploads {
  readonly #now: () => number;
  readonly #most: number;
  readonly #mostHeld: number;
  /** The one that was used last comes last. */
  readonly #uploads = new Map<string, { readonly upload: OpenUpload; used: number }>();

  /** Uploads that are being created. */
  #beginning = 0;

  constructor(most: number = MOST_UPLOADS, now: () => number = () => performance.now(), mostHeld: number = MOST_HELD) {
    this.#most = most;
    this.#mostHeld = mostHeld;
    this.#now = now;
  }

  /** How many there are. */
  get size(): number {
    return this.#uploads.size;
  }

  /**
   * Creates one. Lets go before of what has expired, and of those that are unused for longest, where there are as many as
   * may be.
   *
   * @throws S3EncryptionError `unsupported-operation` where all of them are being used
   */
  async beginning<T>(begin: () => Promise<BegunUpload<T>>): Promise<T> {
    this.#makeRoom();
    // Counted from here on: however many are created at the same time, no more than may be come of it.
    this.#beginning += 1;
    let begun: BegunUpload<T>;
    try {
      begun = await begin();
    } finally {
      this.#beginning -= 1;
    }
    this.add(begun.name, begun.upload);
    return begun.answer;
  }

  #makeRoom(): void {
    this.#dropExpired();
    for (const [key, { upload }] of this.#uploads) {
      if (this.#hasRoom) return;
      if (!upload.isBusy) this.#drop(key, upload);
    }
    if (this.#hasRoom) return;
    throw new S3EncryptionError(
      "unsupported-operation",
      `This client has as many multipart uploads under way as it can hold (${this.#uploads.size}): complete or abort some first.`,
    );
  }

  /** @throws S3EncryptionError `unsupported-operation` for one that is known: an id names one upload (G2) */
  add(name: UploadName, upload: OpenUpload): void {
    const key = keyOf(name);
    if (this.#uploads.has(key)) {
      throw new S3EncryptionError(
        "unsupported-operation",
        "S3 gave the upload the id of one that is under way. Nothing was encrypted for it.",
      );
    }
    this.#uploads.set(key, { upload, used: this.#now() });
    upload.countedBy((length) => this.#makeRoomToHold(length, upload));
  }

  /** Lets go of what has expired, and of those unused for longest that hold something, where all hold as much as may be. */
  #makeRoomToHold(length: number, holder: OpenUpload): void {
    this.#dropExpired();
    let held = [...this.#uploads.values()].reduce((sum, { upload }) => sum + upload.held, length);
    for (const [key, { upload }] of this.#uploads) {
      if (held <= this.#mostHeld) return;
      if (upload.isBusy || upload === holder || upload.held === 0) continue;
      held -= upload.held;
      this.#drop(key, upload);
    }
    if (held <= this.#mostHeld) return;
    throw new S3EncryptionError(
      "unsupported-operation",
      `This client holds as many bytes of parts that may be the last of their uploads as it can (${this.#mostHeld}), and nothing of this one was encrypted: complete or abort other uploads, and send it again.`,
    );
  }

  /** Undefined for one that was not begun here, or was let go of. */
  find(name: UploadName): OpenUpload | undefined {
    this.#dropExpired();
    const key = keyOf(name);
    const entry = this.#uploads.get(key);
    if (entry === undefined) return undefined;
    this.#uploads.delete(key);
    this.#uploads.set(key, entry);
    entry.used = this.#now();
    return entry.upload;
  }

  /** What is under way of it ends, and its key is forgotten (G11). */
  remove(name: UploadName): void {
    const key = keyOf(name);
    const entry = this.#uploads.get(key);
    if (entry !== undefined) this.#drop(key, entry.upload);
  }

  get #hasRoom(): boolean {
    return this.#uploads.size + this.#beginning < this.#most;
  }

  #dropExpired(): void {
    for (const [key, { upload, used }] of this.#uploads) {
      if (!upload.isBusy && this.#now() - used > IDLE_TIME) this.#drop(key, upload);
    }
  }

  #drop(key: string, upload: OpenUpload): void {
    this.#uploads.delete(key);
    upload.end("It was aborted, completed, not used for long, or has made room for others");
  }
}

function keyOf({ Bucket, Key, UploadId }: UploadName): string {
  return JSON.stringify([Bucket, Key, UploadId]);
}

// A client has its options for itself, and what is made from it shares them.
const UPLOADS = new WeakMap<object, OpenUploads>();

export function uploadsOf({ identity }: ResolvedOptions): OpenUploads {
  const uploads = UPLOADS.get(identity) ?? new OpenUploads();
  UPLOADS.set(identity, uploads);
  return uploads;
}

/** Of an upload of which nothing is known here: another process or client has its key, or nobody has any more. */
export function foreignUpload(commandName: string): S3EncryptionError {
  return new S3EncryptionError(
    "unsupported-operation",
    `${commandName} names an upload that this client has not begun, or does not know any more: the state of an encrypted upload lives in the client that created it, and the one unused for longest makes room for others. Abort it (AbortMultipartUploadCommand) and begin again.`,
  );
}
