import { randomBytes } from "node:crypto";
import {
  canonicalContext,
  type EncryptionContext,
  invalidCiphertext,
  keyIdOfBlob,
  type RsaAlgorithm,
  rsaAlgorithms,
  seal,
  sealRsa,
  unseal,
  unsealRsa,
} from "./ciphertext.js";
import { keyOperations } from "./key-operations.js";
import { KmsError } from "./kms-error.js";
import type { KmsInput } from "./kms-input.js";
import type { KmsKey } from "./kms-keys.js";
import { type KmsOperation, type KmsService, type Output, seedOf, symmetric, usableKey } from "./kms-service.js";

const largestPlaintext = 4096;
const largestCiphertext = 6144;
const dataKeyBytes = { AES_128: 16, AES_256: 32 } as const;

const cryptographicOperations: Readonly<Record<string, KmsOperation>> = {
  GenerateDataKey: (service, input, region) => generateDataKey(service, input, region),

  GenerateDataKeyWithoutPlaintext(service, input, region) {
    const { Plaintext: _, ...output } = generateDataKey(service, input, region);
    return output;
  },

  Encrypt({ keys }, input, region) {
    const key = usableKey(keys, input.text("KeyId"), region);
    const plaintext = input.bytes("Plaintext", largestPlaintext);
    const algorithm = algorithmFor(key, input, "EncryptionAlgorithm");
    const blob = encrypt(key, algorithm, contextFor(key, input, "EncryptionContext"), plaintext);
    return { KeyId: key.arn, CiphertextBlob: blob.toString("base64"), EncryptionAlgorithm: algorithm };
  },

  Decrypt(service, input, region) {
    const { key, plaintext, algorithm } = decrypt(service, input, region, {
      keyId: "KeyId",
      algorithm: "EncryptionAlgorithm",
      context: "EncryptionContext",
    });
    return { KeyId: key.arn, Plaintext: plaintext.toString("base64"), EncryptionAlgorithm: algorithm };
  },

  ReEncrypt(service, input, region) {
    const source = decrypt(service, input, region, {
      keyId: "SourceKeyId",
      algorithm: "SourceEncryptionAlgorithm",
      context: "SourceEncryptionContext",
    });
    const key = usableKey(service.keys, input.text("DestinationKeyId"), region);
    const algorithm = algorithmFor(key, input, "DestinationEncryptionAlgorithm");
    const blob = encrypt(key, algorithm, contextFor(key, input, "DestinationEncryptionContext"), source.plaintext);
    return {
      CiphertextBlob: blob.toString("base64"),
      SourceKeyId: source.key.arn,
      KeyId: key.arn,
      SourceEncryptionAlgorithm: source.algorithm,
      DestinationEncryptionAlgorithm: algorithm,
    };
  },
};

const operations: Readonly<Record<string, KmsOperation>> = { ...keyOperations, ...cryptographicOperations };

/** @throws KmsError as KMS would refuse; `DryRunOperationException` where it would not, and the request says DryRun. */
export async function runKmsOperation(
  service: KmsService,
  name: string,
  input: KmsInput,
  region: string,
): Promise<Output> {
  const operation = Object.hasOwn(operations, name) ? operations[name] : undefined;
  if (operation === undefined)
    throw new KmsError("UnknownOperationException", `This server does not implement the operation ${name}.`);
  const output = operation(service, input, region);
  // KMS has this parameter on cryptographic operations only, and checks the ciphertext before it answers.
  if (Object.hasOwn(cryptographicOperations, name) && input.flag("DryRun"))
    throw new KmsError("DryRunOperationException", "The request would have succeeded, but the DryRun option is set.");
  await service.keys.saved;
  return output;
}

function generateDataKey({ keys }: KmsService, input: KmsInput, region: string): Output {
  const key = usableKey(keys, input.text("KeyId"), region);
  if (key.spec !== symmetric)
    throw new KmsError("InvalidKeyUsageException", `${key.arn} is not symmetric: it cannot generate data keys.`);
  const spec = input.oneOf("KeySpec", ["AES_128", "AES_256"]);
  const bytes = input.number("NumberOfBytes", 1, 1024);
  if ((spec === undefined) === (bytes === undefined))
    throw new KmsError("ValidationException", "Please specify either number of bytes or key spec.");
  const plaintext = randomBytes(spec === undefined ? (bytes ?? 0) : dataKeyBytes[spec]);
  const blob = encrypt(key, symmetric, input.context("EncryptionContext"), plaintext);
  return { KeyId: key.arn, Plaintext: plaintext.toString("base64"), CiphertextBlob: blob.toString("base64") };
}

function encrypt(
  key: KmsKey,
  algorithm: typeof symmetric | RsaAlgorithm,
  context: EncryptionContext,
  plaintext: Buffer,
): Buffer {
  return algorithm === symmetric
    ? seal(key.id, Buffer.from(key.material, "base64"), context, plaintext)
    : sealRsa(key.material, algorithm, plaintext);
}

function decrypt(
  { keys, seeded }: KmsService,
  input: KmsInput,
  region: string,
  names: { keyId: string; algorithm: string; context: string },
): { key: KmsKey; plaintext: Buffer; algorithm: string } {
  const keyId = input.optionalText(names.keyId);
  const named = keyId === undefined ? undefined : usableKey(keys, keyId, region);
  if (ignoresCiphertext(input)) {
    if (named === undefined)
      throw new KmsError("ValidationException", `${names.keyId} is required with the modifier IGNORE_CIPHERTEXT.`);
    return { key: named, plaintext: Buffer.alloc(1), algorithm: algorithmFor(named, input, names.algorithm) };
  }
  const blob = input.bytes("CiphertextBlob", largestCiphertext);
  if (named !== undefined && named.spec !== symmetric) {
    const algorithm = algorithmFor(named, input, names.algorithm);
    contextFor(named, input, names.context);
    if (algorithm === symmetric) throw invalidCiphertext();
    return { key: named, plaintext: unsealRsa(named.material, algorithm, blob), algorithm };
  }
  const seed = seeded.get(seedOf(blob));
  const key = seed?.key ?? keys.findById(keyIdOfBlob(blob), region);
  if (key === undefined) throw invalidCiphertext();
  if (named !== undefined && named.id !== key.id)
    throw new KmsError(
      "IncorrectKeyException",
      "The key ID in the request does not identify a CMK that can perform this operation.",
    );
  const used = named ?? usableKey(keys, key.arn, region);
  const algorithm = algorithmFor(used, input, names.algorithm);
  const context = input.context(names.context);
  if (seed !== undefined && !seed.context.equals(canonicalContext(context))) throw invalidCiphertext();
  const plaintext = seed?.plaintext ?? unseal(Buffer.from(used.material, "base64"), context, blob);
  return { key: used, plaintext, algorithm };
}

/** A dry run that asks for the permission alone; of a request that is no dry run KMS takes no modifier. */
function ignoresCiphertext(input: KmsInput): boolean {
  const modifiers = input.optionalList("DryRunModifiers", ["IGNORE_CIPHERTEXT"]);
  if (modifiers.length > 0 && !input.flag("DryRun"))
    throw new KmsError("ValidationException", "DryRunModifiers can be used only with DryRun.");
  return modifiers.length > 0;
}

function algorithmFor(key: KmsKey, input: KmsInput, member: string): typeof symmetric | RsaAlgorithm {
  const algorithm = input.oneOf(member, [symmetric, ...rsaAlgorithms]) ?? symmetric;
  if ((key.spec === symmetric) !== (algorithm === symmetric))
    throw new KmsError("InvalidKeyUsageException", `${algorithm} is not an encryption algorithm of ${key.arn}.`);
  return algorithm;
}

/** RSA cannot bind a context, so KMS refuses one rather than dropping it. */
function contextFor(key: KmsKey, input: KmsInput, member: string): EncryptionContext {
  const context = input.context(member);
  if (key.spec !== symmetric && Object.keys(context).length > 0)
    throw new KmsError("ValidationException", "An encryption context cannot be used with an asymmetric key.");
  return context;
}
