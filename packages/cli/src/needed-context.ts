import { CONTEXT_CONTENT_ALGORITHM, quotedList } from "@s3ec/envelope";

/** What reading takes: a key, and the entries of the stored context that are the caller's to pass. */
export function withContext(key: string, names: readonly string[]): string {
  const callers = names.filter((name) => name !== CONTEXT_CONTENT_ALGORITHM && !name.startsWith("aws-crypto-"));
  return callers.length === 0 ? key : `${key} and the encryption context of ${quotedList(callers)}`;
}
