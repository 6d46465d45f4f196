import {
  assertKnownOptions,
  DefaultMaterialsManager,
  type Keyring,
  type MaterialsManager,
  type OptionNames,
} from "@s3ec/materials";
import { type CarriedOptions, callOptionsOf, refuseReservedNames, withCallOptions } from "../call-options.js";
import { formatToWrite, type ResolvedOptions } from "../options.js";
import type { KeepOptions } from "../restate/kept-object.js";
import { AllowedLosses } from "../restate/losses.js";
import type { WritingOptions } from "../restate/planned-envelope.js";
import { RESTATED_OBJECT, type RestatedObjectOptions } from "../restate/restated-object-options.js";
import type { StoredAddress } from "../restate/seen-object.js";
import { settleTimeOf } from "../restate/settled.js";
import { defined, invalid, refuseBareTarget } from "../rewrap/rewrap-options.js";

/** What the object is written with. */
export interface MigrationTarget {
  /** Wraps the new data key. Default: the client's own. */
  readonly keyring?: Keyring;
  /** In place of a keyring. */
  readonly materialsManager?: MaterialsManager;
  /** Bound by a KMS wrap. Default: the `encryptionContext` that the object is read with. */
  readonly encryptionContext?: Readonly<Record<string, string>>;
  /** Stored beside a raw key's wrap. Default: the new keyring's own. */
  readonly materialDescription?: Readonly<Record<string, string>>;
  /** Name of the format to write. Default: the client's first. */
  readonly format?: string;
}

/** Which object is written anew, how it is read, and with what it is written. */
export interface MigrateOptions extends RestatedObjectOptions {
  /** What it is written with. Default: as the client writes. */
  readonly to?: MigrationTarget;
  /**
   * Suffixes of instruction files, and recipients of annotations, whose keys may not open the object any more. Default: none, so that an object is refused
   * which other keys open than those that the new keyring wraps for.
   */
  readonly dropRecipients?: readonly string[];
  /**
   * Open the object with what it is written with, and not with the client's own keyring: as after a call that broke off between
   * the object and the files beside it. Default false.
   */
  readonly readWithTarget?: boolean;
  /** As to read the object. */
  readonly instructionFileSuffix?: string;
  /** As to read the object. */
  readonly preferInstructionFile?: boolean;
}

const OPTIONS: OptionNames<MigrateOptions> = {
  ...RESTATED_OBJECT,
  to: true,
  dropRecipients: true,
  readWithTarget: true,
  instructionFileSuffix: true,
  preferInstructionFile: true,
};

const TARGET: OptionNames<MigrationTarget> = {
  keyring: true,
  materialsManager: true,
  encryptionContext: true,
  materialDescription: true,
  format: true,
};

/** The options of a migration with their defaults, checked. */
export interface Migration {
  /** How every request names the object. */
  readonly address: StoredAddress;
  readonly reading: { readonly options: ResolvedOptions; readonly call: CarriedOptions };
  readonly writing: { readonly options: ResolvedOptions; readonly call: CarriedOptions };
  readonly dropRecipients: readonly string[];
  readonly keep: KeepOptions;
  readonly hooks: WritingOptions;
}

/**
 * Reads nothing before it is verified, and writes the format with key commitment wherever the format that is written has one.
 * Throws `invalid-argument` for what is wrong with the options, before anything is asked or used.
 */
export function resolveMigration(own: ResolvedOptions, options: MigrateOptions): Migration {
  assertKnownOptions(options, OPTIONS, "migrateObject");
  refuseBareTarget(options.to, "migrateObject");
  const { to = {}, dropRecipients = [], Bucket, Key, readWithTarget = false, beforeWrite, dryRun = false } = options;
  assertKnownOptions(to, TARGET, "migrateObject's to");
  for (const [name, value] of Object.entries({ Bucket, Key })) {
    if (typeof value !== "string" || value === "") throw invalid(`migrateObject must be told a ${name}.`);
  }
  if (!Array.isArray(dropRecipients) || dropRecipients.some((name) => typeof name !== "string" || name === "")) {
    throw invalid("dropRecipients must be a list of suffixes of instruction files, or of recipients.");
  }
  for (const [name, value] of Object.entries({ readWithTarget, dryRun })) {
    if (typeof value !== "boolean") throw invalid(`${name} must be true or false.`);
  }
  if (to.keyring !== undefined && to.materialsManager !== undefined) {
    throw invalid("Give either a keyring or a materialsManager to migrate to, not both.");
  }
  const { encryptionContext, materialDescription, instructionFileSuffix, preferInstructionFile, abortSignal } = options;
  const { keyring, materialsManager, ...wanted } = to;
  const context = readWithTarget ? (to.encryptionContext ?? encryptionContext) : encryptionContext;
  const description = readWithTarget ? undefined : materialDescription;
  const beside = { instructionFileSuffix, preferInstructionFile };
  const reading = defined({ encryptionContext: context, materialDescription: description, ...beside });
  const writing = defined({ encryptionContext, ...wanted });
  const stop = abortSignal === undefined ? {} : { abortSignal };
  const { allowLoss, SSEKMSEncryptionContext, settleTime, checksTarget, copyLimit } = options;
  const keep = { allowLoss, SSEKMSEncryptionContext, settleTime, checksTarget, copyLimit, abortSignal };
  settleTimeOf(keep);
  new AllowedLosses(allowLoss);
  callOptionsOf(withCallOptions({}, reading));
  const written = callOptionsOf(withCallOptions({}, writing));
  refuseReservedNames(written);
  const manager = keyring === undefined ? materialsManager : new DefaultMaterialsManager(keyring);
  const target = manager ?? own.materialsManager;
  const commitmentPolicy =
    own.commitmentPolicy === "FORBID_ENCRYPT_ALLOW_DECRYPT" ? "REQUIRE_ENCRYPT_ALLOW_DECRYPT" : own.commitmentPolicy;
  formatToWrite(own, written).assertMayWrite(commitmentPolicy);
  const { ExpectedBucketOwner, RequestPayer, SSECustomerAlgorithm, SSECustomerKey, SSECustomerKeyMD5 } = options;
  const customers = { SSECustomerAlgorithm, SSECustomerKey, SSECustomerKeyMD5 };
  return {
    address: { Bucket, Key, ExpectedBucketOwner, RequestPayer, ...customers },
    reading: {
      options: {
        ...own,
        enableDelayedAuthenticationMode: false,
        materialsManager: readWithTarget ? target : own.materialsManager,
      },
      call: { ...reading, ...stop },
    },
    writing: {
      options: { ...own, commitmentPolicy, materialsManager: target },
      call: { ...writing, ...stop },
    },
    dropRecipients,
    keep,
    hooks: { beforeWrite, dryRun },
  };
}
