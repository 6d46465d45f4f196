import {
  DecryptCommand,
  DescribeKeyCommand,
  EncryptCommand,
  GenerateDataKeyCommand,
  KMSClient,
  type KMSClientConfig,
  ReEncryptCommand,
} from "@aws-sdk/client-kms";
import type { Configuration, ConfiguredAccess, KmsUse } from "@s3ec/container";
import { CONTEXT_CONTENT_ALGORITHM } from "@s3ec/envelope";
import { isError } from "@s3ec/materials";
import { type IamStatement, type KmsAction, kmsActions, kmsStatement, type PolicyNeeds } from "./iam-policy.js";

/** What one question found. */
export interface Finding {
  readonly sentence: string;
  /** Whether the configuration cannot do what it says because of it. Default false. */
  readonly isMissing?: boolean;
  /** What would change that. */
  readonly statement?: IamStatement;
}

type Context = Readonly<Record<string, string>>;

/** Whether KMS would serve each use of each key; asked by dry runs, which make and open nothing. */
export async function askKms(
  { kms }: ConfiguredAccess,
  needs: readonly PolicyNeeds[],
  context: Context,
  { client }: Pick<Configuration, "client">,
  settings: KMSClientConfig,
): Promise<Finding[]> {
  // The entry that binds a wrap to its object's content, since key policies may go by it.
  const binding = client?.commitmentPolicy === "FORBID_ENCRYPT_ALLOW_DECRYPT" ? "AES/GCM/NoPadding" : "115";
  const bound = { ...context, [CONTEXT_CONTENT_ALGORITHM]: binding };
  const findings: Finding[] = [];
  for (const use of kms) {
    const region = use.region ?? /^arn:[^:]+:kms:([^:]+):/.exec(use.keyId ?? "")?.[1];
    const asked = new KMSClient({ ...settings, ...(region === undefined ? {} : { region }) });
    try {
      findings.push(...(await askKey(asked, use, needs, bound)));
    } finally {
      asked.destroy();
    }
  }
  return findings;
}

async function askKey(
  client: KMSClient,
  use: KmsUse,
  needs: readonly PolicyNeeds[],
  context: Context,
): Promise<Finding[]> {
  const { keyId, grantTokens } = use;
  if (keyId === undefined) {
    return [{ sentence: "A discovery keyring takes the key that an object names: which, cannot be asked beforehand." }];
  }
  const { arn, findings, isUsable } = await described(client, keyId);
  if (!isUsable) return findings;
  const request = {
    KeyId: keyId,
    EncryptionContext: { ...context },
    DryRun: true,
    ...(grantTokens === undefined ? {} : { GrantTokens: [...grantTokens] }),
  };
  const { KeyId, EncryptionContext, ...common } = request;
  const dryRuns: Readonly<Record<AskedAction, () => Promise<unknown>>> = {
    "kms:GenerateDataKey": () => client.send(new GenerateDataKeyCommand({ ...request, KeySpec: "AES_256" })),
    "kms:Encrypt": () => client.send(new EncryptCommand({ ...request, Plaintext: new Uint8Array(32) })),
    "kms:Decrypt": () => client.send(new DecryptCommand({ ...request, DryRunModifiers: ["IGNORE_CIPHERTEXT"] })),
  };
  const actions = new Set(needs.flatMap((each) => kmsActions(use, each)));
  const narrow = { ...use, keyId: arn ?? keyId };
  for (const action of ASKED) {
    if (actions.has(action)) findings.push(await dryRun([action], narrow, keyId, dryRuns[action]));
  }
  if (actions.has("kms:ReEncryptTo")) {
    // From the key to itself, since both are asked for with one request.
    const toItself = { ...common, DryRunModifiers: ["IGNORE_CIPHERTEXT" as const] };
    const both = () =>
      client.send(
        new ReEncryptCommand({
          ...toItself,
          SourceKeyId: KeyId,
          SourceEncryptionContext: EncryptionContext,
          DestinationKeyId: KeyId,
          DestinationEncryptionContext: EncryptionContext,
        }),
      );
    findings.push(await dryRun(["kms:ReEncryptFrom", "kms:ReEncryptTo"], narrow, keyId, both));
  } else if (actions.has("kms:ReEncryptFrom")) {
    findings.push({ sentence: `Whether kms:ReEncryptFrom is allowed on ${keyId} cannot be asked for it alone.` });
  }
  return findings;
}

/** What can be asked for alone. */
type AskedAction = Exclude<KmsAction, `kms:ReEncrypt${string}`>;
const ASKED: readonly AskedAction[] = ["kms:GenerateDataKey", "kms:Encrypt", "kms:Decrypt"];

/** What the key is; a configuration works without the permission to ask. */
async function described(
  client: KMSClient,
  keyId: string,
): Promise<{ arn?: string; findings: Finding[]; isUsable: boolean }> {
  try {
    const { KeyMetadata } = await client.send(new DescribeKeyCommand({ KeyId: keyId }));
    const { Arn = "", KeyState, KeySpec } = KeyMetadata ?? {};
    const isUsable = KeyState === "Enabled" && KeySpec === "SYMMETRIC_DEFAULT";
    const state = isUsable
      ? "a symmetric key, enabled"
      : `${KeySpec}, ${KeyState}: it has to be a symmetric key that is enabled`;
    return { arn: Arn, findings: [{ sentence: `${keyId} is ${Arn}, ${state}.`, isMissing: !isUsable }], isUsable };
  } catch (error) {
    if (nameOf(error) === "AccessDeniedException") {
      const sentence = `kms:DescribeKey is not allowed on ${keyId}; nothing but this check needs it.`;
      return { findings: [{ sentence }], isUsable: true };
    }
    if (nameOf(error) !== "NotFoundException") throw error;
    const sentence = `MISSING: KMS has no key ${keyId} in this region and account; s3ec keygen kms makes one.`;
    return { findings: [{ sentence, isMissing: true }], isUsable: false };
  }
}

async function dryRun(
  actions: readonly KmsAction[],
  use: KmsUse,
  keyId: string,
  ask: () => Promise<unknown>,
): Promise<Finding> {
  const action = actions.join(" and ");
  try {
    await ask();
    return { sentence: `${action} on ${keyId} cannot be told: this KMS knows no dry run.` };
  } catch (error) {
    const name = nameOf(error);
    if (name === "DryRunOperationException")
      return { sentence: `${action} ${actions.length === 1 ? "is" : "are"} allowed on ${keyId}.` };
    if (name === "AccessDeniedException") {
      const statement = kmsStatement(actions, use);
      return { sentence: `MISSING: ${action} on ${keyId}.`, isMissing: true, statement };
    }
    if (isError(error) && "$metadata" in error && "$fault" in error) {
      return {
        sentence: `${action} on ${keyId} ${actions.length === 1 ? "is" : "are"} refused by KMS (${name}).`,
        isMissing: true,
      };
    }
    throw error;
  }
}

function nameOf(error: unknown): string {
  return isError(error) ? error.name : "";
}
