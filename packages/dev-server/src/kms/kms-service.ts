import { createHash } from "node:crypto";
import { KmsError } from "./kms-error.js";
import type { KmsInput } from "./kms-input.js";
import type { KmsKey, KmsKeys } from "./kms-keys.js";

/** A ciphertext of another KMS, and what Decrypt answers to it. */
interface SeededCiphertext {
  readonly context: Buffer;
  readonly key: KmsKey;
  readonly plaintext: Buffer;
}

/** What every KMS operation works with. */
export interface KmsService {
  readonly keys: KmsKeys;
  /** By the SHA-256 of the blob, in hex. */
  readonly seeded: Map<string, SeededCiphertext>;
}

/** Members whose value is undefined are left out of the JSON. */
export type Output = Readonly<Record<string, unknown>>;
/** Answers one operation in one region. */
export type KmsOperation = (service: KmsService, input: KmsInput, region: string) => Output;

/** The one spec of symmetric keys, and the name of their algorithm. */
export const symmetric = "SYMMETRIC_DEFAULT";
/** Where the seed of a ciphertext is found. */
export function seedOf(blob: Uint8Array): string {
  return createHash("sha256").update(blob).digest("hex");
}

/** The key that a `KeyId` names, for a cryptographic operation. */
export function usableKey(keys: KmsKeys, keyId: string, region: string): KmsKey {
  const key = keys.find(keyId, region);
  requireNotPendingDeletion(key);
  if (key.state === "Disabled") throw new KmsError("DisabledException", `${key.arn} is disabled.`);
  return key;
}

/** @throws KmsError `KMSInvalidStateException` */
export function requireNotPendingDeletion({ state, arn }: KmsKey): void {
  if (state === "PendingDeletion") throw new KmsError("KMSInvalidStateException", `${arn} is pending deletion.`);
}
