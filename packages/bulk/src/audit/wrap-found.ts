import { type InstructionFile, readWrapBeside } from "@s3ec/envelope";
import type { EncryptedDataKey, WrapAlgorithm, WrapPlace } from "@s3ec/materials";
import type { KeyQuestion, Need } from "../key-question/key-question.js";
import { wrapReadable } from "./audit-reader.js";
import type { Auditing } from "./audit-target.js";
import type { AuditedWrap } from "./audited-object.js";

/** Where a wrapped key was found, and what stands beside it. */
export interface WhereFound {
  readonly place: WrapPlace;
  readonly recipient?: string;
  /** ARN of a KMS key: a hint. */
  readonly wrappingKey?: string | undefined;
}

/** What is told of a wrapped key, once the keys and the reader that are asked about have been compared. */
export async function auditedWrap(
  { keyQuestion, keyQuestions, reader }: Auditing,
  encryptedDataKey: EncryptedDataKey,
  { place, recipient, wrappingKey }: WhereFound,
): Promise<AuditedWrap> {
  const { wrapAlgorithm, description } = encryptedDataKey;
  const answerOf = (question: KeyQuestion): Promise<Need> =>
    question.needs(encryptedDataKey, wrappingKey).catch((): Need => "unknown");
  const needsKeys: Record<string, Need> = {};
  for (const [name, question] of Object.entries(keyQuestions ?? {})) needsKeys[name] = await answerOf(question);
  return {
    place,
    ...(recipient === undefined ? {} : { recipient }),
    wrapAlgorithm: wrapAlgorithm.name,
    keyKind: wrapAlgorithm.keyKind,
    isLegacy: wrapAlgorithm.legacy,
    description,
    ...(wrappingKey === undefined ? {} : { wrappingKey }),
    ...(keyQuestion === undefined ? {} : { needsKey: await answerOf(keyQuestion) }),
    ...(keyQuestions === undefined ? {} : { needsKeys }),
    ...(reader === undefined ? {} : await wrapReadable(reader, encryptedDataKey, wrappingKey)),
  };
}

/** What says that it holds a wrapped key, and does not hold one that is known, may be of a keyring of somebody's own. */
export function wrapIn(
  file: InstructionFile,
  wrapAlgorithms: readonly WrapAlgorithm[],
): EncryptedDataKey | "malformed" | undefined {
  try {
    return readWrapBeside(file, { wrapAlgorithms }).encryptedDataKey;
  } catch {
    return NAMES_A_KEY.test(file.text) ? "malformed" : undefined;
  }
}

const NAMES_A_KEY = /^\s*\{[\s\S]*"(?:x-amz-key|x-amz-key-v2|x-amz-3|EncryptedEnvelopeKey)"\s*:/;

export const MALFORMED_FILE =
  "It says that it holds a wrapped key, and holds none that is known: it is altered, or of a keyring of somebody's own.";
