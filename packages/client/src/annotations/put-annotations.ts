import { isError, type SiblingAnnotation } from "@s3ec/materials";
import { InstructionFileError, quoted } from "../write/sibling-error.js";
import { isOf, type SiblingsToPut } from "../write/sibling-files.js";
import type { SiblingStore } from "../write/sibling-store.js";
import type { AnnotationStore } from "./annotation-store.js";

/** How often an object that others change at the same time, and that stays ours, is looked at again. */
const MAX_ROUNDS = 5;

/**
 * Once the object is stored: annotates its recipients' wrapped keys to it, on the condition that what stands is that object.
 *
 * @param store of the object
 */
export async function putAnnotations(
  annotations: AnnotationStore,
  store: SiblingStore,
  siblings: SiblingsToPut,
): Promise<void> {
  let open = siblings.annotations ?? [];
  try {
    for (let round = 0; round < MAX_ROUNDS && open.length > 0; round++) {
      const standing = await store.standing();
      if (standing.state === "unknown") throw new Error("The stored object may not be looked at: allow s3:GetObject.");
      if (standing.state === "missing" || !isOf(siblings.mark, standing)) throw replaced(store, siblings, open);
      const etag = standing.head.ETag ?? "";
      const outcomes = await Promise.allSettled(open.map(({ name, text }) => annotations.put(name, text, etag)));
      const failed = outcomes.find((outcome) => outcome.status === "rejected");
      open = open.filter((_, index) => {
        const outcome = outcomes[index];
        return outcome?.status !== "fulfilled" || !outcome.value;
      });
      if (failed !== undefined) throw failed.reason;
    }
  } catch (error) {
    throw error instanceof InstructionFileError ? error : missing(store, siblings, open, error);
  }
  if (open.length > 0) throw missing(store, siblings, open, new Error("Others changed the object again and again."));
}

function replaced(
  store: SiblingStore,
  { verb }: SiblingsToPut,
  open: readonly SiblingAnnotation[],
): InstructionFileError {
  return new InstructionFileError(
    "content-mismatch",
    `The object was stored, and replaced or deleted meanwhile: what stands is not it. ${verb} it again if it is still wanted.`,
    affected(store, open),
  );
}

function missing(
  store: SiblingStore,
  { verb }: SiblingsToPut,
  open: readonly SiblingAnnotation[],
  cause: unknown,
): InstructionFileError {
  const reason = isError(cause) ? ` ${cause.message}` : "";
  const recipients = open.flatMap(({ recipient }) => (recipient === undefined ? [] : [recipient]));
  const what =
    recipients.length === 0
      ? `what describes it for audits (describeInAnnotation) may be missing: ${verb.toLowerCase()} it again, or leave it so`
      : `the wrapped keys of recipients may be missing: ${quoted(recipients)}. Add them (addRecipient), or ${verb.toLowerCase()} it again`;
  return new InstructionFileError(
    "instruction-file-failed",
    `The object is stored, but ${what}.${reason}`,
    affected(store, open),
    cause,
  );
}

function affected(
  store: SiblingStore,
  open: readonly SiblingAnnotation[],
): readonly { readonly key: string; readonly annotation: string; readonly written: string }[] {
  return open.map(({ name, text }) => ({ key: store.keyOf(""), annotation: name, written: text }));
}
