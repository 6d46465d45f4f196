/** What S3 computed is about the ciphertext and would not match the caller's body; the ETag stays, as an opaque version. */
export function withoutCiphertextChecksums<Output extends object>(output: Output): Output {
  const entries = Object.entries(output).filter(([name]) => !name.startsWith("Checksum"));
  return Object.fromEntries(entries) as Output;
}
