import { createHash, createPublicKey, randomBytes } from "node:crypto";
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
} from "./kms-ciphertext.js";
import { KmsError } from "./kms-error.js";
import type { KmsInput } from "./kms-input.js";
import { accountOf, isMultiRegion, type KmsKey, type KmsKeys, keySpecs } from "./kms-keys.js";

/** A ciphertext of another KMS, and what Decrypt answers to it. */
interface SeededCiphertext {
  readonly context: Buffer;
  readonly key: KmsKey;
  readonly plaintext: Buffer;
}

export interface KmsService {
  readonly keys: KmsKeys;
  /** By the SHA-256 of the blob, in hex. */
  readonly seeded: Map<string, SeededCiphertext>;
}

/** Members whose value is undefined are left out of the JSON. */
type Output = Readonly<Record<string, unknown>>;
type KmsOperation = (service: KmsService, input: KmsInput, region: string) => Output;

const symmetric = "SYMMETRIC_DEFAULT";
const largestPlaintext = 4096;
const largestCiphertext = 6144;
const dataKeyBytes = { AES_128: 16, AES_256: 32 } as const;

const operations: Readonly<Record<string, KmsOperation>> = {
  CreateKey({ keys }, input, region) {
    if ((input.optionalText("KeyUsage") ?? "ENCRYPT_DECRYPT") !== "ENCRYPT_DECRYPT")
      throw new KmsError("UnsupportedOperationException", "This server makes keys for ENCRYPT_DECRYPT only.");
    if ((input.optionalText("Origin") ?? "AWS_KMS") !== "AWS_KMS")
      throw new KmsError("UnsupportedOperationException", "This server makes keys of the origin AWS_KMS only.");
    const spec = input.oneOf("KeySpec", keySpecs) ?? input.oneOf("CustomerMasterKeySpec", keySpecs) ?? symmetric;
    const description = input.optionalText("Description") ?? "";
    const key = keys.create({ region, spec, description, multiRegion: input.flag("MultiRegion") });
    return { KeyMetadata: keyMetadata(key) };
  },

  ReplicateKey({ keys }, input, region) {
    const key = keys.find(input.text("KeyId"), region);
    if (!isMultiRegion(key)) throw new KmsError("UnsupportedOperationException", `${key.arn} is not multi-Region.`);
    const arn = key.arn.replace(`:${key.region}:`, `:${input.text("ReplicaRegion")}:`);
    return { ReplicaKeyMetadata: keyMetadata(keys.create({ arn, region, description: key.description })) };
  },

  DescribeKey: ({ keys }, input, region) => ({ KeyMetadata: keyMetadata(keys.find(input.text("KeyId"), region)) }),

  ListKeys: ({ keys }, _, region) => ({
    Keys: keys.all.filter((key) => key.region === region).map(({ id, arn }) => ({ KeyId: id, KeyArn: arn })),
    Truncated: false,
  }),

  CreateAlias({ keys }, input, region) {
    const name = input.text("AliasName");
    if (keys.findAlias(name, region))
      throw new KmsError("AlreadyExistsException", `An alias with the name ${name} already exists`);
    keys.setAlias(name, keys.find(input.text("TargetKeyId"), region));
    return {};
  },

  UpdateAlias({ keys }, input, region) {
    const name = input.text("AliasName");
    requireAlias(keys, name, region);
    keys.setAlias(name, keys.find(input.text("TargetKeyId"), region));
    return {};
  },

  DeleteAlias({ keys }, input, region) {
    keys.deleteAlias(requireAlias(keys, input.text("AliasName"), region));
    return {};
  },

  ListAliases({ keys }, input, region) {
    const keyId = input.optionalText("KeyId");
    const target = keyId === undefined ? undefined : keys.find(keyId, region).arn;
    const listed = keys.aliases.filter(
      ({ arn, keyArn }) => arn.split(":")[3] === region && (target === undefined || keyArn === target),
    );
    return {
      Aliases: listed.map(({ arn, keyArn }) => ({
        AliasName: arn.split(":")[5],
        AliasArn: arn,
        TargetKeyId: keyArn.split("/")[1],
      })),
      Truncated: false,
    };
  },

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

  GetPublicKey({ keys }, input, region) {
    const key = usableKey(keys, input.text("KeyId"), region);
    if (key.spec === symmetric)
      throw new KmsError("UnsupportedOperationException", `${key.arn} is symmetric: it has no public key.`);
    return {
      KeyId: key.arn,
      PublicKey: createPublicKey(key.material).export({ type: "spki", format: "der" }).toString("base64"),
      CustomerMasterKeySpec: key.spec,
      KeySpec: key.spec,
      KeyUsage: "ENCRYPT_DECRYPT",
      EncryptionAlgorithms: rsaAlgorithms,
    };
  },

  EnableKey: ({ keys }, input, region) => setEnabled(keys, input, region, "Enabled"),
  DisableKey: ({ keys }, input, region) => setEnabled(keys, input, region, "Disabled"),

  ScheduleKeyDeletion({ keys }, input, region) {
    const key = keys.find(input.text("KeyId"), region);
    requireNotPendingDeletion(key);
    const days = input.number("PendingWindowInDays", 7, 30) ?? 30;
    const deletionDate = Math.floor(Date.now() / 1000) + days * 24 * 3600;
    keys.update({ ...key, state: "PendingDeletion", deletionDate });
    return { KeyId: key.arn, DeletionDate: deletionDate, KeyState: "PendingDeletion", PendingWindowInDays: days };
  },

  CancelKeyDeletion({ keys }, input, region) {
    const { deletionDate, ...key } = keys.find(input.text("KeyId"), region);
    if (deletionDate === undefined)
      throw new KmsError("KMSInvalidStateException", `${key.arn} is not pending deletion.`);
    keys.update({ ...key, state: "Disabled" });
    return { KeyId: key.arn };
  },
};

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
  await service.keys.saved;
  return output;
}

export function seedOf(blob: Uint8Array): string {
  return createHash("sha256").update(blob).digest("hex");
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
  const blob = input.bytes("CiphertextBlob", largestCiphertext);
  const keyId = input.optionalText(names.keyId);
  const named = keyId === undefined ? undefined : usableKey(keys, keyId, region);
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

function usableKey(keys: KmsKeys, keyId: string, region: string): KmsKey {
  const key = keys.find(keyId, region);
  requireNotPendingDeletion(key);
  if (key.state === "Disabled") throw new KmsError("DisabledException", `${key.arn} is disabled.`);
  return key;
}

function requireNotPendingDeletion({ state, arn }: KmsKey): void {
  if (state === "PendingDeletion") throw new KmsError("KMSInvalidStateException", `${arn} is pending deletion.`);
}

function requireAlias(keys: KmsKeys, name: string, region: string): NonNullable<ReturnType<KmsKeys["findAlias"]>> {
  const alias = keys.findAlias(name, region);
  if (alias === undefined) throw new KmsError("NotFoundException", `Alias ${name} is not found.`);
  return alias;
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

function setEnabled(keys: KmsKeys, input: KmsInput, region: string, state: "Enabled" | "Disabled"): Output {
  const key = keys.find(input.text("KeyId"), region);
  requireNotPendingDeletion(key);
  keys.update({ ...key, state });
  return {};
}

function keyMetadata(key: KmsKey): Output {
  return {
    AWSAccountId: accountOf(key),
    KeyId: key.id,
    Arn: key.arn,
    CreationDate: key.created,
    Enabled: key.state === "Enabled",
    Description: key.description,
    KeyUsage: "ENCRYPT_DECRYPT",
    KeyState: key.state,
    DeletionDate: key.deletionDate,
    Origin: "AWS_KMS",
    KeyManager: "CUSTOMER",
    CustomerMasterKeySpec: key.spec,
    KeySpec: key.spec,
    EncryptionAlgorithms: key.spec === symmetric ? [symmetric] : rsaAlgorithms,
    MultiRegion: isMultiRegion(key),
  };
}
