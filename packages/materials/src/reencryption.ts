import { type EncryptedDataKey, instructionFileSuffix, S3EncryptionError } from "@s3ec/envelope";
import type { Keyring } from "./keyring.js";
import type { DecryptionMaterials, EncryptionMaterials } from "./materials.js";

/** A wrap that a key store is to open and to wrap again, without giving the data key out. */
export interface ReencryptionRequest {
  /** What stands. */
  readonly encryptedDataKey: EncryptedDataKey;
  /** The keyring that could open it. */
  readonly from: Keyring;
  /** What it would be opened with: the caller's context, never the object's alone (S10). */
  readonly reading: DecryptionMaterials;
  /** What the new wrap binds; holds no data key. */
  readonly writing: EncryptionMaterials;
}

/** What a key store made of it. */
export interface ReencryptedDataKey {
  /** The new wrap. */
  readonly encryptedDataKey: EncryptedDataKey;
  /** Whether one and the same key wrapped both. */
  readonly isSameKey: boolean;
}

/** One of the keyrings that a keyring is made of. */
export interface KeyringPart {
  /** It. */
  readonly keyring: Keyring;
  /** Where its wrap goes. Default: the object's own place. */
  readonly instructionFileSuffix?: string;
}

/**
 * Has the key store of the target wrap anew what a keyring of the same store has wrapped. Undefined where it is to be opened
 * here: the target is of no such store.
 *
 * @param suffix of the file that the wrap goes to, for a target of several keyrings; undefined for the object's own place
 * @throws S3EncryptionError `unsupported-operation` where the target's store cannot open it: it is of another Region or kind;
 *   what the keyrings throw
 */
export async function reencrypted(
  from: Keyring | undefined,
  to: Keyring | undefined,
  request: Omit<ReencryptionRequest, "from">,
  suffix: string | undefined,
): Promise<ReencryptedDataKey | undefined> {
  const target = to === undefined ? undefined : partFor(partsOf(to), suffix);
  if (target?.reencrypt === undefined) return undefined;
  const sources = from === undefined ? [] : partsOf(from);
  let failure: unknown;
  for (const { keyring } of sources) {
    try {
      const done = await target.reencrypt({ ...request, from: keyring });
      if (done !== undefined) return done;
    } catch (error) {
      failure ??= error;
    }
  }
  if (failure !== undefined) throw failure;
  throw new S3EncryptionError(
    "unsupported-operation",
    "The data key cannot be wrapped anew inside its key store: the two keys are not in one Region, or the old keyring names no key. To have it opened and wrapped here, say so (decryptHere).",
  );
}

function partsOf(keyring: Keyring): readonly KeyringPart[] {
  const { parts } = keyring;
  if (parts === undefined) return [{ keyring }];
  return parts.flatMap((part) => partsOf(part.keyring).map((inner) => ({ ...part, ...inner })));
}

function partFor(parts: readonly KeyringPart[], suffix: string | undefined): Keyring | undefined {
  const [only, second] = parts;
  if (second === undefined) return only?.keyring;
  const named = parts.filter(
    ({ instructionFileSuffix: own }) => own !== undefined && instructionFileSuffix(own) === suffix,
  );
  const fitting = named.length > 0 ? named : parts.filter((part) => part.instructionFileSuffix === undefined);
  return fitting.length === 1 ? fitting[0]?.keyring : undefined;
}
