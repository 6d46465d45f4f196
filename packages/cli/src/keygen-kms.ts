import {
  CreateAliasCommand,
  CreateKeyCommand,
  DescribeKeyCommand,
  KMSClient,
  type KMSClientConfig,
  ScheduleKeyDeletionCommand,
} from "@aws-sdk/client-kms";
import type { ConfiguredAccess } from "@s3ec/container";
import { isError, S3EncryptionError } from "@s3ec/materials";
import type { DevServerAddress } from "./dev-server-address.js";
import { type IamPolicy, iamPolicy } from "./iam-policy.js";
import type { Answer } from "./json/json-output.js";

export interface KmsKeygenOptions {
  readonly json?: boolean;
  /** Default: what the AWS SDK finds. */
  readonly region?: string;
  readonly devServer?: DevServerAddress;
}

/** An alias is one Region's. */
function regionOf(arn: string): { readonly region?: string } {
  const region = arn.split(":")[3];
  return region === undefined || region === "" ? {} : { region };
}

/** Makes a symmetric KMS key under an alias; what it returns to print is who has to be allowed what. */
export async function keygenKms(name: string, options: KmsKeygenOptions): Promise<Answer> {
  const alias = aliasOf(name);
  const arn = await createKmsKey(alias, options);
  const policy = (role: "writer" | "reader"): IamPolicy =>
    iamPolicy({ role }, { ...NO_OBJECTS, kms: [{ keyId: arn, role: "generator", objects: [] }] });
  const readAndWrite = { keyring: { type: "kms", keyId: alias, ...regionOf(arn) } };
  const policies = { writer: policy("writer"), reader: policy("reader") };
  const lines = [
    `Made the KMS key ${arn} under ${alias}. Whoever may use it reads and writes; KMS does not give it away.`,
    "",
    "In a configuration:",
    JSON.stringify(readAndWrite, null, 2),
    "",
    "What writers need, beside s3:PutObject:",
    JSON.stringify(policies.writer, null, 2),
    "",
    "What readers need, beside s3:GetObject:",
    JSON.stringify(policies.reader, null, 2),
  ];
  return { words: lines.join("\n"), json: { kind: "kms", arn, alias, configurations: { readAndWrite }, policies } };
}

const NO_OBJECTS: Omit<ConfiguredAccess, "kms"> = {
  objects: [],
  writesBeside: "nothing",
  canWrite: true,
  requiredContextKeys: [],
};

/** Makes a key with its alias, or neither, and returns the key's ARN. */
export async function createKmsKey(alias: string, { region, devServer }: KmsKeygenOptions): Promise<string> {
  const settings: KMSClientConfig = { ...devServer, ...(region === undefined ? {} : { region }) };
  const client = new KMSClient(settings);
  try {
    if (await isKnown(client, alias)) throw isTaken(alias);
    const { KeyMetadata } = await client.send(new CreateKeyCommand({ Description: "Wraps data keys of S3 objects" }));
    const { Arn = "", KeyId = "" } = KeyMetadata ?? {};
    try {
      await client.send(new CreateAliasCommand({ AliasName: alias, TargetKeyId: KeyId }));
    } catch (error) {
      // Nobody has used it, and nobody would find it.
      await client.send(new ScheduleKeyDeletionCommand({ KeyId, PendingWindowInDays: 7 }));
      throw isError(error) && error.name === "AlreadyExistsException" ? isTaken(alias) : error;
    }
    return Arn;
  } finally {
    client.destroy();
  }
}

async function isKnown(client: KMSClient, keyId: string): Promise<boolean> {
  try {
    await client.send(new DescribeKeyCommand({ KeyId: keyId }));
    return true;
  } catch (error) {
    if (isError(error) && error.name === "NotFoundException") return false;
    throw error;
  }
}

function aliasOf(name: string): string {
  const alias = name.startsWith("alias/") ? name : `alias/${name}`;
  if (/^alias\/(?!aws\/)[A-Za-z0-9/_-]{1,250}$/.test(alias)) return alias;
  throw new S3EncryptionError(
    "invalid-argument",
    "An alias has letters, digits, and the signs /, _ and -, and does not begin with aws/: write alias/app, for example.",
  );
}

function isTaken(alias: string): S3EncryptionError {
  return new S3EncryptionError("invalid-argument", `${alias} is there already: use it, or choose another name.`);
}
