import { CONTEXT_CONTENT_ALGORITHM, CONTEXT_KMS_KEY_ID, KMS_CONTEXT } from "@s3ec/envelope";
import {
  contextMismatch,
  type DecryptionMaterials,
  decryptionFailed,
  type EncryptedDataKey,
  type EncryptionMaterials,
  isSameStringMap,
  isSameWrapAlgorithm,
  S3EncryptionError,
  type StringMap,
  stringMap,
  type Wrap,
} from "@s3ec/materials";
import { encryptDataKey, generateDataKey, type KmsKey } from "./kms-operations.js";

/** Opens a blob that was wrapped with a context. Throws typed errors. */
export type OpenBlob = (context: StringMap, blob: Uint8Array) => Promise<Uint8Array>;

/**
 * `kms+context`, to read.
 *
 * @param acceptUnstored whether the caller's context may stand in for one that the writer did not store (H21)
 */
export function readContextWrap(open: OpenBlob, acceptUnstored: boolean): Wrap {
  return {
    algorithm: KMS_CONTEXT,
    unwrap: ({ ciphertext, description }, _expected, materials) =>
      open(boundContext(materials, description, acceptUnstored), ciphertext),
  };
}

/** `kms+context`, to write. */
export function writeContextWrap(key: KmsKey): Required<Pick<Wrap, "wrap" | "generate">> {
  return {
    wrap: async (dataKey, _binding, materials) => {
      const description = contextToBind(materials);
      const { blob, keyArn } = await encryptDataKey(key, description, dataKey);
      return { ciphertext: blob, description, ...named(keyArn) };
    },
    generate: async (_binding, materials) => {
      const description = contextToBind(materials);
      const { plaintext, blob, keyArn } = await generateDataKey(key, description);
      return { dataKey: plaintext, ciphertext: blob, description, ...named(keyArn) };
    },
  };
}

function named(keyArn: string | undefined): { readonly wrappingKey?: string } {
  return keyArn === undefined ? {} : { wrappingKey: keyArn };
}

/**
 * The context of a new `kms+context` wrap, sent to KMS and stored as it is: the caller's entries in their order, then
 * the one that binds the wrap to the content algorithm (1.5, H10, H12).
 */
export function contextToBind({ encryptionContext, algorithmBinding }: EncryptionMaterials): StringMap {
  const reserved = Object.keys(encryptionContext).find(isReserved);
  if (reserved !== undefined) {
    throw new S3EncryptionError(
      "invalid-argument",
      `"${reserved}" is a reserved name: leave it out of the encryption context.`,
    );
  }
  return withBinding(encryptionContext, algorithmBinding);
}

/**
 * The context to open a `kms+context` wrap with: as stored, once it is bound to this content algorithm (S2) and says
 * exactly what the caller says (S10, H13). Throws before anything is sent otherwise.
 */
function boundContext(materials: DecryptionMaterials, stored: StringMap, acceptUnstored: boolean): StringMap {
  const { encryptionContext, algorithmBinding } = materials;
  if (own(stored, CONTEXT_CONTENT_ALGORITHM) !== algorithmBinding) throw decryptionFailed();
  const callersPart = without(stored, CONTEXT_KMS_KEY_ID, CONTEXT_CONTENT_ALGORITHM);
  // Ruby, PHP and C++ let their callers name a kms_cmk_id of their own, who then name it again (H10).
  const namesKey = Object.hasOwn(encryptionContext, CONTEXT_KMS_KEY_ID);
  const compared = namesKey ? without(stored, CONTEXT_CONTENT_ALGORITHM) : callersPart;
  if (isSameStringMap(compared, encryptionContext)) return stored;
  // KMS itself then says whether the caller's context is the one that was bound.
  if (acceptUnstored && Object.keys(callersPart).length === 0) return withBinding(encryptionContext, algorithmBinding);
  throw contextMismatch();
}

/**
 * The context of a wrap that is to be opened where nobody sees what comes of it: what the caller says, and nothing that only
 * the object says (S10). Throws before anything is sent where the object says something else.
 */
export function contextOfCall(
  { wrapAlgorithm, description: stored }: EncryptedDataKey,
  { encryptionContext, algorithmBinding }: DecryptionMaterials,
): StringMap {
  if (isSameWrapAlgorithm(wrapAlgorithm, KMS_CONTEXT)) {
    if (own(stored, CONTEXT_CONTENT_ALGORITHM) !== algorithmBinding) throw decryptionFailed();
    const bound = withBinding(encryptionContext, algorithmBinding);
    if (!isSameStringMap(bound, stored)) throw contextMismatch();
    return bound;
  }
  // The key's own name, which old clients bound by themselves, says nothing of the object: KMS opens with the configured key.
  const named = own(encryptionContext, CONTEXT_KMS_KEY_ID) ?? own(stored, CONTEXT_KMS_KEY_ID);
  const callers = Object.entries(without(encryptionContext, CONTEXT_KMS_KEY_ID));
  const bound = stringMap(named === undefined ? callers : [...callers, [CONTEXT_KMS_KEY_ID, named]]);
  if (!isSameStringMap(bound, stored)) throw contextMismatch();
  return bound;
}

export function own(map: StringMap, name: string): string | undefined {
  return Object.hasOwn(map, name) ? map[name] : undefined;
}

export function without(map: StringMap, ...names: readonly string[]): StringMap {
  return stringMap(Object.entries(map).filter(([name]) => !names.includes(name)));
}

function withBinding(context: StringMap, algorithmBinding: string): StringMap {
  return stringMap([...Object.entries(context), [CONTEXT_CONTENT_ALGORITHM, algorithmBinding]]);
}

/** S17; `__proto__` besides, since the SDK's serializer would drop it and so leave it unbound. */
function isReserved(name: string): boolean {
  return (
    name === CONTEXT_CONTENT_ALGORITHM ||
    name === CONTEXT_KMS_KEY_ID ||
    name === "__proto__" ||
    name.toLowerCase().startsWith("x-amz-")
  );
}
