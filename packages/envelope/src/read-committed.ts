import { COMMITTING_GCM } from "./algorithm-suites.js";
import type { CommittedEnvelope } from "./envelope.js";
import { malformedEnvelope } from "./errors.js";
import { COMMITMENT_LENGTH, MESSAGE_ID_LENGTH } from "./key-commitment.js";
import {
  CONTENT_ALGORITHM_V3,
  ENCRYPTION_CONTEXT_V3,
  KEY_COMMITMENT,
  MATERIAL_DESCRIPTION_V3,
  MESSAGE_ID,
  V3_CONTENT_FIELDS,
  WRAP_ALGORITHM_V3,
  WRAPPED_KEY_V3,
} from "./metadata-keys.js";
import { readDataKey } from "./read-data-key.js";
import { decodeBase64, requireAll, type StoredFields } from "./stored-fields.js";
import type { WrapAlgorithm } from "./wrap-algorithms.js";

/** What format V3 keeps on the object itself. */
type CommittedContent = Pick<CommittedEnvelope, "messageId" | "commitment">;

/** Reads `x-amz-c`, `-i` and `-d`, which must all be there, and exactly as every client writes them (3.4 item 5, S15). */
export function readCommittedContent(fields: StoredFields): CommittedContent {
  requireAll(fields, V3_CONTENT_FIELDS);
  if (fields.get(CONTENT_ALGORITHM_V3) !== COMMITTING_GCM.storedName) {
    throw malformedEnvelope(`The envelope's ${CONTENT_ALGORITHM_V3} must be ${COMMITTING_GCM.storedName}.`);
  }
  const messageId = decodeBase64(fields, MESSAGE_ID);
  const commitment = decodeBase64(fields, KEY_COMMITMENT);
  if (messageId.length !== MESSAGE_ID_LENGTH || commitment.length !== COMMITMENT_LENGTH) {
    throw malformedEnvelope(
      `The envelope's ${MESSAGE_ID} and ${KEY_COMMITMENT} must be ${MESSAGE_ID_LENGTH} and ${COMMITMENT_LENGTH} bytes.`,
    );
  }
  return { messageId, commitment };
}

/** Refuses a wrapped key without its wrap, or any other half of the two. */
export function requireCommittedKey(fields: StoredFields): void {
  requireAll(fields, [WRAPPED_KEY_V3, WRAP_ALGORITHM_V3]);
}

/** Format V3, its wrapped key read from `fields`: those of the object or of its instruction file. */
export function readCommittedEnvelope(
  content: CommittedContent,
  fields: StoredFields,
  placement: CommittedEnvelope["placement"],
  wraps: readonly WrapAlgorithm[],
): CommittedEnvelope {
  const code = fields.get(WRAP_ALGORITHM_V3);
  // Only 02, 12, 22 and a plug-in's own: never a legacy wrap under one of the codes that nobody writes (S9, H26).
  const wrapAlgorithm = wraps.find((entry) => entry.v3Code === code);
  if (wrapAlgorithm === undefined)
    throw malformedEnvelope(`The envelope names an unknown wrap in ${WRAP_ALGORITHM_V3}.`);
  // One writer stores an empty or a second map; the wrap decides which one counts (H4).
  const description =
    wrapAlgorithm.describedBy === "encryption-context" ? ENCRYPTION_CONTEXT_V3 : MATERIAL_DESCRIPTION_V3;
  return Object.freeze({
    format: "V3",
    placement,
    suite: COMMITTING_GCM,
    algorithmBinding: COMMITTING_GCM.storedName,
    encryptedDataKey: readDataKey(wrapAlgorithm, decodeBase64(fields, WRAPPED_KEY_V3), fields.get(description)),
    ...content,
  });
}
