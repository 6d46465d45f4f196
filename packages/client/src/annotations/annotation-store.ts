import { randomUUID } from "node:crypto";
import type { GetObjectCommandInput, S3Client } from "@aws-sdk/client-s3";
import { ANNOTATION_PREFIX, MAX_INSTRUCTION_FILE_LENGTH, readAtMost } from "@s3ec/envelope";
import { isError, S3EncryptionError } from "@s3ec/materials";
import { answeredBody } from "../read/answered-body.js";
import { waited } from "../restate/settled.js";
import { httpStatusOf } from "../s3-errors.js";
import { Attempts, watched } from "../write/attempts.js";
import { patient } from "../write/patience.js";
import { type CustomersKey, whyNotAnnotatable } from "./annotatable.js";
import { annotationCommands } from "./annotation-commands.js";
import { answerAtMost, TooLongAnswer } from "./short-answer.js";

/** Bytes of an answer that is to prove that a store knows annotations: it lists none. */
const MAX_PROOF_LENGTH = 64 * 1024;
/** Annotations of one page, so that names of 512 bytes, each written as an XML entity, stay within `MAX_PAGE_LENGTH`. */
const PAGE = 100;
const MAX_PAGE_LENGTH = 1024 * 1024;
/** More than any object has: what does not end by then may never. */
const MAX_PAGES = 1000;
/** Milliseconds that may pass until it is clear what became of a request that has failed. */
const ASKING_TIMEOUT = 30_000;
/** Milliseconds between two tries while another change is under way, each twice the one before. */
const FIRST_WAIT = 50;
const LAST_WAIT = 800;

/** The object, or version, whose annotations are meant, and whose it is. */
export type AnnotatedObject = Pick<
  GetObjectCommandInput,
  "Bucket" | "ExpectedBucketOwner" | "Key" | "RequestPayer" | "VersionId"
>;

/** An annotation as it is listed. */
export interface ListedAnnotation {
  readonly name: string;
  /** Bytes. */
  readonly size: number;
  readonly etag: string;
}

// By what the endpoint is made of: a plain client has the configuration of the one that encrypts.
const PROVEN = new WeakMap<object, Set<string | undefined>>();

/** The requests about one object's annotations. Nothing is put or deleted before the store has shown that it knows them. */
export class AnnotationStore {
  readonly #client: S3Client;
  readonly #object: AnnotatedObject;
  readonly #signal: AbortSignal | undefined;
  readonly #mayHave: boolean;

  /** @param client one that does not encrypt */
  constructor(client: S3Client, object: AnnotatedObject & CustomersKey, signal?: AbortSignal) {
    this.#client = client;
    this.#mayHave = whyNotAnnotatable(object) === undefined;
    const { Bucket, Key, VersionId, ExpectedBucketOwner, RequestPayer } = object;
    const owner = { ExpectedBucketOwner, RequestPayer };
    this.#object = { Bucket, Key, ...owner, ...(VersionId === undefined ? {} : { VersionId }) };
    this.#signal = signal;
  }

  /** The same, for what has to be looked at after a failure or an abort. */
  #afterFailure(): AnnotationStore {
    return new AnnotationStore(this.#client, this.#object, AbortSignal.timeout(ASKING_TIMEOUT));
  }

  /**
   * Shows, once for a bucket and client, that the store knows annotations: one that does not takes `PUT /key?annotation` for
   * a put of the object, and replaces it by the annotation, and a delete for the object's. Only a list has that prefix in its
   * answer, which nobody can have put into the object before.
   *
   * Throws `unsupported-operation` where it does not; S3's own errors where that cannot be told.
   */
  async prove(): Promise<void> {
    if (this.#isProven) return;
    try {
      await this.#page(`${ANNOTATION_PREFIX}${randomUUID()}`, undefined, MAX_PROOF_LENGTH);
    } catch (error) {
      throw isOfStoreWithout(error) ? noAnnotations(error) : error;
    }
    PROVEN.set(this.#client.config, (PROVEN.get(this.#client.config) ?? new Set()).add(this.#object.Bucket));
  }

  get #isProven(): boolean {
    return PROVEN.get(this.#client.config)?.has(this.#object.Bucket) === true;
  }

  /**
   * Those whose names begin so, in the order of their names; none of an object that S3 keeps none of. Throws
   * `unsupported-operation` where the answer is that of a store which knows none; once one has shown that it does, nothing but a
   * list is an answer.
   */
  async list(prefix: string): Promise<readonly ListedAnnotation[]> {
    if (!this.#mayHave) return [];
    const found: ListedAnnotation[] = [];
    let token: string | undefined;
    try {
      let pages = 0;
      do {
        if (++pages > MAX_PAGES) throw new NoList("The list of annotations does not end.");
        const { annotations, next } = await this.#page(prefix, token, MAX_PAGE_LENGTH);
        found.push(...annotations);
        token = next;
      } while (token !== undefined);
    } catch (error) {
      throw !this.#isProven && isOfStoreWithout(error) ? noAnnotations(error) : error;
    }
    return found;
  }

  async #page(
    AnnotationPrefix: string,
    ContinuationToken: string | undefined,
    length: number,
  ): Promise<{ readonly annotations: readonly ListedAnnotation[]; readonly next: string | undefined }> {
    const { ListObjectAnnotationsCommand } = await annotationCommands();
    const token = ContinuationToken === undefined ? {} : { ContinuationToken };
    const prefix = AnnotationPrefix === "" ? {} : { AnnotationPrefix };
    const asked = { ...this.#object, ...prefix, MaxAnnotationResults: PAGE, ...token };
    const command = new ListObjectAnnotationsCommand(asked as typeof asked & { Bucket: string; Key: string });
    answerAtMost(command.middlewareStack, length);
    const output = await this.#client.send(command, this.#request);
    const { Annotations = [], NextContinuationToken: next } = output;
    // An access point answers with the name of its bucket.
    const isBucket =
      output.Bucket === asked.Bucket || (asked.Bucket?.startsWith("arn:") && output.Bucket !== undefined);
    const isAsked =
      isBucket === true && output.Key === asked.Key && (output.AnnotationPrefix ?? "") === AnnotationPrefix;
    const isOfPrefix = Annotations.every(({ AnnotationName }) => AnnotationName?.startsWith(AnnotationPrefix) === true);
    const goesOn = next === undefined || (next !== ContinuationToken && Annotations.length > 0);
    if (!isAsked || !isOfPrefix || !goesOn)
      throw new NoList("The answer is not the list of annotations that was asked for.");
    const annotations = Annotations.map(({ AnnotationName: name = "", Size: size = 0, ETag: etag = "" }) => {
      return { name, size, etag };
    });
    return { annotations, next };
  }

  /** The text, at most one byte more than it may have (S14); undefined where there is none, or it is no text. */
  async read(AnnotationName: string, length: number = MAX_INSTRUCTION_FILE_LENGTH): Promise<string | undefined> {
    const { GetObjectAnnotationCommand } = await annotationCommands();
    const asked = { ...this.#object, AnnotationName };
    try {
      const command = new GetObjectAnnotationCommand(asked as typeof asked & { Bucket: string; Key: string });
      const { AnnotationPayload } = await this.#client.send(command, this.#request);
      const body = answeredBody({ Body: AnnotationPayload as NonNullable<typeof AnnotationPayload> });
      return Buffer.from(await readAtMost(body, length + 1)).toString("utf8");
    } catch (error) {
      if (isError(error) && error.name === "NoSuchAnnotation") return undefined;
      throw error;
    }
  }

  /**
   * Puts one that is not there, or replaces it, while the object with this tag stands. False where another object does. A lost
   * answer is no failure when the annotation then has our text.
   */
  async put(name: string, text: string, etag: string): Promise<boolean> {
    await this.prove();
    const { PutObjectAnnotationCommand } = await annotationCommands();
    const put = { ...this.#object, AnnotationName: name, AnnotationPayload: text, ObjectIfMatch: etag };
    try {
      const input = watched(put as typeof put & { Bucket: string; Key: string }, new Attempts());
      await this.#unlessConflicting(() => this.#client.send(new PutObjectAnnotationCommand(input), this.#change));
      return true;
    } catch (error) {
      if (isRefusedCondition(error)) return false;
      const now = await this.#afterFailure()
        .read(name)
        .catch(() => undefined);
      if (now === text) return true;
      throw error;
    }
  }

  /** Whether it was deleted, or had gone: not where an object with another tag stands. */
  async remove(AnnotationName: string, etag: string): Promise<boolean> {
    await this.prove();
    const { DeleteObjectAnnotationCommand } = await annotationCommands();
    const asked = { ...this.#object, AnnotationName, ObjectIfMatch: etag };
    try {
      const input = asked as typeof asked & { Bucket: string; Key: string };
      await this.#unlessConflicting(() => this.#client.send(new DeleteObjectAnnotationCommand(input), this.#change));
      return true;
    } catch (error) {
      if (isError(error) && error.name === "NoSuchAnnotation") return true;
      if (isRefusedCondition(error)) return false;
      throw error;
    }
  }

  /** Sends again what S3 refuses while another change is under way (409), which says nothing of which object stands. */
  async #unlessConflicting(send: () => Promise<unknown>): Promise<void> {
    for (let wait = FIRST_WAIT; ; wait *= 2) {
      try {
        await send();
        return;
      } catch (error) {
        if (httpStatusOf(error) !== 409 || wait > LAST_WAIT) throw error;
        await waited(wait, this.#signal);
      }
    }
  }

  get #request(): { abortSignal?: AbortSignal } {
    return this.#signal === undefined ? {} : { abortSignal: this.#signal };
  }

  get #change(): { abortSignal?: AbortSignal } {
    return this.#signal === undefined ? {} : { abortSignal: patient(this.#signal) };
  }
}

/** An answer that is none of a list. */
class NoList extends Error {}

/**
 * The object, or anything else, in place of the list; or no such operation. Any other refusal says nothing of what the store
 * knows: a 400 or 405 may be of this one request.
 */
function isOfStoreWithout(error: unknown): boolean {
  if (!isError(error)) return false;
  if (error instanceof NoList || error instanceof TooLongAnswer) return true;
  return [200, 501].includes(httpStatusOf(error) ?? 0);
}

/** A list that was refused: whether there are annotations is not known. */
export function isRefusedList(error: unknown): boolean {
  return [400, 403, 405].includes(httpStatusOf(error) ?? 0);
}

function noAnnotations(cause: unknown): S3EncryptionError {
  return new S3EncryptionError(
    "unsupported-operation",
    "The store has not shown that it knows object annotations, so that none is put or deleted: it could take one for the object itself.",
    { cause },
  );
}

/** 412; 404 where the object is gone. */
function isRefusedCondition(error: unknown): boolean {
  return [404, 412].includes(httpStatusOf(error) ?? 0) && (error as Error).name !== "NoSuchBucket";
}
