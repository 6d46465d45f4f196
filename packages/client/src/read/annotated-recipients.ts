import { annotatedFacts, MAX_INSTRUCTION_FILE_LENGTH, recipientOfAnnotation } from "@s3ec/envelope";
import { type AnnotationReader, S3EncryptionError } from "@s3ec/materials";
import { hasAnnotationCommands } from "../annotations/annotation-commands.js";

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
  annotations: AnnotationReader,
  prefix: string,
): Promise<readonly AnnotatedRecipient[] | null> {
  if (!(await hasAnnotationCommands())) return null;
  let listed: Awaited<ReturnType<AnnotationReader["list"]>>;
  try {
    listed = await annotations.list(prefix);
  } catch (error) {
    return error instanceof S3EncryptionError ? [] : null;
  }
  const recipients: AnnotatedRecipient[] = [];
  for (const { name, size } of listed) {
    const recipient = recipientOfAnnotation(name);
    if (recipient === undefined) continue;
    const isRead = recipients.length < MAX_READ && size <= MAX_INSTRUCTION_FILE_LENGTH;
    // One that may not be read is there all the same.
    const text = isRead ? await annotations.read(name).catch(() => undefined) : undefined;
    const { wrap = null, kmsKey = null, added = null } = annotatedFacts(text ?? "");
    recipients.push({ recipient, annotation: name, wrap, kmsKeyId: kmsKey, added });
  }
  return recipients;
}
