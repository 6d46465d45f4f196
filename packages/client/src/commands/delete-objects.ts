import type {
  DeleteObjectsCommandInput,
  DeleteObjectsCommandOutput,
  ObjectIdentifier,
  S3Client,
  _Error as S3Failure,
} from "@aws-sdk/client-s3";
import { isError, S3EncryptionError } from "@s3ec/materials";
import { callOptionsOf } from "../call-options.js";
import { suffixesBeside } from "../files-beside.js";
import { leftAside } from "../moving/carried-file.js";
import type { ResolvedOptions } from "../options.js";
import { plainClientOf } from "../plain-client.js";
import { isAnswer } from "../write/confirmed.js";
import { type FilesToDelete, filesToDelete } from "./files-to-delete.js";
import { lookingStore } from "./looking-store.js";

/** S3's limit for one request. */
const MAX_KEYS = 1000;
/** Objects whose files are looked at at the same time. */
const CONCURRENCY = 16;

/** What S3 says of a file that is no longer what was read. */
const CHANGED: ReadonlySet<string | undefined> = new Set([
  "PreconditionFailed",
  "ConditionalRequestConflict",
  "NoSuchKey",
]);

type Result = { output: DeleteObjectsCommandOutput; response: unknown };
type Send = (input: DeleteObjectsCommandInput) => Promise<Result>;

/**
 * Deletes objects, then the instruction files of those that S3 says it did delete, where they are still what was read
 * before. `Deleted` names the caller's keys only; `Errors` names a file that was not deleted by the file's own key, and
 * an object of which the answer says nothing: its files stay.
 */
export async function deleteObjects(
  options: ResolvedOptions,
  input: DeleteObjectsCommandInput,
  next: Send,
  client: S3Client,
): Promise<Result> {
  const current = (input.Delete?.Objects ?? []).filter(({ VersionId }) => VersionId === undefined);
  assertOneRequest(input);
  // Also for none: what is wrong with the call's options is said before anything is deleted.
  suffixesBeside(options, input, "");
  const beside = await readBeside(options, input, current, client);
  const isQuiet = input.Delete?.Quiet === true;
  const haveFiles = [...beside.values()].some(({ files, unreadable }) => files.length + unreadable.length > 0);
  // A quiet answer is the same whether S3 has deleted everything or it is somebody else's page.
  const { output, response } = await next(haveFiles ? aloud(input) : input);
  const isTold = !isQuiet || haveFiles;
  const deleted = new Set(output.Deleted?.map(({ Key }) => Key));
  const named = new Set([...deleted, ...(output.Errors ?? []).map(({ Key }) => Key)]);
  const failed = new Set(output.Errors?.filter(({ VersionId }) => !VersionId).map(({ Key }) => Key));
  const found = [...beside].flatMap(([key, files]) => (deleted.has(key) && !failed.has(key) ? [files] : []));
  const files = found.flatMap(({ files: present }) => present.map(({ key, etag }) => ({ Key: key, ETag: etag })));
  const Errors = [
    ...(output.Errors ?? []),
    ...(isTold && isAnswer(output) ? [...beside.keys()].filter((key) => !named.has(key)).map(notConfirmed) : []),
    ...found.flatMap(({ unreadable }) => unreadable.map(({ key }) => notReadable(key))),
    ...(await removeAll(files, input, next)),
  ];
  const { Deleted, ...quiet } = output;
  const told = isQuiet && haveFiles ? quiet : output;
  return { output: Errors.length === 0 ? told : { ...told, Errors }, response };
}

/** S3 would refuse more, and only after the files beside each of them were asked for. */
function assertOneRequest({ Delete }: DeleteObjectsCommandInput): void {
  const { length } = Delete?.Objects ?? [];
  if (length <= MAX_KEYS) return;
  throw new S3EncryptionError(
    "invalid-argument",
    `DeleteObjects takes ${MAX_KEYS} objects at most, and was given ${length}: send several. Nothing was deleted.`,
  );
}

function aloud(input: DeleteObjectsCommandInput): DeleteObjectsCommandInput {
  return { ...input, Delete: { Objects: input.Delete?.Objects, Quiet: false } };
}

async function readBeside(
  options: ResolvedOptions,
  input: DeleteObjectsCommandInput,
  objects: readonly ObjectIdentifier[],
  client: S3Client,
): Promise<ReadonlyMap<string, FilesToDelete>> {
  const keys = [...new Set(objects.flatMap(({ Key }) => (Key === undefined ? [] : [Key])))];
  const asked = new Set(keys);
  const { Bucket, ExpectedBucketOwner, RequestPayer } = input;
  const { abortSignal } = callOptionsOf(input);
  const plain = plainClientOf(client);
  const found = new Map<string, FilesToDelete>();
  const rest = keys.values();
  const work = async (): Promise<void> => {
    for (const Key of rest) {
      // The caller deletes it as it is, as whoever empties a prefix does.
      const suffixes = suffixesBeside(options, input, Key).filter((suffix) => !asked.has(`${Key}${suffix}`));
      const object = { Bucket, Key, ExpectedBucketOwner, RequestPayer };
      const store = lookingStore(plain, object, options, abortSignal);
      const aside = () => leftAside(plain, { ...object, Bucket: Bucket ?? "" }, abortSignal);
      found.set(Key, await filesToDelete(store, suffixes, options, aside));
    }
  };
  await Promise.all(Array.from({ length: CONCURRENCY }, work));
  return found;
}

/** Once the objects are gone a failure is one of the files alone, whatever it is. */
async function removeAll(
  files: readonly ObjectIdentifier[],
  { MFA, ...input }: DeleteObjectsCommandInput,
  next: Send,
): Promise<S3Failure[]> {
  const failures: S3Failure[] = [];
  for (let start = 0; start < files.length; start += MAX_KEYS) {
    const Objects = files.slice(start, start + MAX_KEYS);
    try {
      const { output } = await next({ ...input, Delete: { Objects, Quiet: false } });
      const { Errors = [], Deleted = [] } = output;
      failures.push(...Errors.filter(({ Code }) => !CHANGED.has(Code)));
      const named = new Set([...Errors, ...Deleted].map(({ Key }) => Key));
      if (!isAnswer(output)) continue;
      failures.push(...Objects.flatMap(({ Key = "" }) => (named.has(Key) ? [] : [notConfirmed(Key)])));
    } catch (error) {
      const said = isError(error) ? { Code: error.name, Message: error.message } : {};
      failures.push(...Objects.map(({ Key }) => ({ Key, ...said })));
    }
  }
  return failures;
}

function notConfirmed(Key: string): S3Failure {
  return {
    Key,
    Code: "NotConfirmed",
    Message:
      "The answer does not say whether it was deleted, so that files beside it were left: look whether it is there, and delete it again.",
  };
}

function notReadable(Key: string): S3Failure {
  return {
    Key,
    Code: "AccessDenied",
    Message:
      "The object's instruction file may not be read and was left: allow s3:GetObject, or delete it with a plain client.",
  };
}
