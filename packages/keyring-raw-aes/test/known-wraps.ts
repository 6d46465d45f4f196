import {
  AES_ECB,
  AES_GCM,
  AES_WRAP,
  type AlgorithmSuite,
  CBC,
  COMMITTING_GCM,
  type EncryptedDataKey,
  GCM,
  type WrapAlgorithm,
} from "@s3ec/envelope";
import { bytes, encryptedDataKey } from "@s3ec/test-support";

export const WRAPPING_KEY = bytes(0x00, 32);
export const DATA_KEY = bytes(0x20, 32);

/** The data key as the JDK wraps it under the wrapping key (docs/formats.md 7.2). */
export const KNOWN_WRAPS: readonly { what: string; wrap: WrapAlgorithm; suite: AlgorithmSuite; value: string }[] = [
  {
    what: "no wrap-alg (AES-ECB), V1",
    wrap: AES_ECB,
    suite: CBC,
    value: "YaaTbk6PEBwcwfmTtUKg1OJ0Dor61OTRXQ1mGzguyomfO3UEkm+L024xGOkDpM1K",
  },
  { what: "AESWrap", wrap: AES_WRAP, suite: GCM, value: "BPijw8MC07C36UsU3Pha0dppzXQFbteQfTy0n7J3maQQTbBY8pAa2w==" },
  {
    what: "AES/GCM bound to AES/GCM/NoPadding",
    wrap: AES_GCM,
    suite: GCM,
    value: "YGFiY2RlZmdoaWpryvq5dp9lpUhUP9MAXqDvbBZEu7qwUQTum5i6V0DPyTe6Vkq4m5HtzzuzFtW7BUgN",
  },
  {
    what: "AES/GCM bound to 115",
    wrap: AES_GCM,
    suite: COMMITTING_GCM,
    value: "YGFiY2RlZmdoaWpryvq5dp9lpUhUP9MAXqDvbBZEu7qwUQTum5i6V0DPyTfFOt8PsR/bz4FQYL6ZDaxN",
  },
];

export function known(what: string): { suite: AlgorithmSuite; key: EncryptedDataKey } {
  const entry = KNOWN_WRAPS.find((row) => row.what.startsWith(what));
  if (entry === undefined) throw new Error(`No known wrap called ${what}`);
  return { suite: entry.suite, key: encryptedDataKey(entry.wrap, Buffer.from(entry.value, "base64")) };
}
