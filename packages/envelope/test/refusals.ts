import { expect } from "chai";
import { S3EncryptionError, type S3EncryptionErrorCode } from "../dist/errors.js";

/** The refusal that `act` throws, which must carry `code`. */
export function refused(code: S3EncryptionErrorCode, act: () => unknown): S3EncryptionError {
  try {
    act();
  } catch (error) {
    return checked(code, error);
  }
  throw new Error(`Expected a refusal with code ${code}.`);
}

/** The refusal that `promise` ends with, which must carry `code`. */
export async function refusedLater(code: S3EncryptionErrorCode, promise: Promise<unknown>): Promise<S3EncryptionError> {
  try {
    await promise;
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
