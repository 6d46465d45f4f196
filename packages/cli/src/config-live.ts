import { randomUUID } from "node:crypto";
import type { KMSClientConfig } from "@aws-sdk/client-kms";
import { HeadObjectCommand, ListObjectsV2Command, S3Client, type S3ClientConfig } from "@aws-sdk/client-s3";
import {
  type Configuration,
  type ConfiguredAccess,
  configuredAccess,
  createFromConfig,
  type LoadOptions,
  type NamedObjects,
} from "@s3ec/container";
import { isError } from "@s3ec/materials";
import { withAddresses } from "./config-policy.js";
import type { DevServerAddress } from "./dev-server-address.js";
import {
  bucketStatement,
  type IamStatement,
  objectStatement,
  type PolicyNeeds,
  type Role,
  s3Actions,
} from "./iam-policy.js";
import type { Answer } from "./json/json-output.js";
import { askKms, type Finding } from "./kms-permissions.js";
import type { ObjectAddress } from "./object-address.js";

export interface LiveOptions extends Pick<LoadOptions, "allowCommands" | "use"> {
  /** Buckets and prefixes that the configuration itself does not name. */
  readonly addresses: readonly ObjectAddress[];
  /** What objects are written with; key policies may go by it. */
  readonly context?: Readonly<Record<string, string>>;
  readonly devServer?: DevServerAddress;
  /** Whose permissions are asked for. Default: those of a writer who reads, too. */
  readonly role?: Role;
  /** Also what uploads that go on need. Default false. */
  readonly resume?: boolean;
}

/**
 * What `s3ec config check --live` prints beside the configuration in words: what S3, KMS and tokens answer to it. Nothing is
 * written, and no data key made.
 */
export async function configLive(
  file: string,
  { addresses, context = {}, devServer, role, resume = false, ...load }: LiveOptions,
): Promise<Answer & { readonly missing: boolean }> {
  const services = devServer === undefined ? {} : { s3: devServer, kms: devServer };
  // Opens tokens, too, which each try their keys once.
  const assembly = await createFromConfig(file, { ...load, ...services, onWarning: () => {} });
  await assembly.dispose();
  const { configuration } = assembly;
  const access = configuredAccess(configuration);
  const roles: readonly Role[] = role === undefined ? ["writer", "reader"] : [role];
  const needs = roles.map((each): PolicyNeeds => ({ role: each, resume }));
  const findings = [
    ...tokenFindings(configuration),
    ...contextFindings(access.requiredContextKeys, context),
    ...(await askKms(access, needs, context, configuration, {
      ...configuration.kms,
      ...services.kms,
    } as KMSClientConfig)),
    ...(await askS3(withAddresses(access.objects, addresses), s3ActionsOf(needs, access), {
      ...configuration.s3,
      ...services.s3,
    })),
  ];
  const statements = distinct(findings.flatMap(({ statement }) => (statement === undefined ? [] : [statement])));
  const missing = findings.some(({ isMissing }) => isMissing === true);
  return {
    words: [
      "",
      "What the services answer:",
      ...findings.map(({ sentence }) => `  - ${sentence}`),
      ...(statements.length === 0
        ? []
        : ["", "Statements to add to the policy of this identity:", JSON.stringify(statements, null, 2)]),
    ].join("\n"),
    json: {
      isAllServed: !missing,
      findings: findings.map(({ sentence, isMissing = false }) => ({ sentence, isMissing })),
      statements,
    },
    missing,
  };
}

/** What a script hears of what is printed before. */
export const NOT_ALL_ALLOWED =
  "Not all that this configuration needs is served: what is printed above says what is missing.";

function tokenFindings({ keyring }: Configuration): Finding[] {
  return JSON.stringify(keyring ?? {}).includes('"type":"pkcs11"')
    ? [{ sentence: "The PKCS#11 token took the PIN, and its key opened what it wrapped." }]
    : [];
}

function contextFindings(required: readonly string[], context: Readonly<Record<string, string>>): Finding[] {
  const unsaid = required.filter((name) => !Object.hasOwn(context, name));
  if (unsaid.length === 0) return [];
  const names = unsaid.map((name) => `--context ${name}=...`).join(" ");
  return [{ sentence: `KMS was asked without an encryption context that every object needs: say ${names}.` }];
}

/** Those that can be asked without doing anything, and one that cannot. */
function s3ActionsOf(needs: readonly PolicyNeeds[], access: ConfiguredAccess): ReadonlySet<string> {
  return new Set(
    needs.flatMap((each) => {
      const { onObjects, onBuckets } = s3Actions(each, access);
      return [...onObjects, ...onBuckets];
    }),
  );
}

async function askS3(
  objects: readonly NamedObjects[],
  actions: ReadonlySet<string>,
  settings: S3ClientConfig,
): Promise<Finding[]> {
  const known = objects.filter((named) => named.bucket !== undefined);
  if (known.length === 0) {
    return [{ sentence: "S3 was not asked, since no bucket is named: say s3://bucket/prefix after the file." }];
  }
  const client = new S3Client(settings);
  try {
    const findings: Finding[] = [];
    for (const named of known) findings.push(...(await askBucket(client, named, actions)));
    return findings;
  } finally {
    client.destroy();
  }
}

async function askBucket(client: S3Client, named: NamedObjects, actions: ReadonlySet<string>): Promise<Finding[]> {
  const { bucket: Bucket = "", prefix } = named;
  const where = `s3://${Bucket}/${prefix}`;
  const listed = await answer(() => client.send(new ListObjectsV2Command({ Bucket, Prefix: prefix, MaxKeys: 1 })));
  if (listed !== undefined && !isForbidden(listed)) {
    return [
      { sentence: `${where} cannot be listed (${listed.name}): check the bucket's name and region.`, isMissing: true },
    ];
  }
  // Of nothing that is there: whoever may list and read hears that.
  const headed = await answer(() =>
    client.send(new HeadObjectCommand({ Bucket, Key: `${prefix}s3ec-config-check-${randomUUID()}` })),
  );
  const findings: Finding[] = [];
  if (actions.has("s3:ListBucket")) {
    findings.push(
      listed === undefined
        ? { sentence: `s3:ListBucket is allowed on ${where}.` }
        : lacking("s3:ListBucket", named, where, ", without which what is not there is told as forbidden"),
    );
  }
  if (actions.has("s3:GetObject")) {
    findings.push(
      headed === undefined || !isForbidden(headed)
        ? { sentence: `s3:GetObject is allowed on ${where}.` }
        : listed === undefined
          ? lacking("s3:GetObject", named, where, "")
          : { sentence: `Whether s3:GetObject is allowed on ${where} cannot be told without s3:ListBucket.` },
    );
  }
  if (actions.has("s3:PutObject")) {
    findings.push({ sentence: `Whether s3:PutObject is allowed on ${where} cannot be asked without writing.` });
  }
  return findings;
}

function lacking(action: "s3:ListBucket" | "s3:GetObject", named: NamedObjects, where: string, more: string): Finding {
  const statement = (action === "s3:ListBucket" ? bucketStatement : objectStatement)([action], [named]);
  return { sentence: `MISSING: ${action} on ${where}${more}.`, isMissing: true, statement };
}

/** What was refused; anything but an answer of the service is thrown. */
async function answer(ask: () => Promise<unknown>): Promise<Error | undefined> {
  try {
    await ask();
    return undefined;
  } catch (error) {
    if (isError(error) && "$metadata" in error && statusOf(error) !== undefined) return error;
    throw error;
  }
}

function isForbidden(error: Error): boolean {
  return statusOf(error) === 403;
}

function statusOf(error: object): number | undefined {
  const { $metadata } = error as { readonly $metadata?: { readonly httpStatusCode?: number } };
  return $metadata?.httpStatusCode;
}

function distinct(statements: readonly IamStatement[]): IamStatement[] {
  return [...new Map(statements.map((statement) => [JSON.stringify(statement), statement])).values()];
}
