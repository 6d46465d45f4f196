import { stat, unlink } from "node:fs/promises";
import { S3EncryptionError } from "@s3ec/materials";
import { openFile, openSource } from "../byte-source.js";
import type { ObjectAddress } from "../object-address.js";
import { openDescriptorOf, STANDARD_INPUT } from "../open-descriptor.js";
import { isServiceError } from "../service-message.js";
import { upload } from "../upload.js";
import { requestDetails } from "./answer-details.js";
import type { LocalFile } from "./local-tree.js";
import type { Place } from "./place.js";
import type { OnBytes, TransferContext, TransferOutcome } from "./transfer-context.js";

/**
 * Encrypts a file or a stream into an object.
 *
 * @param known the file, as it was found in a folder
 */
export async function uploadOne(
  context: TransferContext,
  from: Exclude<Place, { kind: "s3" }>,
  { Bucket, Key }: ObjectAddress,
  onBytes: OnBytes,
  known?: LocalFile,
): Promise<TransferOutcome> {
  const { client, call, parameters, signal, isMove, expectedSize } = context;
  const path = from.kind === "stream" ? "-" : from.path;
  const before = isMove ? (known ?? (await asFound(path))) : undefined;
  const isRegular = known !== undefined && known.size > 0;
  const source = isRegular ? await openFile(path) : await openSource(path);
  try {
    const put = { Bucket, Key, ...parameters.put(from.kind === "stream" ? "" : path) };
    const { length, answer } = await upload(client, source, put, {
      call,
      signal,
      onProgress: onBytes,
      ...(expectedSize === undefined ? {} : { expectedSize }),
    });
    if (before !== undefined) await removeUnchanged({ ...before, path });
    return {
      state: "done",
      bytes: length,
      ...(answer.ETag === undefined ? {} : { etag: answer.ETag }),
      ...(answer.VersionId === undefined ? {} : { versionId: answer.VersionId }),
      ...(context.verbose ? { details: requestDetails(answer) } : {}),
    };
  } catch (error) {
    const isThere = !context.overwrite && isServiceError(error) && error.$metadata.httpStatusCode === 412;
    if (isThere) return { state: "skipped", reason: "there" };
    throw error;
  }
}

/** What is moved goes: what the system has opened, a device or a pipe is not one's own to remove. */
async function asFound(path: string): Promise<Pick<LocalFile, "size" | "modified" | "changed">> {
  const there = await stat(path);
  if (!there.isFile() || (await openDescriptorOf(path, STANDARD_INPUT)) !== undefined) {
    throw new S3EncryptionError("invalid-argument", `${path} is no file that could be moved: copy it with cp.`);
  }
  return { size: there.size, modified: there.mtimeMs, changed: there.ctimeMs };
}

/**
 * Removes a file that is still what was read of it.
 *
 * @throws S3EncryptionError `content-mismatch` where it changed: what somebody wrote meanwhile is nowhere else
 */
export async function removeUnchanged(file: Pick<LocalFile, "path" | "size" | "modified" | "changed">): Promise<void> {
  const { size, mtimeMs, ctimeMs } = await stat(file.path);
  if (size !== file.size || mtimeMs !== file.modified || ctimeMs !== file.changed) {
    throw new S3EncryptionError("content-mismatch", "The file changed meanwhile, and was left.");
  }
  await unlink(file.path);
}
