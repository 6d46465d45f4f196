import type { S3Client } from "@aws-sdk/client-s3";
import { annotatedFacts, MAX_INSTRUCTION_FILE_LENGTH } from "@s3ec/envelope";
import { listedWraps, type WrappedObject } from "../recipients/annotated-wraps.js";

/** Annotations that are read; of more, only the names are told. */
const MAX_READ = 32;

/** A recipient whose wrapped key is in an annotation of the object, as that says of itself: none of it is authenticated. */
export interface AnnotatedRecipient {
  /** Its name. */
  readonly recipient: string;
  /** The annotation's full name. */
  readonly annotation: string;
  /** The wrap, as the sibling clients call it; null where it was not read, or does not say. */
  readonly wrap: string | null;
  /** ARN of the KMS key, where that is known. */
  readonly kmsKeyId: string | null;
  /** When it was added, in UTC. */
  readonly added: string | null;
}

/** Those of an object; null where they may not be listed, so that there may be some. A store without annotations has none. */
export async function annotatedRecipients(
  client: S3Client,
  object: WrappedObject,
  signal: AbortSignal,
): Promise<readonly AnnotatedRecipient[] | null> {
  // Whoever only looks is told of those that stand, also while they are being moved.
  const listed = await listedWraps(client, object, signal, "mover").catch(() => ({ state: "unknown" }) as const);
  if (listed.state === "unknown") return null;
  const recipients: AnnotatedRecipient[] = [];
  for (const { recipient, name, size, read } of listed.state === "listed" ? listed.wraps : []) {
    const isRead = recipients.length < MAX_READ && size <= MAX_INSTRUCTION_FILE_LENGTH;
    // One that may not be read is there all the same.
    const text = isRead ? await read().catch(() => undefined) : undefined;
    const { wrap = null, kmsKey = null, added = null } = annotatedFacts(text ?? "");
    recipients.push({ recipient, annotation: name, wrap, kmsKeyId: kmsKey, added });
  }
  return recipients;
}
