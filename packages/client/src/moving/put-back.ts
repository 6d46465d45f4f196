import type { S3Client } from "@aws-sdk/client-s3";
import { isError } from "@s3ec/materials";
import { AnnotationStore } from "../annotations/annotation-store.js";
import { lookAt, type StoredAddress } from "../restate/seen-object.js";
import { isMissing } from "../s3-errors.js";
import { InstructionFileError } from "../write/sibling-error.js";
import { ASIDE, requestOf } from "./carried-file.js";

/** How often an object that others change at the same time, and that stays ours, is looked at again. */
const MAX_ROUNDS = 5;

/** What an object's metadata alone has. */
export type MarkOf = (metadata: Readonly<Record<string, string>> | undefined) => string | undefined;

/** The object that was written, and how it is told from another. */
export interface Written {
  readonly etag: string;
  readonly mark: string | undefined;
  readonly markOf: MarkOf;
}

/**
 * Puts texts to the object that was written, but none over an annotation that came since: S3 knows no condition for that, so that
 * they are listed first. Where another object stands, which has its own, none is put.
 *
 * @throws InstructionFileError `instruction-file-failed`, with their texts
 */
export async function putBackTo(
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
      `The object is written anew, but annotations may be missing: they are in ${JSON.stringify(`${address.Key}${ASIDE}`)}. The same call puts them back; allow s3:ListObjectAnnotations and s3:PutObjectAnnotation. Keep that file until then.${isError(error) ? ` ${error.message}` : ""}`,
      [...texts].map(([name, text]) => ({ key: address.Key, annotation: name, written: text })),
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
