import {
  DeleteObjectCommand,
  GetObjectCommand,
  HeadObjectCommand,
  PutObjectCommand,
  type PutObjectCommandInput,
  type S3Client,
} from "@aws-sdk/client-s3";
import { MAX_INSTRUCTION_FILE_LENGTH, readAtMost } from "@s3ec/envelope";
import type { SiblingFile } from "@s3ec/materials";
import type { AnnotationStore } from "../annotations/annotation-store.js";
import { answeredBody } from "../read/answered-body.js";
import { requestAborted } from "../request-aborted.js";
import { httpStatusOf, isMissing } from "../s3-errors.js";
import { Attempts, watched } from "./attempts.js";
import { isAnswer, isDeletion } from "./confirmed.js";
import { patient } from "./patience.js";
import type { FoundFile, FoundObject, SiblingsToPut } from "./sibling-files.js";
import { siblingPut } from "./sibling-put.js";

/** Milliseconds that may pass until it is clear what became of a request that has failed. */
const ASKING_TIMEOUT = 30_000;

/** A file's put that was sent and had no answer: S3 may still come to do it. */
export class UnansweredPut extends Error {
  constructor(cause: unknown) {
    super("The put of an instruction file was not answered.", { cause });
  }
}

type Condition = Pick<PutObjectCommandInput, "IfMatch" | "IfNoneMatch">;

/** The requests about one object and the files beside it. */
export class SiblingStore {
  readonly #client: S3Client;
  readonly #object: PutObjectCommandInput;
  readonly #siblings: SiblingsToPut;
  readonly #signal: AbortSignal | undefined;

  /**
   * @param client one that does not encrypt
   * @param object the put of the object, whose owner, encryption and storage its files share
   */
  constructor(
    client: S3Client,
    object: PutObjectCommandInput,
    siblings: SiblingsToPut,
    { signal }: { readonly signal?: AbortSignal | undefined } = {},
  ) {
    this.#client = client;
    this.#object = object;
    this.#siblings = siblings;
    this.#signal = signal;
  }

  get #request(): { abortSignal?: AbortSignal } {
    return this.#signal === undefined ? {} : { abortSignal: this.#signal };
  }

  /** Throws for a caller who has aborted: what is not sent by then cannot come to be done. */
  assertWanted(): void {
    if (this.#signal?.aborted === true) throw requestAborted();
  }

  /** The same, for what has to be done after a failure or an abort. */
  afterFailure(): SiblingStore {
    return new SiblingStore(this.#client, this.#object, this.#siblings, {
      signal: AbortSignal.timeout(ASKING_TIMEOUT),
    });
  }

  /** Its annotations. */
  async annotations(): Promise<AnnotationStore> {
    const { AnnotationStore } = await import("../annotations/annotation-store.js");
    return new AnnotationStore(this.#client, this.#object, this.#signal);
  }

  keyOf(suffix: string): string {
    return `${this.#object.Key}${suffix}`;
  }

  async readAll(suffixes: readonly string[]): Promise<Map<string, FoundFile>> {
    const unique = [...new Set(suffixes)];
    return new Map(await Promise.all(unique.map(async (suffix) => [suffix, await this.read(suffix)] as const)));
  }

  /** @param VersionId instead of the current one */
  async read(suffix: string, VersionId?: string): Promise<FoundFile> {
    const asked = { ...this.#readOf(suffix), ...(VersionId === undefined ? {} : { VersionId }) };
    try {
      const output = await this.#client.send(new GetObjectCommand(asked), this.#request);
      const bytes = await readAtMost(answeredBody(output), MAX_INSTRUCTION_FILE_LENGTH + 1);
      const body = Buffer.from(bytes).toString("utf8");
      // Without its tag, or as a whole object of somebody's, it could neither be replaced nor put back for certain.
      const isLarge = bytes.length > MAX_INSTRUCTION_FILE_LENGTH;
      if (output.ETag === undefined || isLarge) return { state: "unknown", isLarge };
      return { state: "read", etag: output.ETag, body, metadata: output.Metadata ?? {} };
    } catch (error) {
      return unread(error);
    }
  }

  async standing(): Promise<FoundObject> {
    try {
      const head = await this.#client.send(new HeadObjectCommand(this.#readOf("")), this.#request);
      return { state: "read", mark: this.#siblings.markOf(head), head };
    } catch (error) {
      return unread(error);
    }
  }

  /**
   * Puts a file in the place of what was found there. The new tag; undefined when something else is there by now. A lost
   * answer, or the refusal of a second try after one, is no failure when the file then has our text. Throws
   * `UnansweredPut` where it may still come to have it.
   */
  async write(file: SiblingFile, found: FoundFile): Promise<string | undefined> {
    this.assertWanted();
    const attempts = new Attempts();
    try {
      const input = { ...siblingPut(this.#object, file), ...this.#conditionOf(found) };
      const request = this.#signal === undefined ? {} : { abortSignal: patient(this.#signal) };
      const output = await this.#client.send(new PutObjectCommand(watched(input, attempts)), request);
      if (output.ETag === undefined && isAnswer(output)) throw new Error("S3 did not confirm the put: it has no ETag.");
      return output.ETag ?? "";
    } catch (error) {
      const now = await this.afterFailure()
        .read(file.suffix)
        .catch(() => undefined);
      if (now?.state === "read" && now.body === file.body) return now.etag;
      if (isRefusedCondition(error)) return undefined;
      throw attempts.mayStillLand ? new UnansweredPut(error) : error;
    }
  }

  /** Deletes a file if it is still what was read; whether it was. */
  async remove(suffix: string, etag: string): Promise<boolean> {
    try {
      const { ExpectedBucketOwner, RequestPayer } = this.#object;
      const at = { Bucket: this.#object.Bucket, Key: this.keyOf(suffix), ExpectedBucketOwner, RequestPayer };
      const output = await this.#client.send(new DeleteObjectCommand({ ...at, IfMatch: etag }), this.#request);
      if (!isDeletion(output) && (await this.read(suffix)).state !== "missing") {
        throw new Error(`S3 did not confirm the deletion (status ${output.$metadata.httpStatusCode}, not 204).`);
      }
      return true;
    } catch (error) {
      if (isRefusedCondition(error)) return false;
      throw error;
    }
  }

  /** What may not be read may not be there: without `s3:ListBucket` S3 does not say. Then it is only ever created. */
  #conditionOf(found: FoundFile): Condition {
    if (found.state === "read") return { IfMatch: found.etag };
    return found.state === "unknown" && this.#siblings.replaceUnknown ? {} : { IfNoneMatch: "*" };
  }

  #readOf(suffix: string): { Bucket: string | undefined; Key: string } {
    const { Bucket, ExpectedBucketOwner, RequestPayer } = this.#object;
    const { SSECustomerAlgorithm, SSECustomerKey, SSECustomerKeyMD5 } = this.#object;
    const shared = { ExpectedBucketOwner, RequestPayer, SSECustomerAlgorithm, SSECustomerKey, SSECustomerKeyMD5 };
    return { Bucket, Key: this.keyOf(suffix), ...shared };
  }
}

function unread(error: unknown): { readonly state: "missing" } | { readonly state: "unknown"; readonly isHeld?: true } {
  if (isMissing(error)) return { state: "missing" };
  const status = httpStatusOf(error);
  // It was stored under another key of the customer's, or under none.
  if (status === 400) return { state: "unknown", isHeld: true };
  if (status === 403) return { state: "unknown" };
  throw error;
}

/** 412; 409 while another conditional put is under way; 404 where the file that was to be replaced is gone. */
function isRefusedCondition(error: unknown): boolean {
  return [404, 409, 412].includes(httpStatusOf(error) ?? 0) && (error as Error).name !== "NoSuchBucket";
}
