import { mkdir, utimes } from "node:fs/promises";
import { dirname } from "node:path";
import { DeleteObjectCommand } from "@aws-sdk/client-s3";
import { S3EncryptionError } from "@s3ec/materials";
import { type ByteTarget, openTarget } from "../byte-target.js";
import { type Downloaded, download, type ObjectToGet } from "../download.js";
import { exists } from "../new-file.js";
import { openedDetails } from "./answer-details.js";
import type { Place } from "./place.js";
import { downloadPlain, stateOf } from "./plain-object.js";
import type { OnBytes, TransferContext, TransferOutcome } from "./transfer-context.js";

/** Where to; and whether a file is there, where that was looked at and its folder made. */
export interface DownloadTarget {
  readonly to: Exclude<Place, { kind: "s3" }>;
  readonly isThere?: boolean;
}

/** Decrypts an object into a file, which then is as old as the object, or into standard output. */
export async function downloadOne(
  context: TransferContext,
  from: ObjectToGet,
  { to, isThere }: DownloadTarget,
  onBytes: OnBytes,
): Promise<TransferOutcome> {
  const { signal, isMove, overwrite } = context;
  if (to.kind === "local") {
    if (!overwrite && (isThere ?? (await exists(to.path)))) return { state: "skipped", reason: "there" };
    if (isThere === undefined) await mkdir(dirname(to.path), { recursive: true });
  }
  const path = to.kind === "stream" ? "-" : to.path;
  const open = async (): Promise<ByteTarget> => {
    const target = isThere === false ? { file: path } : await openTarget(path, signal);
    if (!isMove || "file" in target) return target;
    target.stream.destroy();
    throw new S3EncryptionError(
      "invalid-argument",
      `${path} keeps nothing that is moved to it: name a file, or use cp.`,
    );
  };
  const address = { ...from, ...context.parameters.get };
  const got = await opened(context, address, open, onBytes);
  if (got === "plain") return { state: "skipped", reason: "plain" };
  const { answer, target, isPlain } = got;
  if ("file" in target && answer.LastModified !== undefined) {
    await utimes(target.file, answer.LastModified, answer.LastModified);
  }
  if (isMove) {
    if ("file" in target) await context.names.sync(target.file);
    await removeMoved(context, from, answer.ETag, "get");
  }
  return {
    state: "done",
    bytes: answer.ContentLength ?? 0,
    ...(answer.ETag === undefined ? {} : { etag: answer.ETag }),
    ...(answer.VersionId === undefined ? {} : { versionId: answer.VersionId }),
    ...(isPlain ? { plain: "copied" } : { details: await openedDetails(context, from, answer) }),
  };
}

async function opened(
  context: TransferContext,
  address: ObjectToGet,
  open: () => Promise<ByteTarget>,
  onBytes: OnBytes,
): Promise<{ readonly answer: Downloaded; readonly target: ByteTarget; readonly isPlain: boolean } | "plain"> {
  const { client, call, signal, plainMode } = context;
  try {
    const target = await open();
    const options = { call, signal, onProgress: onBytes, resume: false, onResume: () => {}, onLeft: () => {} };
    return { answer: await download(client, address, target, options), target, isPlain: false };
  } catch (error) {
    const isMeant = plainMode !== "refuse" && error instanceof S3EncryptionError && error.code === "not-encrypted";
    if (!isMeant || (await stateOf(context, address, "get")).state !== "plain") throw error;
    if (plainMode === "skip") return "plain";
    // What was refused has ended the stream that it would have gone to.
    const target = await open();
    return { answer: await downloadPlain(context, address, target, onBytes), target, isPlain: true };
  }
}

/**
 * What was read and stored elsewhere, if it is still that (H33: with its files).
 *
 * @param read how it was read
 */
export async function removeMoved(
  { client, call, parameters, signal }: TransferContext,
  { Bucket, Key }: ObjectToGet,
  IfMatch: string | undefined,
  read: "get" | "getSource",
): Promise<void> {
  if (IfMatch === undefined || IfMatch.startsWith("W/")) {
    throw new S3EncryptionError(
      "unsupported-operation",
      "It is stored, and its source was left: the store says no strong entity tag (ETag) of it, by which a newer one could be told.",
    );
  }
  const { instructionFileSuffix } = call;
  await client.send(new DeleteObjectCommand({ ...parameters[read], Bucket, Key, IfMatch }), {
    abortSignal: signal,
    ...(instructionFileSuffix === undefined ? {} : { instructionFileSuffix }),
  });
}
