import type { AuditedObject } from "@s3ec/bulk";
import { S3EncryptionError } from "@s3ec/materials";
import { type Outcome, permanent, succeeded } from "../response.js";
import { auditOne } from "./audit.js";
import type { ObjectTask } from "./object-task.js";

/** What an inventory lists and no operation is for: plain objects, instruction files, what is gone by now. */
export const GONE: Outcome = succeeded("nothing to do: no object is there any more.");

const BESIDE = "Wrapped keys stand in files beside it: name their suffix (suffix).";

/** Where there is no envelope, what is there instead; undefined where that is no reason to leave it. */
export async function nothingToDo(task: ObjectTask, error: unknown): Promise<Outcome | undefined> {
  if (!(error instanceof S3EncryptionError) || error.code !== "not-encrypted") return undefined;
  const found = await lookedAt(task);
  const { recipient, suffix } = task.settings;
  if (found.state !== "encrypted" || (recipient === undefined && suffix === undefined)) return notEncrypted(found);
  if (found.problem !== undefined) return permanent(`${error.code}: ${found.problem}`);
  return succeeded(
    recipient === undefined
      ? `nothing to do: it has no instruction file ${JSON.stringify(suffix)}.`
      : `nothing to do: it has no recipient ${JSON.stringify(recipient)}.`,
  );
}

/** The same of what was not tried: undefined for what is encrypted, or may be. */
export async function nothingEncrypted(task: ObjectTask): Promise<Outcome | undefined> {
  return notEncrypted(await lookedAt(task));
}

/** Also at the files beside it, which may hold the keys of what looks plain. */
async function lookedAt(task: ObjectTask): Promise<AuditedObject> {
  return await auditOne(task, { messages: true, areFilesListed: false });
}

function notEncrypted({ state, owner, wraps, problem }: AuditedObject): Outcome | undefined {
  switch (state) {
    case "nothing":
      return GONE;
    case "plain":
      if (wraps.length > 0 || problem !== undefined) return permanent(`not-encrypted: ${problem ?? BESIDE}`);
      return succeeded("nothing to do: it is plain, no S3 encryption client has written it.");
    case "instruction-file":
      return succeeded(
        `nothing to do: it is an instruction file, which holds a wrapped key for ${owner === undefined ? "another object" : JSON.stringify(owner)}.`,
      );
    case "orphaned-file":
      return succeeded("nothing to do: it is an instruction file, and the object that it was for is gone.");
    default:
      return undefined;
  }
}
