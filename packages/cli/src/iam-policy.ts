import type { ConfiguredAccess, KmsUse, NamedObjects } from "@s3ec/container";

/** Whom a policy is for. */
export type Role = "writer" | "reader" | "rotator" | "auditor" | "operator";

/** What each of them does: the commands that work with objects, each in one place. */
export const ROLE_COMMANDS: Readonly<Record<Role, readonly string[]>> = {
  writer: ["put", "encrypt"],
  reader: ["get", "cat", "verify", "decrypt", "presign"],
  rotator: ["rewrap", "migrate", "recipients add", "recipients remove"],
  auditor: ["inspect", "audit", "recipients list"],
  operator: ["cp", "mv", "sync", "ls", "rm"],
};

export const ROLES: readonly Role[] = Object.keys(ROLE_COMMANDS) as Role[];

/** One statement of an IAM policy, as IAM spells it. */
export interface IamStatement {
  readonly Sid?: string;
  readonly Effect: "Allow";
  readonly Action: string | readonly string[];
  readonly Resource: string | readonly string[];
  readonly Condition?: Readonly<Record<string, Readonly<Record<string, string | readonly string[]>>>>;
}

export interface IamPolicy {
  readonly Version: "2012-10-17";
  readonly Statement: readonly IamStatement[];
}

/** Stands where nobody said which bucket: IAM then allows nothing, rather than every bucket. */
export const UNKNOWN_BUCKET = "BUCKET";

/** What a policy is made for. */
export interface PolicyNeeds {
  readonly role: Role;
  /** Whether a writer's uploads go on where an earlier one ended. Default false. */
  readonly resume?: boolean;
}

export type KmsAction = "kms:GenerateDataKey" | "kms:Encrypt" | "kms:Decrypt" | "kms:ReEncryptFrom" | "kms:ReEncryptTo";

/** What a rotator does with objects: their envelopes change, and everything else about them has to stay. */
const ROTATED: readonly string[] = [
  "s3:GetObject",
  "s3:GetObjectVersion",
  "s3:PutObject",
  "s3:DeleteObject",
  "s3:AbortMultipartUpload",
  "s3:GetObjectTagging",
  "s3:PutObjectTagging",
  "s3:GetObjectAcl",
  "s3:PutObjectAcl",
  "s3:GetObjectRetention",
  "s3:PutObjectRetention",
  "s3:GetObjectLegalHold",
  "s3:PutObjectLegalHold",
  "s3:ListObjectAnnotations",
  "s3:GetObjectAnnotation",
  "s3:PutObjectAnnotation",
  "s3:DeleteObjectAnnotation",
];
/** Whatever a bucket has: objects, their versions, and uploads that nobody ended. */
const WHOLE_BUCKET: readonly string[] = [
  "s3:ListBucket",
  "s3:ListBucketVersions",
  "s3:ListBucketMultipartUploads",
  "s3:GetBucketVersioning",
];

/** Envelopes, of every version, are looked at; what they hold is not opened. */
const AUDITED: readonly string[] = [
  "s3:GetObject",
  "s3:GetObjectVersion",
  "s3:ListObjectAnnotations",
  "s3:GetObjectAnnotation",
];
/** What goes up, down, over and away, with what is kept of it; of tags S3 asks by itself when it copies. */
const OPERATED: readonly string[] = [
  "s3:GetObject",
  "s3:GetObjectVersion",
  "s3:PutObject",
  "s3:DeleteObject",
  "s3:AbortMultipartUpload",
  "s3:GetObjectTagging",
  "s3:GetObjectVersionTagging",
  "s3:PutObjectTagging",
  "s3:ListObjectAnnotations",
  "s3:GetObjectAnnotation",
  "s3:PutObjectAnnotation",
];

/** The least that is needed, as far as the configuration says what that is. */
export function iamPolicy(needs: PolicyNeeds, access: ConfiguredAccess): IamPolicy {
  const kms = access.kms.flatMap((use) => {
    const actions = kmsActions(use, needs);
    return actions.length === 0 ? [] : [kmsStatement(actions, use, access.requiredContextKeys)];
  });
  return { Version: "2012-10-17", Statement: [...kms, ...s3Statements(needs, access)] };
}

/** What is asked of a key. */
export function kmsActions({ role: use }: KmsUse, { role, resume = false }: PolicyNeeds): KmsAction[] {
  const making: KmsAction[] = use === "generator" ? ["kms:GenerateDataKey"] : use === "child" ? ["kms:Encrypt"] : [];
  switch (role) {
    case "writer":
      // The state of an upload holds its data key as it was wrapped.
      return resume && use === "generator" ? [...making, "kms:Decrypt"] : making;
    case "reader":
      return ["kms:Decrypt"];
    case "operator":
      return [...making, "kms:Decrypt"];
    case "auditor":
      return [];
    case "rotator": {
      // An object's data key stays, and is wrapped anew, in KMS or here; one that is moved to another format gets a new data key.
      const anew: readonly KmsAction[] = use === "reader" ? [] : ["kms:Encrypt", "kms:ReEncryptTo"];
      return [...new Set<KmsAction>(["kms:Decrypt", "kms:ReEncryptFrom", ...anew, ...making])];
    }
  }
}

/**
 * Allows actions with one key. A policy cannot name an alias as the key, since aliases move; a condition tells which keys
 * have it.
 */
export function kmsStatement(
  actions: readonly string[],
  use: Pick<KmsUse, "keyId" | "region" | "discoveryFilter">,
  requiredContextKeys: readonly string[] = [],
): IamStatement {
  const { resources, alias } = keyResources(use);
  const context = Object.fromEntries(requiredContextKeys.map((name) => [`kms:EncryptionContext:${name}`, "false"]));
  const condition = {
    ...(alias === undefined ? {} : { "ForAnyValue:StringEquals": { "kms:ResourceAliases": alias } }),
    ...(requiredContextKeys.length === 0 ? {} : { Null: context }),
  };
  return {
    Effect: "Allow",
    Action: one(actions),
    Resource: one(resources),
    ...(Object.keys(condition).length === 0 ? {} : { Condition: condition }),
  };
}

function keyResources({ keyId, region = "*", discoveryFilter }: Pick<KmsUse, "keyId" | "region" | "discoveryFilter">): {
  resources: readonly string[];
  alias?: string;
} {
  if (keyId === undefined) {
    const { partition = "aws", accountIds = ["*"] } = discoveryFilter ?? {};
    return { resources: accountIds.map((account) => `arn:${partition}:kms:${region}:${account}:key/*`) };
  }
  const arn = /^(arn:[^:]+:kms:[^:]+:[^:]+:)(key\/.+|alias\/.+)$/.exec(keyId);
  const [, place = `arn:aws:kms:${region}:*:`, name = keyId] = arn ?? [];
  if (name.startsWith("alias/")) return { resources: [`${place}key/*`], alias: name };
  return { resources: [`${place}${name.startsWith("key/") ? name : `key/${name}`}`] };
}

function s3Statements(needs: PolicyNeeds, access: ConfiguredAccess): IamStatement[] {
  const { objects, canWrite } = access;
  if (objects.length === 0 || (needs.role === "writer" && !canWrite)) return [];
  const { onObjects, onBuckets } = s3Actions(needs, access);
  return [
    objectStatement(onObjects, objects),
    ...(onBuckets.length === 0 ? [] : [bucketStatement(onBuckets, objects)]),
  ];
}

interface S3Actions {
  readonly onObjects: readonly string[];
  readonly onBuckets: readonly string[];
}

/** Without it S3 answers that something is forbidden where it is not there. */
const LISTING = ["s3:ListBucket"] as const;

/** What is done with objects, and with the buckets that hold them. */
export function s3Actions(
  { role, resume = false }: PolicyNeeds,
  { writesBeside }: Pick<ConfiguredAccess, "writesBeside">,
): S3Actions {
  switch (role) {
    case "rotator":
      return { onObjects: ROTATED, onBuckets: WHOLE_BUCKET };
    case "auditor":
      return { onObjects: AUDITED, onBuckets: WHOLE_BUCKET };
    case "operator":
      return { onObjects: OPERATED, onBuckets: LISTING };
    case "reader": {
      const beside = writesBeside === "annotations" ? ["s3:ListObjectAnnotations", "s3:GetObjectAnnotation"] : [];
      return { onObjects: ["s3:GetObject", ...beside], onBuckets: LISTING };
    }
    case "writer":
      return writerActions(resume, writesBeside);
  }
}

function writerActions(resume: boolean, writesBeside: ConfiguredAccess["writesBeside"]): S3Actions {
  const writing = ["s3:PutObject", "s3:AbortMultipartUpload", ...(resume ? ["s3:ListMultipartUploadParts"] : [])];
  if (writesBeside === "nothing") return { onObjects: writing, onBuckets: [] };
  // Files beside the object are read before they are replaced, and taken back where the object is not stored.
  writing.push("s3:GetObject", "s3:DeleteObject");
  // The store has to show that it knows annotations.
  if (writesBeside === "annotations") writing.push("s3:ListObjectAnnotations", "s3:PutObjectAnnotation");
  return { onObjects: writing, onBuckets: LISTING };
}

/** Allows actions with objects, whether or not they are there. */
export function objectStatement(actions: readonly string[], objects: readonly NamedObjects[]): IamStatement {
  return { Effect: "Allow", Action: one(actions), Resource: one([...new Set(objects.map(objectsArn))]) };
}

/** Allows actions with the buckets of objects. */
export function bucketStatement(actions: readonly string[], objects: readonly NamedObjects[]): IamStatement {
  return { Effect: "Allow", Action: one(actions), Resource: one([...new Set(objects.map(bucketArn))]) };
}

function bucketArn({ bucket = UNKNOWN_BUCKET }: NamedObjects): string {
  return bucket.startsWith("arn:") ? bucket : `arn:aws:s3:::${bucket}`;
}

/** Those of an access point are below `object` of its ARN. What IAM would take for a pattern stands as itself. */
function objectsArn(named: NamedObjects): string {
  const bucket = bucketArn(named);
  const prefix = named.prefix.replace(/[*?$]/g, (sign) => `\${${sign}}`);
  return `${bucket}${bucket.includes(":accesspoint/") ? "/object" : ""}/${prefix}*`;
}

function one(list: readonly string[]): string | readonly string[] {
  const [only] = list;
  return list.length === 1 && only !== undefined ? only : list;
}
