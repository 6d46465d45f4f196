/** Bytes of an object that tell whether it may be a message. */
export const MESSAGE_START_LENGTH = 3;

/**
 * Whether an object that begins so may be a message of the AWS Encryption SDK: header version 1 with its type and the first byte
 * of a suite's id, or version 2 with that of a suite. What is not known to be a message begins so once in millions.
 */
export function startsLikeMessage([first, second, third]: Uint8Array): boolean {
  if (first === 1) return second === 0x80 && third !== undefined && third <= 3;
  return first === 2 && (second === 4 || second === 5) && third === 0x78;
}
