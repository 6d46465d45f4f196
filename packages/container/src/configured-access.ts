import type { Configuration } from "./configuration.js";
import { managerInside, type RuleConfiguration, servedObjects } from "./configured-keyrings.js";
import { s3FormatOptionsOf, writesMessages } from "./formats.js";
import type { KeyringConfiguration, KeyringRole } from "./keyring-descriptor.js";

/** Objects as far as the rules of a configuration name them. */
export interface NamedObjects {
  /** The bucket's name, or an access point's ARN. Default: not said, any. */
  readonly bucket?: string;
  /** What keys begin with; empty for every key. */
  readonly prefix: string;
}

/** One KMS key, or with discovery any, as one keyring uses it. */
export interface KmsUse {
  /** As the configuration says it: id, ARN or alias. Absent for a discovery keyring, which takes any key. */
  readonly keyId?: string;
  /** Whether it makes data keys, wraps those of others, or only opens them. */
  readonly role: KeyringRole | "reader";
  /** As the keyring says it. Default: of the ARN, then of the configuration's `kms` settings. */
  readonly region?: string;
  /** Sent with every call. Default: none. */
  readonly grantTokens?: readonly string[];
  /** The accounts whose keys a discovery keyring takes, and their partition. Default: all. */
  readonly discoveryFilter?: { readonly partition: string; readonly accountIds: readonly string[] };
  /** Which objects' data keys; one entry without a bucket and with an empty prefix where no rule says. */
  readonly objects: readonly NamedObjects[];
}

/** What a configuration asks KMS and S3 for, as far as its own fields say; of plugins' keyrings nothing is known. */
export interface ConfiguredAccess {
  /** Each KMS key once for each role. */
  readonly kms: readonly KmsUse[];
  /** Which objects it serves. */
  readonly objects: readonly NamedObjects[];
  /** What else than the object is written, and looked at, when one is written. */
  readonly writesBeside: "nothing" | "files" | "annotations";
  /** Whether anything can be written with it. */
  readonly canWrite: boolean;
  /** Names that every encryption context must have. */
  readonly requiredContextKeys: readonly string[];
}

/** What a validated configuration asks KMS and S3 for. */
export function configuredAccess(configuration: Configuration): ConfiguredAccess {
  const uses = new Map<string, KmsUse>();
  const served = servedObjects(configuration);
  for (const { keyring, rules } of served) {
    const objects = namedObjects(rules);
    for (const use of usesOf(keyring, "generator")) {
      const name = JSON.stringify(use);
      uses.set(name, { ...use, objects: [...(uses.get(name)?.objects ?? []), objects] });
    }
  }
  return {
    kms: [...uses.values()],
    objects: served.map(({ rules }) => namedObjects(rules)),
    writesBeside: writesBeside(
      configuration,
      served.map(({ keyring }) => keyring),
    ),
    canWrite: served.some(({ keyring }) => writes(keyring)),
    requiredContextKeys: requiredKeys(configuration),
  };
}

function writesBeside(
  { client = {} }: Configuration,
  keyrings: readonly KeyringConfiguration[],
): ConfiguredAccess["writesBeside"] {
  const s3 = writesMessages(client.formats) ? undefined : s3FormatOptionsOf(client);
  if (s3 === undefined) return "nothing";
  const { instructionFileConfig, wrapPlacement, describeInAnnotation } = s3;
  // With what annotations take, files can be written, too.
  if (describeInAnnotation === true) return "annotations";
  if (instructionFileConfig?.enableInstructionFilePutObject === true) return "files";
  // A child that wraps has a place of its own.
  if (!keyrings.some(hasChildWraps)) return "nothing";
  return wrapPlacement === "annotations" ? "annotations" : "files";
}

function hasChildWraps({ type, generator, children }: KeyringConfiguration): boolean {
  if (type !== "multi" || generator === undefined) return false;
  return (children as KmsFields["children"])?.some(({ decryptOnly }) => decryptOnly !== true) === true;
}

/** The innermost rule that says it. */
function namedObjects(rules: readonly RuleConfiguration[]): NamedObjects {
  const bucket = rules.findLast((rule) => rule.bucket !== undefined)?.bucket;
  const prefix = rules.map((rule) => rule.prefix ?? "").reduce((one, two) => (two.length > one.length ? two : one), "");
  return { ...(bucket === undefined ? {} : { bucket }), prefix };
}

function usesOf(keyring: KeyringConfiguration, role: KmsUse["role"]): Omit<KmsUse, "objects">[] {
  const { type, generator, children, keyId, formerKeyIds, region, grantTokens, discoveryFilter } = keyring as KmsFields;
  const own = {
    ...(region === undefined ? {} : { region }),
    ...(grantTokens === undefined ? {} : { grantTokens }),
  };
  if (type === "kms" && keyId !== undefined) {
    const former = (formerKeyIds ?? []).map((formerId) => ({ keyId: formerId, role: "reader" as const, ...own }));
    return [{ keyId, role, ...own }, ...former];
  }
  if (type === "kms-discovery") {
    return [{ role: "reader", ...own, ...(discoveryFilter === undefined ? {} : { discoveryFilter }) }];
  }
  if (type !== "multi") return [];
  const ofGenerator = generator === undefined ? [] : usesOf(generator, role);
  const ofChildren = generator === undefined || role === "reader" ? "reader" : "child";
  return [
    ...ofGenerator,
    ...(children ?? []).flatMap(({ keyring: child, decryptOnly }) =>
      usesOf(child, decryptOnly === true ? "reader" : ofChildren),
    ),
  ];
}

interface KmsFields {
  readonly type?: unknown;
  readonly generator?: KeyringConfiguration;
  readonly children?: readonly { readonly keyring: KeyringConfiguration; readonly decryptOnly?: boolean }[];
  readonly keyId?: string;
  readonly formerKeyIds?: readonly string[];
  readonly region?: string;
  readonly grantTokens?: readonly string[];
  readonly discoveryFilter?: NonNullable<KmsUse["discoveryFilter"]>;
}

function writes({ type, generator }: KeyringConfiguration): boolean {
  return type !== "kms-discovery" && (type !== "multi" || generator !== undefined);
}

/** Of the managers that every object passes, from the outermost on. */
function requiredKeys({ materialsManager }: Configuration): string[] {
  const names = new Set<string>();
  for (let manager = materialsManager; manager !== undefined; manager = managerInside(manager)) {
    const { requiredContextKeys } = manager as { readonly requiredContextKeys?: readonly string[] };
    for (const name of requiredContextKeys ?? []) names.add(name);
  }
  return [...names];
}
