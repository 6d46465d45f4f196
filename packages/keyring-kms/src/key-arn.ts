import { S3EncryptionError } from "@s3ec/materials";

/** The parts of a KMS ARN that decide where it is and whose it is. */
export interface KmsArn {
  readonly partition: string;
  readonly region: string;
  readonly accountId: string;
}

const ARN = /^arn:([a-z0-9-]+):kms:([a-z0-9-]+):(\d{12}):(?:key|alias)\/[\w/-]+$/;
const ID_OR_ALIAS = /^(?:alias\/[\w/-]+|[\w-]+)$/;

/** The parts of a key's or alias's ARN; undefined for any other text. */
export function parseKmsArn(text: string): KmsArn | undefined {
  const [, partition, region, accountId] = ARN.exec(text) ?? [];
  if (partition === undefined || region === undefined || accountId === undefined) return undefined;
  return { partition, region, accountId };
}

/** The ARN of a key itself, not of an alias. */
export interface KmsKeyArn extends KmsArn {
  /** `mrk-...` for each replica of a multi-Region key. */
  readonly id: string;
}

export function parseKeyArn(text: string): KmsKeyArn | undefined {
  const [, id] = /:key\/([\w-]+)$/.exec(text) ?? [];
  const arn = parseKmsArn(text);
  return id === undefined || arn === undefined ? undefined : { ...arn, id };
}

/** Whether both are the same key, or replicas of one multi-Region key: what one wrapped, the other opens. */
export function isSameKey(a: KmsKeyArn, b: KmsKeyArn): boolean {
  const isSameId = a.id === b.id && a.accountId === b.accountId && a.partition === b.partition;
  return isSameId && (a.region === b.region || a.id.startsWith("mrk-"));
}

/** Throws `invalid-argument` for what KMS could not take for a key. */
export function assertKeyId(keyId: string): void {
  const wellFormed = typeof keyId === "string" && (parseKmsArn(keyId) !== undefined || ID_OR_ALIAS.test(keyId));
  if (!wellFormed) {
    throw new S3EncryptionError(
      "invalid-argument",
      'keyId must be a KMS key id, a key ARN, an alias ("alias/app") or an alias ARN.',
    );
  }
}
