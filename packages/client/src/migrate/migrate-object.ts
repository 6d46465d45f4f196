import type { Readable } from "node:stream";
import {
  GetObjectCommand,
  type GetObjectCommandOutput,
  type HeadObjectCommandOutput,
  PutObjectCommand,
  type PutObjectCommandInput,
  type PutObjectCommandOutput,
  type S3Client,
} from "@aws-sdk/client-s3";
import { S3EncryptionError } from "@s3ec/materials";
import { withCallOptions } from "../call-options.js";
import { lookingStore } from "../commands/looking-store.js";
import { siblingRules } from "../files-beside.js";
import { CarriedAnnotations, finishCarrying } from "../moving/carried-annotations.js";
import { MovingMark } from "../moving/moving-mark.js";
import { encryptionOf, plainClientOf } from "../plain-client.js";
import { getObject } from "../read/get-object.js";
import { isAnother } from "../restate/changed-meanwhile.js";
import { type KeptObject, readKept, requireKept } from "../restate/kept-object.js";
import type { PlannedEnvelope } from "../restate/planned-envelope.js";
import { type Change, changes, ownerChange } from "../restate/restate-object.js";
import { httpStatusOf } from "../s3-errors.js";
import { letGoOfBody } from "../streams.js";
import { callersMetadata, envelopesMetadata } from "../write/callers-metadata.js";
import { UnconfirmedAnswer } from "../write/confirmed.js";
import { putObject } from "../write/put-object.js";
import type { ObjectToStore } from "../write/seal-object.js";
import { InstructionFileError } from "../write/sibling-error.js";
import type { SiblingStore } from "../write/sibling-store.js";
import { droppedKeys, type KeyBeside, keysBeside, requireOwnKey, requireSameKeys } from "./keys-beside.js";
import { type MigrateOptions, type Migration, resolveMigration } from "./migrate-options.js";

/** An object that was written anew. */
export interface MigratedObject {
  /** Of the new object. */
  readonly ETag: string | undefined;
  /** Of the new object, where its bucket keeps versions. */
  readonly VersionId?: string;
  /** The version before, which is still there as it was, and still opens with the old keys. */
  readonly replacedVersionId?: string;
  /** What of the object is not as it was, beside its encryption. */
  readonly changed: readonly Change[];
  /** Suffixes of the instruction files, and recipients of annotations behind a dot, whose keys do not open it any more. */
  readonly droppedRecipients: readonly string[];
  /** Keys of the instruction files that were removed; those of another object that came meanwhile stay. */
  readonly removedFiles: readonly string[];
}

/** Bytes up to which an object is certainly put in one request. */
const ONE_REQUEST_LENGTH = 4 * 1024 ** 2;

/** Checksums that are calculated here, of what is sent. */
const CALCULATED = new Set(["CRC32", "CRC32C", "CRC64NVME", "SHA1", "SHA256"]);
const isCalculated = (algorithm: string): boolean => CALCULATED.has(algorithm);

/**
 * Writes a stored object anew in the current format, with a new data key and with everything else about it: the content is
 * read, verified and put again, and stands in memory piece by piece, on no disk. Annotations of others are put back after it. Reading takes the options that the
 * client has for it, such as `enableLegacyUnauthenticatedModes` for CBC. A newer object is never overwritten (`If-Match`).
 *
 * The keys of instruction files and annotations that the new keyring does not wrap for would not open the object any more:
 * they are refused unless dropped by name. So is an object that was read by one of them, whose own wrapped key neither the old
 * keyring nor the new one opens (`allowLoss: ["generator"]`).
 *
 * @param client an `S3EncryptionClient`, or one given to `encryptS3`
 * @throws S3EncryptionError what a get and a put of the object throw; `unsupported-operation` for what could not be kept and
 *   for other recipients, before anything is written; `content-mismatch` where others wrote the object meanwhile;
 *   `InstructionFileError` where the object is written and a file beside it could not be removed; S3's own errors
 */
export async function migrateObject(client: S3Client, options: MigrateOptions): Promise<MigratedObject> {
  const migration = resolveMigration(encryptionOf(client, undefined), options);
  const plain = plainClientOf(client);
  const { abortSignal } = migration.keep;
  const markOf = (metadata: Readonly<Record<string, string>> = {}): string | undefined =>
    siblingRules(migration.writing.options).kindOf(metadata).mark;
  const isDryRun = migration.hooks.dryRun === true;
  const left = isDryRun ? undefined : await finishCarrying(plain, migration.address, markOf, abortSignal);
  const kept = await readKept(plain, migration.address, migration.keep, "put");
  const { ETag } = kept.seen.head;
  if (ETag === undefined || ETag.startsWith("W/")) {
    throw new S3EncryptionError(
      "unsupported-operation",
      "The object has no strong entity tag (ETag), on which condition alone it can be written anew without a risk for a newer one.",
    );
  }
  const store = lookingStore(plain, migration.address, migration.reading.options, migration.keep.abortSignal);
  const beside = await keysBeside(plain, migration, kept, store);
  const dropped = droppedKeys(migration, beside);
  const { address, annotations, losses, restated } = kept;
  const carrying = { from: address, to: address, annotations, encryption: restated, losses };
  const carried = await CarriedAnnotations.read(plain, carrying, abortSignal, left);
  const read = await readVerified(client, plain, migration, ETag);
  try {
    await requireOwnKey(migration, kept, beside);
  } catch (error) {
    letGoOfBody(read.Body);
    throw error;
  }
  const mark = new MovingMark(plain, migration.address, kept.losses, abortSignal);
  // Until then, nothing was sent of which the object could come.
  let isSent = false;
  const look = async (metadata?: Readonly<Record<string, string>>): Promise<void> => {
    // Before the recipients are listed, so that whoever changes them after that sees it.
    await mark.put(ETag);
    await requireKept(plain, kept, migration.keep, "put");
    await requireSameKeys(beside, await keysBeside(plain, migration, kept, store), store);
    if (metadata !== undefined) await carried.setAside(kept.seen.head, markOf(metadata));
    await mark.require();
    isSent = metadata !== undefined;
  };
  let written: PutObjectCommandOutput;
  try {
    const files = beside.filter((key) => key.in === "file");
    const removes = files.map(({ suffix, etag }) => ({ key: store.keyOf(suffix), etag }));
    written = await write(client, plain, migration, kept, read, removes, look);
  } catch (error) {
    if (error instanceof DryRunEnd)
      return { ETag, changed: kept.losses.lost, droppedRecipients: namesOf(dropped), removedFiles: [] };
    if (!isSent || isNotWritten(error)) {
      await carried.drop().catch(() => {});
      await mark.remove(ETag);
    } else if (error instanceof InstructionFileError) {
      // Whatever became of its files, it stands; what fails here is left beside it, and told of by the next call.
      await carried.putBackBehind(markOf).catch(() => {});
    }
    throw error;
  }
  const { head } = kept.seen;
  // Where there are no versions, it has gone with the object.
  if (head.VersionId !== undefined && head.VersionId !== written.VersionId) {
    await mark.remove(ETag, { VersionId: head.VersionId });
  }
  await carried.putBack(written.ETag ?? "", markOf);
  const removedFiles = await removeOld(
    store,
    { written, before: head },
    beside.filter((key) => key.in === "file"),
  );
  const changed = changes(head, { ...written, $metadata: head.$metadata });
  const isRecalculated = isCalculated(kept.restated.ChecksumAlgorithm ?? "CRC32");
  return {
    ETag: written.ETag,
    ...(written.VersionId === undefined ? {} : { VersionId: written.VersionId }),
    ...(head.VersionId === undefined ? {} : { replacedVersionId: head.VersionId }),
    changed: [
      ...changed,
      ...(isRecalculated || changed.includes("checksum") ? [] : ["checksum" as const]),
      ...(await ownerChange(plain, kept, migration.keep)),
      ...kept.losses.lost,
    ],
    droppedRecipients: namesOf(dropped),
    removedFiles,
  };
}

/** All that comes before the first request which would change something was done. */
class DryRunEnd extends Error {}

function namesOf(keys: readonly KeyBeside[]): readonly string[] {
  return [...new Set(keys.map(({ suffix }) => suffix))];
}

async function readVerified(
  client: S3Client,
  plain: S3Client,
  { address, reading }: Migration,
  IfMatch: string,
): Promise<GetObjectCommandOutput> {
  const { abortSignal } = reading.call;
  const request = abortSignal === undefined ? {} : { abortSignal };
  const input = withCallOptions({ ...address, IfMatch }, reading.call);
  const { output } = await getObject(
    reading.options,
    input,
    async (asked) => ({ output: await plain.send(new GetObjectCommand(asked), request), response: undefined }),
    client,
  );
  return output;
}

/** Just before anything is sent, all is looked at again: an entity tag sees neither metadata nor tags and locks. */
async function write(
  client: S3Client,
  plain: S3Client,
  { writing, hooks }: Migration,
  kept: KeptObject,
  { Body, ContentLength }: GetObjectCommandOutput,
  removes: NonNullable<PlannedEnvelope["removes"]>,
  look: (metadata?: Readonly<Record<string, string>>) => Promise<void>,
): Promise<PutObjectCommandOutput> {
  try {
    const { address, restated, seen } = kept;
    const { ChecksumAlgorithm, ...described } = restated;
    const own = new Set(Object.keys(envelopesMetadata(writing.options, kept.metadata)));
    const users = Object.fromEntries(Object.entries(kept.metadata).filter(([name]) => !own.has(name)));
    const input: PutObjectCommandInput = {
      Bucket: address.Bucket,
      Key: address.Key,
      ...described,
      ...(ChecksumAlgorithm !== undefined && isCalculated(ChecksumAlgorithm) ? { ChecksumAlgorithm } : {}),
      Metadata: { ...callersMetadata(writing.options, users) },
      IfMatch: seen.head.ETag,
      Body: Body as Readable,
      ContentLength,
    };
    const { abortSignal } = writing.call;
    const request = abortSignal === undefined ? {} : { abortSignal };
    const next = async (sent: PutObjectCommandInput) => {
      await look(sent.Metadata);
      return { output: await plain.send(new PutObjectCommand(sent), request), response: undefined };
    };
    const beforeSending = async ({ input: { Metadata = {} }, siblings }: ObjectToStore): Promise<void> => {
      if (hooks.dryRun === true) throw new DryRunEnd();
      await hooks.beforeWrite?.({ metadata: Metadata, beside: textsBeside(siblings), removes });
      // In parts, what is sent first is no object yet: it is looked at again before the completion, which has the condition.
      if ((ContentLength ?? Number.POSITIVE_INFINITY) > ONE_REQUEST_LENGTH) await look();
    };
    const wanted = withCallOptions(input, writing.call);
    return (await putObject(writing.options, wanted, next, client, look, beforeSending)).output;
  } catch (error) {
    letGoOfBody(Body);
    throw isRefusedPut(error) ? changedByOthers(error) : error;
  }
}

function textsBeside({ files, annotations = [] }: ObjectToStore["siblings"]): NonNullable<PlannedEnvelope["beside"]> {
  return [
    ...files.map(({ suffix, body }) => ({ place: { in: "instruction-file", suffix } as const, text: body })),
    ...annotations.map(({ name, text }) => ({ place: { in: "annotation", name } as const, text })),
  ];
}

/** Otherwise it may be, or be to come. */
function isNotWritten(error: unknown): boolean {
  if (error instanceof InstructionFileError) return false;
  const status = httpStatusOf(error) ?? 0;
  return error instanceof S3EncryptionError ? error.code !== "outcome-unknown" : status >= 400 && status < 500;
}

function isRefusedPut(error: unknown): boolean {
  return error instanceof Error && error.name === "PreconditionFailed";
}

function changedByOthers(cause: unknown): S3EncryptionError {
  return new S3EncryptionError(
    "content-mismatch",
    "Others wrote the object while it was being migrated: what stands is theirs, and was left as it is. Migrate it again.",
    { cause },
  );
}

/**
 * Removes the files that held keys of the object that is gone, each only while it is what was read before: one that this put
 * has written is another. None while another object stands than the one that was put.
 */
async function removeOld(
  store: SiblingStore,
  { written, before }: { readonly written: PutObjectCommandOutput; readonly before: HeadObjectCommandOutput },
  beside: readonly KeyBeside[],
): Promise<readonly string[]> {
  const { ETag } = written;
  const removed: string[] = [];
  try {
    for (const { suffix, etag } of beside) {
      const standing = await store.standing();
      if (standing.state === "read" && ETag !== before.ETag && !isAnother(before, standing.head))
        throw new UnconfirmedAnswer("The old object still stands", written);
      if (standing.state !== "read" || standing.head.ETag !== ETag) return removed;
      // Not by the condition alone, which a store may ignore: the file may be all that the new object is read by.
      const now = await store.read(suffix);
      if (now.state === "read" && now.etag !== etag) continue;
      if (await store.remove(suffix, etag)) removed.push(store.keyOf(suffix));
    }
    return removed;
  } catch (error) {
    if (error instanceof UnconfirmedAnswer) throw error.refuted;
    const left = beside.map(({ suffix }) => store.keyOf(suffix)).filter((key) => !removed.includes(key));
    throw new InstructionFileError(
      "instruction-file-failed",
      `The object is written anew, but instruction files of the one before may still be beside it: ${left.map((key) => JSON.stringify(key)).join(", ")}. Delete those that it was not written with, and allow s3:DeleteObject.`,
      left.map((key) => ({ key })),
      error,
    );
  }
}
