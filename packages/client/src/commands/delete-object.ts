import type {
  DeleteObjectCommandInput,
  DeleteObjectCommandOutput,
  GetObjectCommandInput,
  S3Client,
} from "@aws-sdk/client-s3";
import { isError } from "@s3ec/materials";
import { callOptionsOf } from "../call-options.js";
import { suffixesBeside } from "../files-beside.js";
import { leftAside } from "../moving/carried-file.js";
import type { ResolvedOptions } from "../options.js";
import { plainClientOf } from "../plain-client.js";
import { isDeletion } from "../write/confirmed.js";
import { InstructionFileError, quoted } from "../write/sibling-error.js";
import type { SiblingStore } from "../write/sibling-store.js";
import { type FileToDelete, filesToDelete } from "./files-to-delete.js";
import { lookingStore } from "./looking-store.js";

type Result = { output: DeleteObjectCommandOutput; response: unknown };

/**
 * Deletes an object, then those of its instruction files that are still what was read before: what another client puts
 * meanwhile is that client's. One version among several is deleted alone: the file serves the current one (H33). What
 * would hold only for the object is not asked of its files, nor is its MFA code, which S3 takes once.
 */
export async function deleteObject(
  options: ResolvedOptions,
  input: DeleteObjectCommandInput,
  next: (input: DeleteObjectCommandInput) => Promise<Result>,
  client: S3Client,
): Promise<Result> {
  // What is wrong with the call's options is said before anything is deleted.
  const suffixes = suffixesBeside(options, input, input.Key ?? "");
  if (input.VersionId !== undefined) return next(input);
  const { Bucket = "", Key = "", ExpectedBucketOwner, RequestPayer } = input;
  const object = { Bucket, Key, ExpectedBucketOwner, RequestPayer, ...customerKeyOf(input) };
  const plain = plainClientOf(client);
  const { abortSignal } = callOptionsOf(input);
  const store = lookingStore(plain, object, options, abortSignal);
  const found = await filesToDelete(store, suffixes, options, () => leftAside(plain, object, abortSignal));
  const result = await next(input);
  if (!isDeletion(result.output)) await requireGone(store, found.files, result.output);
  const failed = await removeAll(store, found.files);
  const left = [...failed.files, ...found.unreadable];
  if (left.length === 0) return result;
  throw new InstructionFileError(
    "instruction-file-failed",
    `The object is deleted, but not ${quoted(left.map(({ key }) => key))} beside it, which holds a wrapped key of it or its annotations. Delete it with a plain S3Client, and allow s3:GetObject and s3:DeleteObject; where S3 has encrypted it with a key of yours (SSE-C), name that.`,
    left.map(({ key, body }) => (body === undefined ? { key } : { key, previous: body })),
    failed.cause,
    result.output,
  );
}

type CustomerKey = Pick<GetObjectCommandInput, "SSECustomerAlgorithm" | "SSECustomerKey" | "SSECustomerKeyMD5">;

/** S3 deletes without a customer's key, and so do the types of the SDK; to look at what is beside the object takes it. */
function customerKeyOf(input: DeleteObjectCommandInput & CustomerKey): CustomerKey {
  const { SSECustomerAlgorithm, SSECustomerKey, SSECustomerKeyMD5 } = input;
  return { SSECustomerAlgorithm, SSECustomerKey, SSECustomerKeyMD5 };
}

/** Another status than 204 may be anybody's answer, such as the page of a portal: files stay as long as the object may. */
async function requireGone(
  store: SiblingStore,
  files: readonly FileToDelete[],
  output: DeleteObjectCommandOutput,
): Promise<void> {
  const { state } = await store.standing();
  if (state === "missing") return;
  const seen = state === "read" ? "an object stands at its key" : "its key may not be looked at (403)";
  throw new InstructionFileError(
    "outcome-unknown",
    `S3 did not confirm the deletion (status ${output.$metadata.httpStatusCode}, not 204), and ${seen}: what is beside it was left. Look whether the object is still there, and delete it again.`,
    files.map(({ key, body }) => (body === undefined ? { key } : { key, previous: body })),
    undefined,
    output,
  );
}

async function removeAll(
  store: SiblingStore,
  files: readonly FileToDelete[],
): Promise<{ readonly files: readonly FileToDelete[]; readonly cause?: unknown }> {
  const outcomes = await Promise.allSettled(files.map(({ suffix, etag }) => store.remove(suffix, etag)));
  const failed = files.filter((_, index) => outcomes[index]?.status === "rejected");
  const causes = outcomes.flatMap((outcome) => (outcome.status === "rejected" ? [outcome.reason as unknown] : []));
  return { files: failed, cause: causes.find(isError) };
}
