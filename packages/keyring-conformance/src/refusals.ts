import assert from "node:assert/strict";
import {
  type DecryptionMaterials,
  decryptionFailed,
  isError,
  S3EncryptionError,
  type S3EncryptionErrorCode,
} from "@s3ec/materials";

/** Asserts that a read ends in a typed refusal with one of these codes, and returns it. */
export async function assertRefused(
  reading: Promise<DecryptionMaterials | null>,
  codes: readonly S3EncryptionErrorCode[],
  what: string,
): Promise<S3EncryptionError> {
  const outcome = await outcomeOf(reading);
  assert(outcome !== null, `${what}: answered null as if it were another keyring's, instead of refusing it.`);
  assert(isError(outcome), `${what}: opened.`);
  const isTyped = outcome instanceof S3EncryptionError;
  assert(isTyped, `${what}: threw ${outcome.name}, which is not an S3EncryptionError.`);
  assert(codes.includes(outcome.code), `${what}: refused with ${outcome.code}, not ${codes.join(" or ")}.`);
  assertUniform(outcome, what);
  return outcome;
}

/** From unwrapping on there is one text, and nothing enumerable beside it, so that it cannot be an oracle (S16). */
export function assertUniform(error: S3EncryptionError, what: string): void {
  if (error.code !== "decryption-failed") return;
  const uniform = decryptionFailed();
  assert.equal(error.message, uniform.message, `${what}: has words of its own; throw decryptionFailed().`);
  assert.deepEqual(Object.keys(error), Object.keys(uniform), `${what}: shows more than its code.`);
}

/** What a read ended in: materials, null, or the error. */
export async function outcomeOf(
  reading: Promise<DecryptionMaterials | null>,
): Promise<DecryptionMaterials | Error | null> {
  try {
    return await reading;
  } catch (error) {
    return isError(error) ? error : new Error("Something that is no Error was thrown.", { cause: error });
  }
}
