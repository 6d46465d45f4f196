import { createPublicKey } from "node:crypto";
import { rsaAlgorithms } from "./ciphertext.js";
import { KmsError } from "./kms-error.js";
import type { KmsInput } from "./kms-input.js";
import { accountOf, isMultiRegion, type KmsKey, type KmsKeys, keySpecs } from "./kms-keys.js";
import { type KmsOperation, type Output, requireNotPendingDeletion, symmetric, usableKey } from "./kms-service.js";

/** What is done to keys and aliases. */
export const keyOperations: Readonly<Record<string, KmsOperation>> = {
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

function requireAlias(keys: KmsKeys, name: string, region: string): NonNullable<ReturnType<KmsKeys["findAlias"]>> {
  const alias = keys.findAlias(name, region);
  if (alias === undefined) throw new KmsError("NotFoundException", `Alias ${name} is not found.`);
  return alias;
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
