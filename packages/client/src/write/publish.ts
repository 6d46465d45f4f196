import type { HeadObjectCommandOutput } from "@aws-sdk/client-s3";
import { isAbort, outcomeUnknown, requestAborted } from "../request-aborted.js";
import type { Attempts } from "./attempts.js";
import { UnconfirmedAnswer } from "./confirmed.js";
import { type FilesFirst, writeFilesFirst } from "./files-first.js";
import { refuseForeign, settleFiles } from "./settle-files.js";
import { InstructionFileError } from "./sibling-error.js";
import { isOf, type SiblingsToPut } from "./sibling-files.js";
import type { SiblingStore } from "./sibling-store.js";

/** The one request that makes an object appear, and what is stored beside it. */
export interface Publication<Output> {
  readonly store: SiblingStore;
  readonly siblings: SiblingsToPut;
  readonly attempts: Attempts;
  /** Throws `UnconfirmedAnswer` where S3 does not say that the object was stored. */
  readonly send: () => Promise<Output>;
  /** What S3 would have answered, had its answer arrived. */
  readonly answerOf: (head: HeadObjectCommandOutput) => Output;
  /** The mark of an object that is only known by what S3 answers. */
  readonly markOf?: (output: Output) => string | undefined;
}

/**
 * Sends it, and writes the files: after it, or before it where it could not be read without them. No answer is taken for a
 * failure: S3 is then asked whether the object is there.
 */
export async function publish<Output>(publication: Publication<Output>): Promise<Output> {
  const output = await publishWithFiles(publication);
  const { store, siblings } = publication;
  if (siblings.annotations !== undefined && siblings.annotations.length > 0) {
    const { putAnnotations } = await import("../annotations/put-annotations.js");
    await putAnnotations(await store.annotations(), store, siblings);
  }
  return output;
}

async function publishWithFiles<Output>(publication: Publication<Output>): Promise<Output> {
  const { store, siblings } = publication;
  if (siblings.suffixes.length === 0) return sendOrAsk(publication, undefined);
  const found = siblings.first ? undefined : await store.readAll(siblings.suffixes);
  if (found !== undefined) refuseForeign(store, siblings, siblings.files, found);
  const written = siblings.first ? await writeFilesFirst(store, siblings) : undefined;
  const output = await sendOrAsk(publication, written);
  try {
    await settleFiles(store, { ...siblings, mark: siblings.mark ?? publication.markOf?.(output) }, found);
  } catch (error) {
    // Answered with a tag, and not stored.
    const isOther = error instanceof InstructionFileError && error.code === "content-mismatch";
    if (!isOther || written === undefined || !(await written.stillStands())) throw error;
    const { refuted } = new UnconfirmedAnswer("The object that stood there before stands", {});
    await written.putBack(refuted);
    throw refuted;
  }
  return output;
}

async function sendOrAsk<Output>(
  { store, siblings, attempts, send, answerOf }: Publication<Output>,
  written: FilesFirst | undefined,
): Promise<Output> {
  try {
    store.assertWanted();
    return await send();
  } catch (error) {
    if (attempts.wereRefused) {
      await written?.putBack(error);
      throw error;
    }
    if (siblings.mark === undefined && written === undefined) throw withOutcome(error, attempts);
    const standing = await store
      .afterFailure()
      .standing()
      .catch(() => ({ state: "unknown" }) as const);
    if (isOf(siblings.mark, standing) && standing.state === "read") return answerOf(standing.head);
    const isOther = standing.state !== "unknown" && !attempts.mayStillLand;
    const reason = error instanceof UnconfirmedAnswer && isOther ? error.refuted : error;
    if (written === undefined) throw withOutcome(reason, attempts);
    // That the old one stands proves nothing while the new one may still arrive.
    const isTold = standing.state !== "unknown" && siblings.mark !== undefined;
    if (attempts.mayStillLand || !isTold) throw written.unknown(error);
    await written.putBack(reason);
    throw reason;
  }
}

/** Whoever has aborted is told by `cause` that it may be carried out all the same. */
function withOutcome(error: unknown, { mayStillLand }: Attempts): unknown {
  return isAbort(error) && mayStillLand ? requestAborted(outcomeUnknown()) : error;
}
