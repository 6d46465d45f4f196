import { S3EncryptionError } from "@s3ec/materials";
import { expect } from "chai";

/** All of it. */
export async function gathered<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const item of items) all.push(item);
  return all;
}

/** What a promise is rejected with. */
export async function refusal(work: Promise<unknown>): Promise<S3EncryptionError> {
  const error = await work.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).to.be.instanceOf(Error);
  return error instanceof S3EncryptionError ? error : (error as S3EncryptionError);
}
