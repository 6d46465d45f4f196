import { EncryptedDataKey as SdkEncryptedDataKey } from "@aws-crypto/material-management-node";
import { EMPTY_STRING_MAP, formatStringMap } from "@s3ec/envelope";
import { type EncryptedDataKey, keyProvider } from "@s3ec/materials";

/** As the SDK reads them from a message; without those that it cannot represent, since no keyring of its made them. */
export function toSdk(encryptedDataKeys: readonly EncryptedDataKey[]): SdkEncryptedDataKey[] {
  return encryptedDataKeys.flatMap(({ wrapAlgorithm, ciphertext, description, providerInfo }) => {
    const rawInfo = Uint8Array.from(providerInfo ?? Buffer.from(formatStringMap(description)));
    if (rawInfo.length === 0 || ciphertext.length === 0) return [];
    return new SdkEncryptedDataKey({
      providerId: wrapAlgorithm.name,
      providerInfo: Buffer.from(rawInfo).toString(),
      rawInfo,
      encryptedDataKey: Uint8Array.from(ciphertext),
    });
  });
}

/** The raw information counts: that of a raw AES key is no text. */
export function fromSdk(encryptedDataKeys: readonly SdkEncryptedDataKey[]): readonly EncryptedDataKey[] {
  return encryptedDataKeys.map(({ providerId, providerInfo, rawInfo, encryptedDataKey }) =>
    Object.freeze({
      wrapAlgorithm: keyProvider(providerId),
      ciphertext: Uint8Array.from(encryptedDataKey),
      description: EMPTY_STRING_MAP,
      providerInfo: Uint8Array.from(rawInfo ?? Buffer.from(providerInfo)),
    }),
  );
}
