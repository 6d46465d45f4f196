import type { S3Client } from "@aws-sdk/client-s3";
import { type Loss, type RewrapOptions, type RewrappedObject, rewrapObject } from "@s3ec/client";
import { type MaterialsManager, S3EncryptionError } from "@s3ec/materials";
import type { ConnectionOptions } from "./connection.js";
import { formatAddress, type ObjectAddress } from "./object-address.js";
import { placeOf } from "./wrap-place.js";

type Entries = Readonly<Record<string, string>>;

/** What `s3ec rewrap` is told beside the object. */
export interface RewrapCommandOptions extends ConnectionOptions {
  readonly suffix?: string;
  readonly context?: Entries;
  readonly description?: Entries;
  /** The configuration whose key wraps from now on; of the same file where only `toUse` is named. */
  readonly to?: string;
  readonly toUse?: string;
  readonly toContext?: Entries;
  readonly toDescription?: Entries;
  readonly toSuffix?: string;
  /** Whose annotation is re-wrapped. */
  readonly recipient?: string;
  readonly sameOwner?: boolean;
  readonly verify?: "envelope" | "content" | "none";
  readonly enforceRotation?: boolean;
  readonly decryptHere?: boolean;
  readonly allowLoss?: readonly string[];
}

/** Re-wraps one object, and says what became of it. */
export async function rewrapAddress(
  client: S3Client,
  address: ObjectAddress,
  options: RewrapCommandOptions,
  { materialsManager, signal }: { readonly materialsManager: MaterialsManager; readonly signal: AbortSignal },
): Promise<string> {
  const { suffix, context, description, toContext, toDescription, toSuffix, verify, recipient } = options;
  const rewrap: RewrapOptions = {
    ...address,
    to: {
      materialsManager,
      ...(toContext === undefined ? {} : { encryptionContext: toContext }),
      ...(toDescription === undefined ? {} : { materialDescription: toDescription }),
      ...(toSuffix === undefined ? {} : { instructionFileSuffix: toSuffix }),
    },
    ...(context === undefined ? {} : { encryptionContext: context }),
    ...(description === undefined ? {} : { materialDescription: description }),
    ...(suffix === undefined ? {} : { instructionFileSuffix: suffix }),
    ...(recipient === undefined ? {} : { recipient }),
    ...(verify === undefined ? {} : { verify }),
    owner: options.sameOwner === true ? "same" : "another",
    enforceRotation: options.enforceRotation ?? false,
    decryptHere: options.decryptHere ?? false,
    // Whatever is no loss is refused by its name.
    allowLoss: (options.allowLoss ?? []) as readonly Loss[],
    abortSignal: signal,
  };
  return described(address, await rewrapObject(client, rewrap)).join("\n");
}

/**
 * The configuration that is re-wrapped to. Throws `invalid-argument` where nothing says that anything is to be another than it is.
 */
export function targetOf({ to, toUse, toContext, toDescription, toSuffix }: RewrapCommandOptions): {
  readonly config?: string;
  readonly use?: string;
} {
  const isAnother = [to, toUse, toContext, toDescription, toSuffix].some((value) => value !== undefined);
  if (!isAnother) {
    throw new S3EncryptionError(
      "invalid-argument",
      "Say what wraps the data key from now on: --to names its configuration, or --to-use one of the same file.",
    );
  }
  return { ...(to === undefined ? {} : { config: to }), ...(toUse === undefined ? {} : { use: toUse }) };
}

const VERIFIED = {
  content: "The new key opens it, and the content's tag is right.",
  envelope: "The new key opens it.",
  unverified: "Nothing was verified: have somebody who holds the new key read it.",
} as const;

function described(address: ObjectAddress, done: RewrappedObject): string[] {
  const { place, wrapAlgorithm, verified, isReencrypted, replacedVersionId, changed } = done;
  return [
    `The data key of ${formatAddress(address)} is wrapped with ${wrapAlgorithm} now, in ${placeOf(address, place)}.`,
    ...(isReencrypted ? ["It did not leave KMS."] : []),
    VERIFIED[verified],
    ...(replacedVersionId === undefined
      ? []
      : [`The version ${replacedVersionId} keeps the old wrap, and needs the old key for as long as it is kept.`]),
    ...(changed.length === 0 ? [] : [`Not as before: ${changed.join(", ")}.`]),
  ];
}
