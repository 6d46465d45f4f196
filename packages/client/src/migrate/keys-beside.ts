import { ListObjectsV2Command, type S3Client } from "@aws-sdk/client-s3";
import { MAX_INSTRUCTION_FILE_LENGTH, quotedList, recipientOfAnnotation } from "@s3ec/envelope";
import { S3EncryptionError, type WrapPlace } from "@s3ec/materials";
import { AnnotationStore } from "../annotations/annotation-store.js";
import { callOptionsOf, requestOf, withCallOptions } from "../call-options.js";
import { ownerOf } from "../commands/whose-file.js";
import { siblingRules, suffixesBeside } from "../files-beside.js";
import { seenAnnotations } from "../moving/seen-annotations.js";
import { unlessAborted } from "../request-aborted.js";
import { changedMeanwhile } from "../restate/changed-meanwhile.js";
import type { KeptObject } from "../restate/kept-object.js";
import type { AllowedLosses } from "../restate/losses.js";
import { whereOf } from "../restate/stored-lock.js";
import { httpStatusOf } from "../s3-errors.js";
import type { SiblingStore } from "../write/sibling-store.js";
import type { Migration } from "./migrate-options.js";

/** Files beside an object that are looked into; its key plus a dot may begin the keys of a whole folder's objects. */
const MAX_FILES = 100;
/** Pages of a listing that are read for them: what does not end by then may never. */
const MAX_PAGES = 100;

/** A file beside an object, or an annotation, that holds its wrapped key, or may. */
export interface KeyBeside {
  /** Of an annotation, its recipient behind a dot. */
  readonly suffix: string;
  readonly in: "file" | "annotation";
  /** The file's tag as it was read; of an annotation its name and length. */
  readonly etag: string;
  /** Whether it is the one that the object is read by. */
  readonly isRead: boolean;
  /** Of a file. */
  readonly text?: string;
}

/**
 * Every file and annotation that may hold a wrapped key of an object, also under names that nobody told. Without a right to
 * list them, one could be there that is not known: refused, unless that is allowed by name.
 */
export async function keysBeside(
  client: S3Client,
  { address, reading }: Migration,
  { seen, losses }: KeptObject,
  store: SiblingStore,
): Promise<readonly KeyBeside[]> {
  const { options } = reading;
  const rules = siblingRules(options);
  const { Metadata: metadata = {} } = seen.head;
  const input = withCallOptions({}, reading.call);
  const call = callOptionsOf(input);
  const known = suffixesBeside(options, input, address.Key);
  const request = call.abortSignal === undefined ? {} : { abortSignal: call.abortSignal };
  const listed = await listedSuffixes(client, address, request);
  if (listed === undefined) {
    losses.accept(
      "recipients",
      "Whether the object has instruction files for further keys may not be listed: allow s3:ListBucket.",
    );
  }
  const { standsAlone } = rules.kindOf(metadata);
  // Beside a file that is named, the generator's is another key's.
  const named = call.instructionFileSuffix;
  const read = named === undefined ? [...rules.suffixesOf(named), ...rules.unnamed] : rules.suffixesOf(named);
  const isRead = (suffix: string): boolean => !standsAlone && read.includes(suffix);
  const found: KeyBeside[] = [];
  for (const [suffix, file] of await store.readAll([...known, ...(listed ?? [])])) {
    if (file.state !== "read") continue;
    const object = { bucket: address.Bucket, key: address.Key, metadata };
    const owner = await ownerOf(options, call, object, { suffix, body: file.body, metadata: file.metadata });
    if (owner === "its" || owner === "unverified")
      found.push({ suffix, in: "file", etag: file.etag, isRead: isRead(suffix), text: file.body });
  }
  return [...found, ...(await annotatedKeys(client, address, losses, call.abortSignal))];
}

async function annotatedKeys(
  client: S3Client,
  address: Migration["address"],
  losses: AllowedLosses,
  signal: AbortSignal | undefined,
): Promise<readonly KeyBeside[]> {
  const seen = await seenAnnotations(new AnnotationStore(client, address, signal), "mover");
  if (seen.state === "unknown") {
    losses.accept(
      "recipients",
      "Whether the object has annotations for further keys may not be listed: allow s3:ListObjectAnnotations.",
    );
  }
  return (seen.state === "listed" ? seen.annotations : []).flatMap(({ name, size }) => {
    const recipient = recipientOfAnnotation(name);
    if (recipient === undefined) return [];
    return [{ suffix: `.${recipient}`, in: "annotation", etag: `${size} ${name}`, isRead: false } as const];
  });
}

/**
 * Refuses, before anything is written, an object that other keys open than the new keyring wraps for, unless the caller drops
 * them by name. Those that are dropped.
 */
export function droppedKeys(
  { writing, dropRecipients }: Migration,
  beside: readonly KeyBeside[],
): readonly KeyBeside[] {
  const rules = siblingRules(writing.options);
  const kept = new Set(
    writing.options.materialsManager.instructionFileSuffixes?.flatMap((name) => rules.suffixesOf(name)),
  );
  const dropped = new Set(dropRecipients.flatMap((name) => rules.suffixesOf(name)));
  const others = beside.filter(({ suffix, isRead }) => !isRead && !kept.has(suffix));
  const missing = [...new Set(others.map(({ suffix }) => suffix).filter((suffix) => !dropped.has(suffix)))];
  if (missing.length === 0) return others;
  throw new S3EncryptionError(
    "unsupported-operation",
    `Nothing was written: instruction files or annotations of ${quotedList(missing)} hold the object's key for others, who could not open it any more. Migrate with a keyring that wraps for them, too; or drop them by name: dropRecipients: [${missing.map((name) => JSON.stringify(name)).join(", ")}].`,
  );
}

/**
 * Throws `content-mismatch` for a key that came meanwhile, whom nobody has dropped, and for one that was removed meanwhile, who
 * would be wrapped for all the same. A file that this put has written by then is of another object, and is not gone.
 */
export async function requireSameKeys(
  before: readonly KeyBeside[],
  now: readonly KeyBeside[],
  store: SiblingStore,
): Promise<void> {
  const isIn =
    (others: readonly KeyBeside[]) =>
    ({ suffix, etag }: KeyBeside): boolean =>
      others.some((other) => other.suffix === suffix && other.etag === etag);
  if (!now.every(isIn(before))) throw changedMeanwhile();
  for (const gone of before.filter((key) => !isIn(now)(key))) {
    if (gone.in === "annotation" || (await store.read(gone.suffix)).state === "missing") throw changedMeanwhile();
  }
}

/**
 * Refuses, before anything is written, an object which was read by a key beside it while its own wrapped key, in its metadata or
 * the file that a reader takes, is somebody else's: of its writer, who could not open it any more. That a keyring opens it, the
 * old or the new, is the only sign. Asked only where there is another key to have read it by.
 */
export async function requireOwnKey(
  { address, reading, writing }: Migration,
  { seen, losses }: KeptObject,
  beside: readonly KeyBeside[],
): Promise<void> {
  const format = reading.options.formats.find(({ siblings }) => siblings !== undefined);
  const { wraps, siblings: rules } = format ?? {};
  const { Metadata: metadata = {} } = seen.head;
  if (wraps === undefined || rules === undefined) return;
  const ofFiles = beside.filter(({ in: place, isRead }) => place === "file" && isRead);
  const own: readonly { readonly place: WrapPlace; readonly text?: string }[] = rules.kindOf(metadata).standsAlone
    ? [{ place: { in: "metadata" } }]
    : ofFiles.map(({ suffix, text = "" }) => ({ place: { in: "instruction-file", suffix }, text }));
  if (own.length === 0 || (beside.length === ofFiles.length && !losses.lost.includes("recipients"))) return;
  let reason: unknown;
  for (const { options, call } of [reading, writing]) {
    const request = requestOf(options, callOptionsOf(withCallOptions({}, call)), address);
    for (const each of own) {
      try {
        await unlessAborted(() => wraps.unwrap(wraps.find({ metadata, ...each, request }), request), call.abortSignal);
        return;
      } catch (error) {
        if (!(error instanceof S3EncryptionError)) throw error;
        reason ??= error;
      }
    }
  }
  losses.accept(
    "generator",
    `The wrapped key in the object's metadata or instruction file is for somebody whose key is neither the old keyring's nor the new one's, and who could not open the object any more (${reason instanceof Error ? reason.message : ""}).`,
  );
}

async function listedSuffixes(
  client: S3Client,
  address: Migration["address"],
  request: { readonly abortSignal?: AbortSignal },
): Promise<readonly string[] | undefined> {
  const { Key, ...owner } = whereOf(address);
  const suffixes: string[] = [];
  let ContinuationToken: string | undefined;
  for (let pages = 0; pages < MAX_PAGES; pages++) {
    const asked = { ...owner, Prefix: `${Key}.`, ContinuationToken };
    const page = await client.send(new ListObjectsV2Command(asked), request).catch((error: unknown) => {
      if (httpStatusOf(error) === 403) return undefined;
      throw error;
    });
    // An answer without a body does not say that there are none.
    if (page === undefined || (page.IsTruncated === undefined && page.Name === undefined)) return undefined;
    for (const { Key: key = "", Size = 0 } of page.Contents ?? []) {
      if (Size > 0 && Size <= MAX_INSTRUCTION_FILE_LENGTH) suffixes.push(key.slice(Key.length));
    }
    if (suffixes.length > MAX_FILES) return undefined;
    if (page.IsTruncated !== true) return suffixes;
    ContinuationToken = page.NextContinuationToken;
    // It says that there is more, and not where.
    if (ContinuationToken === undefined) return undefined;
  }
  return undefined;
}
