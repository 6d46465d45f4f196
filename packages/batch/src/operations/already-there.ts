import { GetObjectCommand } from "@aws-sdk/client-s3";
import type { AuditedObject, AuditedWrap } from "@s3ec/bulk";
import { listRecipients, putBackAnnotations } from "@s3ec/client";
import { S3EncryptionError } from "@s3ec/materials";
import { isTemporary } from "../failure.js";
import { auditOne } from "./audit.js";
import type { ObjectTask } from "./object-task.js";

/** Whether the new key opens the wrap that stands, or the wrap names it and cannot be opened here. */
export type AlreadyThere = "verified" | "unverified";

/**
 * Whether the wrap that is meant is the new key's: S3 calls twice, and a job may be given again. There is no journal to ask, so the
 * object is: KMS, by a dry run with the new key's id, or the raw key itself, or, where only its public half is here, its
 * description.
 */
export async function alreadyThere(task: ObjectTask): Promise<AlreadyThere | undefined> {
  const { target } = task.connection;
  if (target === undefined) return undefined;
  const found = await auditOne(task, { keyQuestion: target.question });
  const wraps = meant(found, task);
  // What is stored beside a legacy wrap may name a key that has not made it, and none is ever written anew.
  if (wraps.length === 0 || wraps.some(({ needsKey, isLegacy }) => needsKey !== "yes" || isLegacy)) return undefined;
  return await opened(task);
}

/** Whether the object is of the current format, too, so that it needs no migration. */
export async function alreadyMigrated(task: ObjectTask): Promise<boolean> {
  const { target } = task.connection;
  if (target === undefined) return false;
  // An object's own wrap is looked at, unless another is to be read.
  const { recipient, suffix } = task.settings;
  const areFilesListed = recipient === undefined && suffix === undefined;
  const found = await auditOne(task, { keyQuestion: target.question, areFilesListed });
  const [own] = meant(found, task);
  return found.format === "V3" && found.problem === undefined && own?.needsKey === "yes" && !own.isLegacy;
}

/** What is beside an object that is written anew, where a call may have broken off behind it. */
export interface BesideMigrated {
  /** Recipients that it was written for, and whose wrapped keys are not there. */
  readonly missing: readonly string[];
  /** Files of the object before, which open nothing any more. */
  readonly files: readonly string[];
}

/** Puts back what was set aside of it, and says what else is left to do. */
export async function besideMigrated({ connection, target, signal }: ObjectTask): Promise<BesideMigrated> {
  const object = { Bucket: target.Bucket, Key: target.Key, abortSignal: signal };
  await putBackAnnotations(connection.client, object);
  const { recipients, unknown } = await listRecipients(connection.client, object);
  const wanted = recipientsOf(connection.to?.configuration.keyring);
  // One that is not known to be the object's may be left of the object before.
  const own = recipients.filter(({ state }) => state === "of this object").map(({ recipient }) => recipient);
  const isUnseen = (name: string): boolean => unknown.length > 0 && !own.includes(name);
  if (wanted.some(isUnseen)) {
    throw new S3EncryptionError(
      "unsupported-operation",
      "Whether all recipients are there cannot be told: allow s3:ListObjectAnnotations and s3:GetObjectAnnotation, and s3:ListBucket and s3:GetObject for the files beside the object.",
    );
  }
  const others = recipients.filter(
    ({ recipient, state }) => state === "of another object" && !wanted.includes(recipient),
  );
  return {
    missing: wanted.filter((name) => !own.includes(name)),
    files: others.flatMap(({ place }) => (place.in === "instruction-file" ? [`${target.Key}${place.suffix}`] : [])),
  };
}

/** Those that a configuration's keyring wraps for, beside its generator. */
function recipientsOf(keyring: unknown): readonly string[] {
  const {
    type,
    generator,
    children = [],
  } = (keyring ?? {}) as {
    readonly type?: string;
    readonly generator?: unknown;
    readonly children?: readonly { readonly instructionFileSuffix?: string; readonly decryptOnly?: boolean }[];
  };
  if (type !== "multi") return [];
  const names = children.flatMap(({ instructionFileSuffix: suffix, decryptOnly }) =>
    suffix === undefined || decryptOnly === true ? [] : [suffix.replace(/^\./, "")],
  );
  return [...recipientsOf(generator), ...names];
}

/** The object's own, or those of the recipient or file that the job names. */
function meant({ wraps }: AuditedObject, { settings: { recipient, suffix } }: ObjectTask): readonly AuditedWrap[] {
  if (recipient !== undefined)
    return wraps.filter((wrap) => wrap.place.in === "annotation" && wrap.recipient === recipient);
  if (suffix === undefined) return wraps.slice(0, 1);
  const ofFile = wraps.filter(({ place }) => place.in === "instruction-file" && place.suffix === suffix);
  return ofFile.length > 0
    ? ofFile
    : wraps.filter((wrap) => wrap.place.in === "annotation" && wrap.recipient === suffix.replace(/^\.+/, ""));
}

/** As a reader would who holds the new key alone; no content is read. */
async function opened({ connection, target, settings, signal }: ObjectTask): Promise<AlreadyThere | undefined> {
  const {
    recipient,
    suffix = recipient === undefined ? undefined : `.${recipient}`,
    context,
    toContext = context,
  } = settings;
  const { client, kind } = connection.target ?? {};
  if (client === undefined) return undefined;
  try {
    const { Body } = await client.send(new GetObjectCommand(target), {
      abortSignal: signal,
      ...(toContext === undefined ? {} : { encryptionContext: toContext }),
      ...(suffix === undefined ? {} : { instructionFileSuffix: suffix }),
    });
    (Body as { destroy?: () => void } | undefined)?.destroy?.();
    return "verified";
  } catch (error) {
    if (!(error instanceof S3EncryptionError) || isTemporary(error)) throw error;
    // KMS has said whose it is, or the description has; a key that is here, and does not open it, says that it is not.
    const isAway = error.code === "key-unavailable" || error.code === "context-mismatch";
    return isAway || (kind === "raw" && error.code === "no-matching-key") ? "unverified" : undefined;
  }
}
