import { S3EncryptionError, type S3EncryptionErrorCode } from "@s3ec/envelope";
import { expect } from "chai";

/** The refusal that `attempt` ends with, at once or later, which must carry `code`. */
export async function refusal(
  code: S3EncryptionErrorCode,
  attempt: (() => unknown) | Promise<unknown>,
): Promise<S3EncryptionError> {
  try {
    await (typeof attempt === "function" ? attempt() : attempt);
  } catch (error) {
    return checked(code, error);
  }
  throw new Error(`Expected a refusal with code ${code}.`);
}

/** The refusal that `act` throws before it returns, which must carry `code`. */
export function refused(code: S3EncryptionErrorCode, act: () => unknown): S3EncryptionError {
  try {
    act();
  } catch (error) {
    return checked(code, error);
  }
  throw new Error(`Expected a refusal with code ${code}.`);
}

function checked(code: S3EncryptionErrorCode, error: unknown): S3EncryptionError {
  if (!(error instanceof S3EncryptionError)) throw error;
  expect(error.code, error.message).to.equal(code);
  return error;
}
