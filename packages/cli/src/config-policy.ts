import {
  type ConfiguredAccess,
  configuredAccess,
  type LoadOptions,
  loadConfiguration,
  type NamedObjects,
  readConfigurationAsIs,
} from "@s3ec/container";
import { type IamPolicy, type IamStatement, iamPolicy, ROLES, type Role, UNKNOWN_BUCKET } from "./iam-policy.js";
import type { ObjectAddress } from "./object-address.js";

export interface PolicyOptions extends Pick<LoadOptions, "allowCommands" | "use"> {
  /** Buckets and prefixes that the configuration itself does not name. */
  readonly addresses: readonly ObjectAddress[];
  /** Default: all of them, by their names. */
  readonly role?: Role;
  /** Whether a writer's uploads go on where an earlier one ended. Default false. */
  readonly resume?: boolean;
}

/** What `s3ec config policy` prints, and what is left to fill in. */
export async function configPolicy(
  file: string,
  { addresses, role, resume = false, ...load }: PolicyOptions,
): Promise<{ readonly json: string; readonly note?: string }> {
  const { configuration } = await loadConfiguration(file, { ...load, onWarning: () => {} });
  const found = configuredAccess(configuration);
  const region = configuration.kms?.region;
  const access: ConfiguredAccess = {
    ...found,
    objects: withAddresses(found.objects, addresses),
    kms: found.kms.map((use) => ({ ...(typeof region === "string" ? { region } : {}), ...use })),
  };
  const { use } = load;
  const secrets = secretStatements(await readConfigurationAsIs(file, use === undefined ? {} : { use }));
  const policyOf = (each: Role): IamPolicy => {
    const policy = iamPolicy({ role: each, resume }, access);
    return { ...policy, Statement: [...policy.Statement, ...secrets] };
  };
  const printed = role === undefined ? Object.fromEntries(ROLES.map((each) => [each, policyOf(each)])) : policyOf(role);
  const json = JSON.stringify(printed, null, 2);
  return json.includes(`:::${UNKNOWN_BUCKET}`)
    ? { json, note: `Put the bucket's name where it says ${UNKNOWN_BUCKET}, or say s3://bucket/prefix after the file.` }
    : { json };
}

/** Where the configuration names no bucket, those that the caller names, as far as the prefixes agree. */
export function withAddresses(
  objects: readonly NamedObjects[],
  addresses: readonly ObjectAddress[],
): readonly NamedObjects[] {
  if (addresses.length === 0) return objects;
  return objects.flatMap((named): NamedObjects[] => {
    if (named.bucket !== undefined) return [named];
    return addresses.flatMap(({ Bucket: bucket, Key }): NamedObjects[] => {
      if (Key.startsWith(named.prefix)) return [{ bucket, prefix: Key }];
      return named.prefix.startsWith(Key) ? [{ bucket, prefix: named.prefix }] : [];
    });
  });
}

/** For the keys and passphrases that the configuration takes from AWS's secret stores. */
export function secretStatements(value: unknown): IamStatement[] {
  if (typeof value !== "object" || value === null) return [];
  const { secretsManager, parameterStore, region = "*" } = value as Readonly<Record<string, unknown>>;
  const own: IamStatement[] = [];
  if (typeof secretsManager === "string") {
    // Secrets Manager puts a hyphen and six letters after the name.
    const arn = secretsManager.startsWith("arn:")
      ? secretsManager
      : `arn:aws:secretsmanager:${region}:*:secret:${secretsManager}-??????`;
    own.push({ Effect: "Allow", Action: "secretsmanager:GetSecretValue", Resource: arn });
  }
  if (typeof parameterStore === "string") {
    const arn = parameterStore.startsWith("arn:")
      ? parameterStore
      : `arn:aws:ssm:${region}:*:parameter/${parameterStore.replace(/^\//, "")}`;
    own.push({ Effect: "Allow", Action: "ssm:GetParameter", Resource: arn });
  }
  return [...own, ...Object.values(value).flatMap(secretStatements)];
}
