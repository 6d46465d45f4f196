import type { GetObjectCommandInput } from "@aws-sdk/client-s3";
import { annotationName } from "@s3ec/envelope";
import {
  assertKnownOptions,
  DefaultMaterialsManager,
  type Keyring,
  type MaterialsManager,
  type OptionNames,
  S3EncryptionError,
} from "@s3ec/materials";
import { type CallOptions, callOptionsOf, refuseReservedNames, withCallOptions } from "../call-options.js";
import type { ResolvedOptions } from "../options.js";
import type { KeepOptions } from "../restate/kept-object.js";
import { AllowedLosses } from "../restate/losses.js";
import type { WritingOptions } from "../restate/planned-envelope.js";
import { RESTATED_OBJECT, type RestatedObjectOptions } from "../restate/restated-object-options.js";
import { settleTimeOf } from "../restate/settled.js";

/** What wraps the data key from now on. */
export interface RewrapTarget {
  /** The new keyring; of a hierarchy, the wrap that it has for this place is taken. Default: the client's own. */
  readonly keyring?: Keyring;
  /** In place of a keyring. */
  readonly materialsManager?: MaterialsManager;
  /** Bound by a KMS wrap. Default: the `encryptionContext` that the old wrap is opened with. */
  readonly encryptionContext?: Readonly<Record<string, string>>;
  /** Stored beside a raw key's wrap. Default: the new keyring's own. */
  readonly materialDescription?: Readonly<Record<string, string>>;
  /** A further instruction file for an RSA key, such as a partner's, beside the wrap that stands. Default: that is replaced. */
  readonly instructionFileSuffix?: string;
}

/** Which object is re-wrapped, how its data key is opened, and what wraps it then. */
export interface RewrapOptions extends RestatedObjectOptions {
  /**
   * Only the current version: a copy of an older one, or a file beside it, would take the current one's place. With a
   * `recipient`, any: each has annotations of its own.
   */
  readonly VersionId?: string;
  /** What wraps the data key from now on; `{}` for the client's own keyring, which may have a new key. */
  readonly to: RewrapTarget;
  /**
   * The instruction file to re-wrap, even where the metadata holds a wrapped key; where there is none, the annotation of that
   * recipient. Default: as a reader would.
   */
  readonly instructionFileSuffix?: string;
  /**
   * The recipient whose wrap in an annotation of the object is replaced; a child's suffix counts without its dot. Default: the wrap
   * that a reader would take.
   */
  readonly recipient?: string;
  /** The only format that is looked for, by its name. Default: those of the client. */
  readonly format?: string;
  /**
   * Whose the new key is. To `"another"`, the default, a data key is given only once it was proven to be this object's:
   * that of format V3 is, by its commitment; of V2 the content is read, for its tag; of CBC nothing can. With `"same"` the
   * content is not read, and from one KMS key to another the data key does not leave KMS (`ReEncrypt`).
   */
  readonly owner?: "same" | "another";
  /**
   * What must be seen before success is said: that the new keyring opens the new wrap (`"envelope"`, the default), the
   * content's tag, too (`"content"`), or `"none"`, where the new key cannot be used here.
   */
  readonly verify?: "envelope" | "content" | "none";
  /** Refuse a new key that opens the old wrap, or an old one that opens the new. Default false. */
  readonly enforceRotation?: boolean;
  /** Between KMS keys of one owner, Decrypt and Encrypt in place of `ReEncrypt`: across Regions, for example. Default false. */
  readonly decryptHere?: boolean;
}

const OPTIONS: OptionNames<RewrapOptions> = {
  ...RESTATED_OBJECT,
  VersionId: true,
  to: true,
  instructionFileSuffix: true,
  recipient: true,
  format: true,
  owner: true,
  verify: true,
  enforceRotation: true,
  decryptHere: true,
};

const TARGET: OptionNames<RewrapTarget> = {
  keyring: true,
  materialsManager: true,
  encryptionContext: true,
  materialDescription: true,
  instructionFileSuffix: true,
};

/** The options of a rewrap with their defaults, checked. */
export interface Rewrap {
  /** How every request names the object. */
  readonly object: Pick<
    GetObjectCommandInput,
    "ExpectedBucketOwner" | "RequestPayer" | "SSECustomerAlgorithm" | "SSECustomerKey" | "SSECustomerKeyMD5"
  > & { readonly Bucket: string; readonly Key: string };
  readonly VersionId: string | undefined;
  /** The same with its version, where only annotations are changed and any version may be meant. */
  readonly version: Rewrap["object"] & { readonly VersionId?: string };
  /** Whose annotation is re-wrapped. */
  readonly recipient: string | undefined;
  readonly encryption: ResolvedOptions;
  /** What the wrap that stands is opened with. */
  readonly from: CallOptions;
  /** What the new one is made with. */
  readonly to: CallOptions & { readonly materialsManager: MaterialsManager };
  readonly owner: "same" | "another";
  readonly verify: "envelope" | "content" | "none";
  readonly enforceRotation: boolean;
  readonly decryptHere: boolean;
  /** Whether a recipient is added, whose key may be of any kind. Default false. */
  readonly isRecipient?: boolean;
  /** How the object is copied onto itself, where its own metadata changes. */
  readonly keep: KeepOptions;
  readonly writing: WritingOptions;
}

/** Throws `invalid-argument` for what is wrong with the options, before anything is asked or used. */
export function resolveRewrap(encryption: ResolvedOptions, options: RewrapOptions): Rewrap {
  assertKnownOptions(options, OPTIONS, "rewrapObject");
  refuseBareTarget(options.to, "rewrapObject");
  if (options.to === undefined) {
    throw invalid(
      "rewrapObject must be told what wraps from now on: to: { keyring }, or to: {} for the client's own keyring, which may have a new key.",
    );
  }
  const { to, owner = "another", verify = "envelope", enforceRotation = false, decryptHere = false } = options;
  const { beforeWrite, dryRun = false } = options;
  assertKnownOptions(to, TARGET, "rewrapObject's to");
  const { Bucket, Key, ExpectedBucketOwner, RequestPayer, VersionId, recipient } = options;
  for (const [name, value] of Object.entries({ Bucket, Key })) {
    if (typeof value !== "string" || value === "") throw invalid(`rewrapObject must be told a ${name}.`);
  }
  if (owner !== "same" && owner !== "another") throw invalid('owner must be "same" or "another".');
  if (!["envelope", "content", "none"].includes(verify)) {
    throw invalid('verify must be "envelope", "content" or "none".');
  }
  for (const [name, value] of Object.entries({ enforceRotation, decryptHere, dryRun })) {
    if (typeof value !== "boolean") throw invalid(`${name} must be true or false.`);
  }
  const { encryptionContext, materialDescription, instructionFileSuffix, format, abortSignal } = options;
  const call = { encryptionContext, materialDescription, instructionFileSuffix, format, abortSignal };
  const context = to.encryptionContext ?? encryptionContext;
  const target = callOptionsOf(
    withCallOptions(
      {},
      defined({ ...to, encryptionContext: context, keyring: undefined, materialsManager: undefined }),
    ),
  );
  refuseReservedNames(target);
  const { allowLoss, SSEKMSEncryptionContext, settleTime, checksTarget, copyLimit } = options;
  const keep = { allowLoss, SSEKMSEncryptionContext, settleTime, checksTarget, copyLimit, abortSignal };
  // Before a key is used; whatever is wrong with it.
  settleTimeOf(keep);
  new AllowedLosses(allowLoss);
  const { SSECustomerAlgorithm, SSECustomerKey, SSECustomerKeyMD5 } = options;
  const customers = { SSECustomerAlgorithm, SSECustomerKey, SSECustomerKeyMD5 };
  const object = { Bucket, Key, ...defined({ ExpectedBucketOwner, RequestPayer, ...customers }) };
  if (recipient !== undefined) refuseBesideRecipient(recipient, options);
  return {
    object,
    VersionId,
    version: recipient === undefined ? object : { ...object, ...defined({ VersionId }) },
    recipient,
    encryption,
    from: callOptionsOf(withCallOptions({}, defined(call))),
    to: { ...target, materialsManager: managerOf(to) ?? encryption.materialsManager },
    owner,
    verify,
    enforceRotation,
    decryptHere,
    keep,
    writing: { beforeWrite, dryRun },
  };
}

/** Throws `invalid-argument` for what is no name, or for another place beside it. */
function refuseBesideRecipient(recipient: string, { instructionFileSuffix, to }: RewrapOptions): void {
  if (typeof recipient !== "string") throw invalid("recipient must be a name, such as escrow.");
  annotationName(recipient);
  if (instructionFileSuffix === undefined && to.instructionFileSuffix === undefined) return;
  throw invalid(
    "Name either a recipient, whose annotation is re-wrapped in its place, or an instruction file (instructionFileSuffix), not both.",
  );
}

function managerOf({ keyring, materialsManager }: RewrapTarget): MaterialsManager | undefined {
  if (keyring !== undefined && materialsManager !== undefined) {
    throw invalid("Give either a keyring or a materialsManager to rewrap to, not both.");
  }
  return keyring === undefined ? materialsManager : new DefaultMaterialsManager(keyring);
}

/** Throws `invalid-argument` for a keyring or manager in place of the object that holds it: its own names would be refused, or ignored. */
export function refuseBareTarget(to: object | undefined, what: string): void {
  if (typeof to !== "object" || to === null) return;
  const name = "onDecrypt" in to ? "keyring" : "getDecryptionMaterials" in to ? "materialsManager" : undefined;
  if (name !== undefined) throw invalid(`${what}'s to is an object that holds the ${name}: write to: { ${name} }.`);
}

/** Without what is undefined. */
export function defined<Values extends object>(
  values: Values,
): { [Name in keyof Values]: Exclude<Values[Name], undefined> } {
  const entries = Object.entries(values).filter(([, value]) => value !== undefined);
  return Object.fromEntries(entries) as { [Name in keyof Values]: Exclude<Values[Name], undefined> };
}

export function invalid(message: string): S3EncryptionError {
  return new S3EncryptionError("invalid-argument", message);
}
