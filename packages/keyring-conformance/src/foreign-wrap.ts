import { defineWrapAlgorithm, type EncryptedDataKey, stringMap } from "@s3ec/materials";

const FOREIGN = defineWrapAlgorithm({ name: "conformance:foreign" });

/** An encrypted data key of a wrap that no keyring has. */
export function foreignWrap(text: string): EncryptedDataKey {
  return { wrapAlgorithm: FOREIGN, ciphertext: Buffer.from(text), description: stringMap([["conformance", text]]) };
}
