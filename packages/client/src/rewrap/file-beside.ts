import {
  GetObjectCommand,
  type HeadObjectCommandOutput,
  type PutObjectCommandInput,
  type S3Client,
} from "@aws-sdk/client-s3";
import { quotedList } from "@s3ec/envelope";
import { S3EncryptionError, type SiblingRules, type SiblingText } from "@s3ec/materials";
import { BesideObject } from "../read/beside-object.js";
import { AllowedLosses } from "../restate/losses.js";
import { lookAt, type SeenObject } from "../restate/seen-object.js";
import { grantsOf } from "../restate/stored-grants.js";
import { encryptionOf } from "../restate/stored-headers.js";
import { lockOf } from "../restate/stored-lock.js";
import { tagsAlong } from "../restate/taken-along.js";
import type { FoundFile } from "../write/sibling-files.js";
import { SiblingStore } from "../write/sibling-store.js";
import { defined, type Rewrap } from "./rewrap-options.js";

/** A file beside the object, as it was read. */
export interface FileBeside {
  readonly suffix: string;
  readonly found: Extract<FoundFile, { readonly state: "read" }>;
}

/** Whose file is looked at, and until when. */
interface SeenFor extends Pick<Rewrap, "object"> {
  readonly from: Pick<Rewrap["from"], "abortSignal">;
}

/** To read and write files beside the object. `shared`: what a file that is written has of the object or of another file. */
export function storeBeside(
  client: S3Client,
  { object, from }: Rewrap,
  rules: SiblingRules,
  shared: Partial<PutObjectCommandInput> = {},
): SiblingStore {
  const siblings = {
    verb: "Put",
    files: [],
    first: false,
    mark: undefined,
    suffixes: [],
    replaceUnknown: rules.replaceUnknown,
    markOf: ({ Metadata = {} }: HeadObjectCommandOutput) => rules.kindOf(Metadata).mark,
    fileMarkOf: (metadata: Readonly<Record<string, string>>) => rules.fileMarkOf(metadata),
    isFile: (file: SiblingText, metadata: Readonly<Record<string, string>>) => rules.isFile(file, metadata),
    standsAlone: (metadata: Readonly<Record<string, string>>) => rules.kindOf(metadata).standsAlone,
  } as const;
  return new SiblingStore(client, { ...object, ...shared }, siblings, { signal: from.abortSignal });
}

/**
 * The file that the wrap stands in.
 *
 * @throws S3EncryptionError `not-encrypted` where there is none, `malformed-envelope` for one longer than any
 */
export async function fileToRewrap(
  client: S3Client,
  rewrap: Rewrap,
  rules: SiblingRules,
  metadata: Readonly<Record<string, string>>,
): Promise<FileBeside> {
  const store = storeBeside(client, rewrap, rules);
  const named = rewrap.from.instructionFileSuffix;
  const suffixes = rules.suffixesOf(named);
  for (const suffix of suffixes) {
    const found = await store.read(suffix);
    if (found.state === "unknown") await explain(client, rewrap, suffix);
    if (found.state !== "read") continue;
    if (named === undefined && rules.kindOf(metadata).mark === undefined) {
      await refuseOthersBeside(store, rewrap, rules, metadata, { suffix, text: found.body });
    }
    return { suffix, found };
  }
  throw new S3EncryptionError(
    "not-encrypted",
    `There is no wrapped key to replace: the object's metadata holds ${rules.kindOf(metadata).standsAlone ? "one, which was not asked for" : "none"}, and there is no instruction file at its key plus ${quotedList(suffixes)}. Pass the suffix that its writer gave to it (instructionFileSuffix).`,
  );
}

/** Nothing on the object says whose a file is: two for different content are refused, as by a reader. */
async function refuseOthersBeside(
  store: SiblingStore,
  { encryption }: Rewrap,
  rules: SiblingRules,
  metadata: Readonly<Record<string, string>>,
  file: { readonly suffix: string; readonly text: string },
): Promise<void> {
  const others = rules.unnamed.filter((suffix) => suffix !== file.suffix);
  const found = await store.readAll(others);
  const texts = [...found].flatMap(([suffix, other]) => (other.state === "read" ? [{ suffix, text: other.body }] : []));
  rules.refuseStale(metadata, [file, ...texts], encryption.materialsManager);
}

/** What S3 says of a file that may not be read (H34), or that it is larger than any (S14). */
async function explain(client: S3Client, { object, from }: Rewrap, suffix: string): Promise<never> {
  const beside = new BesideObject(object, {
    get: (file) => client.send(new GetObjectCommand(file)),
    client: () => client,
    signal: from.abortSignal,
  });
  await beside.read(suffix, undefined);
  throw new S3EncryptionError("malformed-envelope", "The instruction file is larger than any client writes.");
}

/** What S3 says of a file. */
export async function seenFile(client: S3Client, { object, from }: SeenFor, suffix: string): Promise<SeenObject> {
  const request = from.abortSignal === undefined ? {} : { abortSignal: from.abortSignal };
  return await lookAt(client, { ...object, Key: `${object.Key}${suffix}` }, request);
}

/**
 * How S3 keeps an object or file, for the one that takes its place or stands beside it: encryption, class, lock, owners and tags.
 * What of that may not be read is refused unless it may get lost.
 */
export async function storageOf(
  client: S3Client,
  { object, from, keep }: SeenFor & Pick<Rewrap, "keep">,
  seen: Pick<SeenObject, "head" | "date">,
  suffix: string,
  losses: AllowedLosses,
): Promise<Partial<PutObjectCommandInput>> {
  const request = from.abortSignal === undefined ? {} : { abortSignal: from.abortSignal };
  const address = { ...object, Key: `${object.Key}${suffix}` };
  // What is new has no context to lose.
  const kmsLosses = suffix === "" ? new AllowedLosses(["kms-context"]) : losses;
  const encryption = encryptionOf(seen.head, kmsLosses, keep.SSEKMSEncryptionContext);
  const [lock, { grants }, tags] = await Promise.all([
    lockOf(client, address, seen, losses, request),
    grantsOf(client, address, losses, request),
    tagsAlong(client, address, losses, request),
  ]);
  return defined({ ...encryption, StorageClass: seen.head.StorageClass, ...lock, ...grants, ...tags });
}
