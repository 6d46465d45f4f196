/** The order of S3's listings: that of the bytes of UTF-8, which that of JavaScript's strings is not. */
export function inUtf8Order(one: string, other: string): number {
  return Buffer.compare(Buffer.from(one), Buffer.from(other));
}
