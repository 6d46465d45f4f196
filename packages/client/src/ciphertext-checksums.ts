/** What S3 computed is about the ciphertext and would not match the caller's body; the ETag stays, as an opaque version. */
export function withoutCiphertextChecksums<Output extends object>(output: Output): Output {
  const isOfCiphertext = (name: string): boolean => name.startsWith("Checksum");
  if (!Object.keys(output).some(isOfCiphertext)) return output;
  return Object.fromEntries(Object.entries(output).filter(([name]) => !isOfCiphertext(name))) as Output;
}
