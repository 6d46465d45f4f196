import type { HeadObjectCommandOutput } from "@aws-sdk/client-s3";
import { holdsEnvelope } from "@s3ec/envelope";
import { S3EncryptionError } from "@s3ec/materials";
import type { ObjectAddress } from "../object-address.js";
import { isServiceError } from "../service-message.js";
import { isPlainSource } from "./copy-one.js";
import { type FoundBelow, foundBelow } from "./found-below.js";
import type { ListedObject } from "./listed-objects.js";
import type { LocalFile, TreeOptions } from "./local-tree.js";
import { manyHeads } from "./many-heads.js";
import type { PathFilter } from "./path-filter.js";
import type { Place } from "./place.js";
import type { PlacePair } from "./place-pair.js";
import { TaskOfFound } from "./recursive-tasks.js";
import type { Task } from "./run-tasks.js";
import { type ComparisonOptions, isTimely, maySizeBe, sizeIfEncrypted } from "./same-content.js";
import { sideBySide } from "./side-by-side.js";
import type { TransferContext } from "./transfer-context.js";

/** How two places are compared. */
export interface SyncOptions extends ComparisonOptions, TreeOptions {
  /** Sizes are taken from listings, as of what this client wrote. */
  readonly trustListing?: boolean;
}

/** What only the target has, and what is known of the source beside that. */
export interface SyncFindings {
  readonly objects: readonly ListedObject[];
  readonly files: readonly LocalFile[];
  readonly isSourceEmpty: boolean;
}

type Compared =
  | { readonly is: "same"; readonly found: FoundBelow }
  | { readonly is: "other"; readonly found: FoundBelow }
  | { readonly is: "unknown"; readonly found: FoundBelow; readonly error: unknown };

/** Objects that are asked for their sizes at once. */
const HEADS = 32;

/** What a sync has to transfer, which is what the target has not, or has otherwise; and what only the target has. */
export class SyncComparison {
  readonly #context: TransferContext;
  readonly #pair: PlacePair;
  readonly #isMeant: PathFilter;
  readonly #options: SyncOptions;
  readonly #objects: ListedObject[] = [];
  readonly #files: LocalFile[] = [];
  readonly #heads = new Map<string, ReturnType<typeof manyHeads>>();
  #isSourceEmpty = true;
  #isWhole = false;

  constructor(context: TransferContext, pair: PlacePair, isMeant: PathFilter, options: SyncOptions) {
    this.#context = context;
    this.#pair = pair;
    this.#isMeant = isMeant;
    this.#options = options;
  }

  /** Undefined unless both sides were read to their ends. */
  get findings(): SyncFindings | undefined {
    if (!this.#isWhole) return undefined;
    return { objects: this.#objects, files: this.#files, isSourceEmpty: this.#isSourceEmpty };
  }

  async *tasks(): AsyncGenerator<Task> {
    const tasks = new TaskOfFound(this.#context, this.#pair);
    // Asked for many at once, and given in their order.
    const waiting: Promise<Compared>[] = [];
    const next = async (): Promise<Task | undefined> => {
      const compared = await waiting.shift();
      if (compared === undefined) return undefined;
      if (compared.is === "same") {
        tasks.passed(compared.found);
        return undefined;
      }
      return compared.is === "unknown" ? tasks.failed(compared.found, compared.error) : tasks.of(compared.found);
    };
    for await (const { left, right } of sideBySide(this.#source(), this.#target())) {
      if (left === undefined) {
        if (right !== undefined) this.#note(right);
        continue;
      }
      this.#isSourceEmpty = false;
      const compared = this.#compared(left, right);
      compared.catch(() => {});
      waiting.push(compared);
      while (waiting.length >= HEADS) {
        const task = await next();
        if (task !== undefined) yield task;
      }
    }
    while (waiting.length > 0) {
      const task = await next();
      if (task !== undefined) yield task;
    }
    this.#isWhole = true;
  }

  #source(): AsyncGenerator<FoundBelow> {
    const { from, direction } = this.#pair;
    return foundBelow(this.#context, from, this.#isMeant, { ...this.#options, isCopied: direction === "copy" });
  }

  /** What is not there yet is empty; of a prefix that is so by itself. */
  async *#target(): AsyncGenerator<FoundBelow> {
    const { to } = this.#pair;
    try {
      yield* foundBelow(this.#context, to, this.#isMeant, this.#options);
    } catch (error) {
      const isMissing = to.kind === "local" && error instanceof Error && "code" in error && error.code === "ENOENT";
      if (!isMissing) throw error;
    }
  }

  #note(only: FoundBelow): void {
    if ("unread" in only) return;
    if (only.object !== undefined) this.#objects.push(only.object);
    else if (only.file !== undefined) this.#files.push(only.file);
  }

  /** What S3 does not say of one is a matter of that one. */
  async #compared(found: FoundBelow, target: FoundBelow | undefined): Promise<Compared> {
    try {
      return (await this.#isNeeded(found, target)) ? { is: "other", found } : { is: "same", found };
    } catch (error) {
      this.#context.signal.throwIfAborted();
      if (!isServiceError(error) && !(error instanceof S3EncryptionError)) throw error;
      // It has gone since it was listed: to where nothing is it is sent, and nothing can be had.
      return isServiceError(error) && error.$metadata.httpStatusCode === 404
        ? { is: "other", found }
        : { is: "unknown", found, error };
    }
  }

  async #isNeeded(source: FoundBelow, target: FoundBelow | undefined): Promise<boolean> {
    if (target === undefined || "unread" in source || "unread" in target) return true;
    const { sizeOnly = false } = this.#options;
    const { direction } = this.#pair;
    const [from, to] = [modifiedOf(source), modifiedOf(target)];
    if (!sizeOnly && !isTimely(direction, from, to, this.#options)) return true;
    if (source.object !== undefined && target.object !== undefined) {
      return await this.#isCopyNeeded(source.place, source.object, target.object);
    }
    const object = source.object ?? target.object;
    const file = source.file ?? target.file;
    if (object === undefined || file === undefined) return true;
    if (this.#options.trustListing === true) return sizeIfEncrypted(object.Size ?? -1) !== file.size;
    const place = source.place.kind === "s3" ? source.place : target.place;
    if (place.kind !== "s3") return true;
    return !(await this.#isOfSize(place.Bucket, object, file.size));
  }

  /** What is encrypted is stored alike; what is not is treated as it would be if it were not there yet. */
  async #isCopyNeeded(of: Place, source: ListedObject, target: ListedObject): Promise<boolean> {
    const { plainMode } = this.#context;
    const { to } = this.#pair;
    const isSameSize = source.Size === target.Size;
    const isSizeEnough = this.#options.trustListing === true || (!isSameSize && plainMode !== "encrypt");
    if (isSizeEnough || of.kind !== "s3" || to.kind !== "s3") return !isSameSize;
    const from = { Bucket: of.Bucket, Key: source.Key };
    const head = await this.#head(from, "getSource");
    if (!(await isPlainSource(this.#context, from, head))) return !isSameSize;
    if (plainMode !== "encrypt") return plainMode !== "copy";
    return !(await this.#isOfSize(to.Bucket, target, head.ContentLength ?? 0));
  }

  /** By its HEAD; what is not encrypted is not what would be stored, or is refused when it is read. */
  async #isOfSize(Bucket: string, object: ListedObject, size: number): Promise<boolean> {
    const { plainMode } = this.#context;
    const { Key, Size = size } = object;
    // No cipher takes less room than its plaintext.
    if (Size < size) return false;
    const head = await this.#head({ Bucket, Key }, "get");
    if (holdsEnvelope(head.Metadata ?? {})) return maySizeBe(size, head);
    const mayBePlain = plainMode === "copy" && head.ContentLength === size;
    if (!mayBePlain && !maySizeBe(size, head)) return false;
    const { state, contentLength } = await this.#context.filesBeside(Bucket, "get").stateOf({ Key });
    if (state === "encrypted") return contentLength == null ? maySizeBe(size, head) : contentLength === size;
    return state === "plain" && mayBePlain;
  }

  async #head({ Bucket, Key }: ObjectAddress, read: "get" | "getSource"): Promise<HeadObjectCommandOutput> {
    const { plain, parameters, signal } = this.#context;
    const name = JSON.stringify([Bucket, read]);
    const heads = this.#heads.get(name) ?? manyHeads(plain, { Bucket, ...parameters[read] }, signal);
    this.#heads.set(name, heads);
    return await heads(Key);
  }
}

function modifiedOf(found: Exclude<FoundBelow, { unread: unknown }>): number {
  return found.object?.LastModified?.getTime() ?? found.file?.modified ?? 0;
}
