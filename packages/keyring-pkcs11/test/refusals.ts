import { S3EncryptionError, type S3EncryptionErrorCode } from "@s3ec/envelope";
import { expect } from "chai";

/** The refusal that `act` ends with, which must carry `code`. */
export async function refusal(code: S3EncryptionErrorCode, act: () => unknown): Promise<S3EncryptionError> {
  try {
    await act();
  } catch (error) {
    expect(error).to.be.instanceOf(S3EncryptionError);
    if (!(error instanceof S3EncryptionError)) throw error;
    expect(error.code, error.message).to.equal(code);
    return error;
  }
  throw new Error(`Expected a refusal with code ${code}.`);
}
