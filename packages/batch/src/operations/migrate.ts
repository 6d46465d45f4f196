import type { HeadObjectCommandOutput } from "@aws-sdk/client-s3";
import { type MigratedObject, migrateObject } from "@s3ec/client";
import { holdsEnvelope } from "@s3ec/envelope";
import { S3EncryptionError } from "@s3ec/materials";
import { type Outcome, permanent, succeeded } from "../response.js";
import { alreadyMigrated, type BesideMigrated, besideMigrated } from "./already-there.js";
import { nothingEncrypted, nothingToDo } from "./nothing-to-do.js";
import { headOf, keeping, type ObjectTask, reading } from "./object-task.js";

/**
 * `migrate`: writes the object anew in the current format, with a new data key. What is of that format under the new key, or with
 * `before` what was written since, is left as it is: S3 calls twice.
 */
export async function migrate(task: ObjectTask, head: HeadObjectCommandOutput): Promise<Outcome> {
  const { settings, connection, target, signal } = task;
  const { before, drop, toContext } = settings;
  const { Bucket, Key, VersionId } = target;
  if (connection.to === undefined) throw new Error("There is nothing to migrate to.");
  if (VersionId !== undefined && !(await isCurrent(task, head))) {
    return permanent("unsupported-operation: It is not the current version: only that one is written anew.");
  }
  let readWithTarget = false;
  if (before !== undefined) {
    if (head.LastModified !== undefined && head.LastModified >= before) {
      const nothing = holdsEnvelope(head.Metadata ?? {}) ? undefined : await nothingEncrypted(task);
      if (nothing !== undefined) return nothing;
      // By whom, nothing says: it is left as it is, but for what a call has set aside of it.
      const beside = await besideMigrated(task);
      const text = described({ ...beside, text: `already there: it was written since ${before.toISOString()}.` });
      // Whether a call has broken off behind it, or somebody else has put it, nothing says.
      return beside.missing.length === 0 ? succeeded(text) : permanent(`${text} Add them (s3ec recipients add).`);
    }
  } else if (isCommitted(head) && (await alreadyMigrated(task))) {
    const { missing, files } = await besideMigrated(task);
    const text = "already there: it is of format V3, under the new key.";
    if (missing.length === 0) return succeeded(described({ missing, files, text }));
    // A call has broken off between the object and the files beside it: the old key does not open it any more.
    readWithTarget = true;
  } else if (connection.target === undefined || writesMessages(task)) {
    throw new S3EncryptionError(
      "invalid-argument",
      "Nothing would tell which objects are done already: set before, such as 2026-11-29T12:00:00Z, so that what was written since is left as it is.",
    );
  }
  try {
    const done = await migrateObject(connection.client, {
      Bucket,
      Key,
      ...reading(task),
      ...keeping(task),
      to: {
        materialsManager: connection.to.materialsManager,
        ...(toContext === undefined ? {} : { encryptionContext: toContext }),
      },
      dropRecipients: drop,
      readWithTarget,
      abortSignal: signal,
    });
    return succeeded(migrated(done));
  } catch (error) {
    const outcome = await nothingToDo(task, error);
    if (outcome !== undefined) return outcome;
    throw error;
  }
}

/** The client's own format is written, whatever the configuration of the new key says. */
function writesMessages({ connection }: ObjectTask): boolean {
  return connection.writes === "aws-message";
}

async function isCurrent(
  { connection, target, signal, settings }: ObjectTask,
  head: HeadObjectCommandOutput,
): Promise<boolean> {
  const { VersionId: _, ...current } = target;
  const now = await headOf({ connection, target: current, signal, settings });
  return now?.VersionId === head.VersionId;
}

/** Only objects of V3, the format that is written, have a commitment. */
function isCommitted({ Metadata = {} }: HeadObjectCommandOutput): boolean {
  return "x-amz-c" in Metadata;
}

function described({ missing, files, text }: BesideMigrated & { readonly text: string }): string {
  return [
    text,
    ...(missing.length === 0 ? [] : [`Not wrapped for: ${missing.join(", ")}.`]),
    ...(files.length === 0 ? [] : [`Beside it are files of the object before, to be deleted: ${quoted(files)}.`]),
  ].join(" ");
}

function quoted(keys: readonly string[]): string {
  return keys.map((key) => JSON.stringify(key)).join(", ");
}

function migrated({ droppedRecipients, removedFiles, replacedVersionId, changed }: MigratedObject): string {
  return [
    "migrated: it is written anew, with a new data key.",
    ...(droppedRecipients.length === 0 ? [] : [`Not for these any more: ${droppedRecipients.join(", ")}.`]),
    ...(removedFiles.length === 0 ? [] : [`Removed: ${quoted(removedFiles)}.`]),
    ...(replacedVersionId === undefined
      ? []
      : [`The version ${replacedVersionId} is as it was, and needs the old key.`]),
    ...(changed.length === 0 ? [] : [`Not as before: ${changed.join(", ")}.`]),
  ].join(" ");
}
