import {
  AES_GCM,
  AES_WRAP,
  ALGORITHM_SUITES,
  type AlgorithmSuite,
  isSameStringMap,
  isSameWrapAlgorithm,
  RSA_OAEP_SHA1,
  RSA_OAEP_SHA256,
} from "@s3ec/envelope";
import {
  type EncryptedDataKey,
  type Keyring,
  S3EncryptionError,
  type StringMap,
  type WrapAlgorithm,
} from "@s3ec/materials";
import type { KeyQuestion, Need } from "./key-question.js";

/** A raw key, and what of it objects may store. */
export interface RawKeyQuestionOptions {
  /** A keyring that holds this one key, and can use it: an RSA key's public half alone tells nothing. */
  readonly keyring: Keyring;
  /** AES or RSA. */
  readonly keyKind: "aes" | "rsa";
  /** What is stored beside the key's wraps. Default: nothing. */
  readonly materialDescription?: StringMap;
}

/** Wraps that tell one key from another. PKCS#1 opens with any, and AES-ECB with some, to something. */
const TELLING: readonly WrapAlgorithm[] = [AES_GCM, AES_WRAP, RSA_OAEP_SHA1, RSA_OAEP_SHA256];

/**
 * Asks about a raw key: by its description, and by trying it. A `no` is only a wrap for keys of another kind, or one that
 * does not open with the key itself, whichever content it may be bound to.
 */
export function rawKeyQuestion({ keyring, keyKind, materialDescription = {} }: RawKeyQuestionOptions): KeyQuestion {
  return {
    async needs(encryptedDataKey) {
      const { wrapAlgorithm, description } = encryptedDataKey;
      if (wrapAlgorithm.keyKind === "other") return "unknown";
      if (wrapAlgorithm.keyKind !== keyKind) return "no";
      // Without a description, which most objects are, nothing is said.
      if (Object.keys(description).length > 0 && isSameStringMap(description, materialDescription)) return "yes";
      const isTelling = TELLING.some((entry) => isSameWrapAlgorithm(entry, wrapAlgorithm));
      const isTried = keyring.wrapAlgorithms.some((entry) => isSameWrapAlgorithm(entry, wrapAlgorithm));
      if (!isTelling || !isTried) return "unknown";
      const outcomes: Need[] = [];
      for (const suite of ALGORITHM_SUITES) outcomes.push(await opens(keyring, suite, encryptedDataKey));
      return outcomes.includes("yes") ? "yes" : outcomes.every((outcome) => outcome === "no") ? "no" : "unknown";
    },
  };
}

/**
 * As if it were bound to this suite's content: what binds it is stored in the clear, and may have been altered, or be
 * another one than the content's (H1).
 */
async function opens(keyring: Keyring, suite: AlgorithmSuite, encryptedDataKey: EncryptedDataKey): Promise<Need> {
  try {
    const materials = { suite, algorithmBinding: suite.storedName, encryptionContext: {} };
    return (await keyring.onDecrypt(Object.freeze(materials), [encryptedDataKey])) ? "yes" : "unknown";
  } catch (error) {
    return error instanceof S3EncryptionError && error.code === "decryption-failed" ? "no" : "unknown";
  }
}
