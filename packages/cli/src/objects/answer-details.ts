import type { S3Client } from "@aws-sdk/client-s3";
import { inspectObject } from "@s3ec/client";
import type { Inspection } from "@s3ec/materials";
import type { ObjectAddress } from "../object-address.js";
import type { TransferContext } from "./transfer-context.js";

interface Answer {
  readonly $metadata: { readonly requestId?: string; readonly attempts?: number };
}

/** What S3 answered by, for `--verbose`: no key and nothing of the content. */
export function requestDetails({ $metadata: { requestId, attempts = 1 } }: Answer): string[] {
  if (requestId === undefined) return [];
  return [`request ${requestId}${attempts > 1 ? `, after ${attempts} attempts` : ""}`];
}

/** Bytes that content of any cipher may have: the answer's are those of the plaintext, and nothing of them is told. */
const SOME_LENGTH = 32;

/** The same of one that was read, and what its data key is wrapped with. */
export async function openedDetails(
  { plain, call, verbose }: TransferContext & { readonly plain: S3Client },
  address: ObjectAddress,
  answer: Answer & {
    readonly Metadata?: Record<string, string> | undefined;
    readonly ContentLength?: number | undefined;
  },
): Promise<string[]> {
  if (!verbose) return [];
  const { instructionFileSuffix } = call;
  const wrap = await inspectObject(plain, {
    Bucket: address.Bucket,
    Key: address.Key,
    head: { Metadata: answer.Metadata ?? {}, ContentLength: SOME_LENGTH },
    ...(instructionFileSuffix === undefined ? {} : { instructionFileSuffix }),
  }).then(
    ({ inspection }) => wrapIn(inspection),
    () => undefined,
  );
  return [...requestDetails(answer), ...(wrap === undefined ? [] : [wrap])];
}

function wrapIn(inspection: Inspection): string | undefined {
  if (!("wrapAlgorithm" in inspection) || !("keyKind" in inspection)) return undefined;
  return `format ${inspection.format}, data key wrapped by ${String(inspection.wrapAlgorithm)} (${String(inspection.keyKind)})`;
}
