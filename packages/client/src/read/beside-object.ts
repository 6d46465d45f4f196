import {
  type GetObjectCommandInput,
  type GetObjectCommandOutput,
  ListObjectsV2Command,
  ListObjectVersionsCommand,
  type ListObjectVersionsCommandInput,
  type ObjectVersion,
  type S3Client,
} from "@aws-sdk/client-s3";
import { MAX_INSTRUCTION_FILE_LENGTH, quotedList, readAtMost } from "@s3ec/envelope";
import { type AnnotationReader, isError } from "@s3ec/materials";
import type { AnnotationStore } from "../annotations/annotation-store.js";
import { httpStatusOf, isMissing } from "../s3-errors.js";
import { answeredBody } from "./answered-body.js";
import type { Beside } from "./open-stored.js";

/** Enough to recognise the right one among. */
const MAX_SIBLINGS = 20;
/** Milliseconds that a better sentence in a refusal may take; it is refused in any case. */
const PATIENCE = 3000;
/** Pages of 1,000 versions of one file; whoever writes it more often has to name one. */
const MAX_PAGES = 10;

interface Requests {
  /** Gets a file the way that the object was asked for. */
  readonly get: (input: GetObjectCommandInput) => Promise<GetObjectCommandOutput>;
  /** One that does not encrypt. */
  readonly client: () => S3Client;
  readonly signal: AbortSignal | undefined;
}

/** What lies beside an object that is to be read: files, their versions, and what S3 lists. */
export class BesideObject implements Beside {
  readonly #object: GetObjectCommandInput;
  readonly #requests: Requests;

  constructor(object: GetObjectCommandInput, requests: Requests) {
    this.#object = object;
    this.#requests = requests;
  }

  /**
   * The text of a file, at most one byte more than it may have (S14); undefined where there is none. Any other failure is
   * S3's own (H34), said of the file.
   */
  async read(suffix: string, VersionId: string | undefined): Promise<string | undefined> {
    const { SSECustomerAlgorithm, SSECustomerKey, SSECustomerKeyMD5 } = this.#object;
    const customerKey = { SSECustomerAlgorithm, SSECustomerKey, SSECustomerKeyMD5 };
    let output: GetObjectCommandOutput;
    try {
      const file = { ...this.#owner(), ...customerKey, Key: this.#keyOf(suffix) };
      output = await this.#requests.get(VersionId === undefined ? file : { ...file, VersionId });
    } catch (error) {
      if (isMissing(error)) return undefined;
      throw namingTheFile(error, suffix);
    }
    const bytes = await readAtMost(answeredBody(output), MAX_INSTRUCTION_FILE_LENGTH + 1);
    return Buffer.from(bytes).toString("utf8");
  }

  /** Its annotations, or those of the version that is asked for. */
  get annotations(): AnnotationReader {
    const store = async (): Promise<AnnotationStore> => {
      const { AnnotationStore } = await import("../annotations/annotation-store.js");
      return new AnnotationStore(this.#requests.client(), this.#object, this.#requests.signal);
    };
    return {
      list: async (prefix) => await (await store()).list(prefix),
      read: async (name) => await (await store()).read(name),
    };
  }

  /** The texts of annotations with wrapped keys, by name, that are still to be put back to it after a copy in parts. */
  async carried(): Promise<ReadonlyMap<string, string>> {
    const { carriedRecipients } = await import("../moving/carried-file.js");
    const { Bucket = "", Key = "", ...owner } = this.#object;
    return await carriedRecipients(this.#requests.client(), { ...owner, Bucket, Key }, this.#requests.signal);
  }

  /** What follows the object's key in those of its siblings `<key>.*`; undefined where they may not be listed. */
  async suffixes(): Promise<string[] | undefined> {
    const { Key = "" } = this.#object;
    const input = { ...this.#owner(), Prefix: `${Key}.`, MaxKeys: MAX_SIBLINGS };
    const { signal: abortSignal } = this.#requests;
    const patience = AbortSignal.timeout(PATIENCE);
    const request = { abortSignal: abortSignal === undefined ? patience : AbortSignal.any([abortSignal, patience]) };
    try {
      const { Contents = [] } = await this.#requests.client().send(new ListObjectsV2Command(input), request);
      return Contents.flatMap((entry) => (entry.Key?.startsWith(input.Prefix) ? [entry.Key.slice(Key.length)] : []));
    } catch {
      // Only a better sentence would have come of it.
      return undefined;
    }
  }

  async elsewhere(): Promise<string> {
    const suffixes = await this.suffixes();
    if (suffixes === undefined) {
      return "Whether it has an instruction file with another suffix could not be listed (s3:ListBucket).";
    }
    return suffixes.length === 0
      ? ""
      : `Beside it are keys that end in ${quotedList(suffixes)}: if one is its instruction file, pass that as instructionFileSuffix.`;
  }

  /**
   * The versions of a file that are nearest in time to the object's, nearest first; undefined where they may not be
   * listed. S3 tells times by the second.
   */
  async versionsNear(suffix: string, time: Date | undefined, most: number): Promise<string[] | undefined> {
    let versions: ObjectVersion[];
    try {
      versions = await this.#versionsOf(this.#keyOf(suffix));
    } catch (error) {
      if (isRefused(error)) return undefined;
      throw error;
    }
    const distance = ({ LastModified }: ObjectVersion): number =>
      time === undefined || LastModified === undefined ? 0 : Math.abs(LastModified.getTime() - time.getTime());
    return versions
      .sort((a, b) => distance(a) - distance(b))
      .flatMap(({ VersionId }) => (VersionId === undefined ? [] : [VersionId]))
      .slice(0, most);
  }

  async #versionsOf(file: string): Promise<ObjectVersion[]> {
    const found: ObjectVersion[] = [];
    let input: ListObjectVersionsCommandInput = { ...this.#owner(), Prefix: file };
    for (let page = 0; page < MAX_PAGES; page++) {
      const output = await this.#requests.client().send(new ListObjectVersionsCommand(input), this.#options());
      found.push(...(output.Versions ?? []).filter(({ Key }) => Key === file));
      // The file itself is listed before what its key begins.
      if (output.IsTruncated !== true || output.NextKeyMarker !== file) break;
      input = { ...input, KeyMarker: output.NextKeyMarker, VersionIdMarker: output.NextVersionIdMarker };
    }
    return found;
  }

  #keyOf(suffix: string): string {
    return `${this.#object.Key}${suffix}`;
  }

  #options(): { abortSignal?: AbortSignal } {
    const { signal } = this.#requests;
    return signal === undefined ? {} : { abortSignal: signal };
  }

  #owner(): Pick<GetObjectCommandInput, "Bucket" | "ExpectedBucketOwner" | "RequestPayer"> {
    const { Bucket, ExpectedBucketOwner, RequestPayer } = this.#object;
    return { Bucket, ExpectedBucketOwner, RequestPayer };
  }
}

/** A store that has no such operation says so with 501 or 405. */
function isRefused(error: unknown): boolean {
  return [403, 405, 501].includes(httpStatusOf(error) ?? 0);
}

/** S3's own error (H34), saying which request it was, which its reader did not send. */
function namingTheFile(error: unknown, suffix: string): unknown {
  if (!isError(error) || httpStatusOf(error) !== 403) return error;
  error.message = `${error.message} (Asked for the instruction file at the object's key plus "${suffix}". Allow s3:GetObject on it; without s3:ListBucket, S3 answers the same where there is no such file.)`;
  return error;
}
