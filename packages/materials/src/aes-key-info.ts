const TAG = 16;
const IV = 12;

/** After the key's name: the tag's length in bits and the IV's in bytes, each in four bytes, then the IV. */
const LENGTHS: Uint8Array = Uint8Array.of(0, 0, 0, TAG * 8, 0, 0, 0, IV);

/** Bytes behind the name in the provider information of a raw AES key (docs/formats.md 8.3). */
export const AES_KEY_INFO_LENGTH: number = LENGTHS.length + IV;

/** What a message says of a data key that a raw AES key wrapped, with an IV of 12 bytes and a tag of 16. */
export function aesKeyInfo(name: Uint8Array, iv: Uint8Array): Uint8Array {
  return Buffer.concat([name, LENGTHS, iv]);
}

/** The IV behind a name of this length, or undefined where the lengths are others than those that are written. */
export function ivOfAesKeyInfo(nameLength: number, info: Uint8Array): Uint8Array | undefined {
  const lengths = info.subarray(nameLength, nameLength + LENGTHS.length);
  const isWhole = info.length === nameLength + AES_KEY_INFO_LENGTH;
  return isWhole && Buffer.compare(lengths, LENGTHS) === 0 ? info.subarray(-IV) : undefined;
}
