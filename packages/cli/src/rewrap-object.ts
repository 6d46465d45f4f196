import type { S3Client } from "@aws-sdk/client-s3";
import { type RewrittenObject, rewrapObjects } from "@s3ec/bulk";
import { type RewrapOptions, type RewrappedObject, rewrapObject } from "@s3ec/client";
import type { Configuration } from "@s3ec/container";
import type { MaterialsManager } from "@s3ec/materials";
import { type ManyOptions, rewriting } from "./many-options.js";
import { formatAddress, type ObjectAddress } from "./object-address.js";
import { type Rewriter, rewriteMany, sayRewritten } from "./rewrite-many.js";
import {
  configurationOf,
  type KeepingOptions,
  keeping,
  reading,
  requireTarget,
  type TargetOptions,
  writing,
} from "./target-options.js";
import { placeOf } from "./wrap-place.js";

/** What `s3ec rewrap` is told beside the object. */
export interface RewrapCommandOptions extends TargetOptions, KeepingOptions, ManyOptions {
  readonly toSuffix?: string;
  /** Whose annotation is re-wrapped. */
  readonly recipient?: string;
  /** Whose wraps are written after each object's own. */
  readonly alsoRecipient?: readonly string[];
  readonly sameOwner?: boolean;
  readonly verify?: "envelope" | "content" | "none";
  readonly enforceRotation?: boolean;
  readonly decryptHere?: boolean;
}

/** With what, and until when. */
interface RewrapWork {
  readonly materialsManager: MaterialsManager;
  readonly signal: AbortSignal;
}

/** Re-wraps one object, and says what became of it. */
export async function rewrapAddress(
  client: S3Client,
  address: ObjectAddress,
  options: RewrapCommandOptions,
  { materialsManager, signal }: RewrapWork,
): Promise<void> {
  const { dryRun = false } = options;
  const rewrap = { ...rewrapOptions(options, materialsManager), ...address, dryRun, abortSignal: signal };
  const done = await rewrapObject(client, rewrap);
  const { place, wrapAlgorithm, verified, isReencrypted, changed, replacedVersionId } = done;
  const result: RewrittenObject = {
    Key: address.Key,
    outcome: dryRun ? "planned" : "rewrapped",
    wraps: [{ place, wrapAlgorithm, verified, isReencrypted }],
    changed,
    ...(replacedVersionId === undefined ? {} : { replacedVersionId }),
  };
  await sayRewritten(address, options, result, described(address, done, dryRun));
}

/** Re-wraps many. */
export async function rewrapAll(
  client: S3Client,
  address: ObjectAddress,
  options: RewrapCommandOptions,
  { materialsManager, signal, toConfiguration }: RewrapWork & { readonly toConfiguration: Configuration },
): Promise<number> {
  const { alsoRecipient: recipients = [] } = options;
  const one = rewrapOptions(options, materialsManager);
  const { keyring, materialsManager: manager } = toConfiguration;
  const {
    to: { materialsManager: _, ...to },
    ...how
  } = one;
  const many = await rewriting(address, options, { keyring, manager, to, how, recipients }, signal);
  const rewriter: Rewriter = (objects) => rewrapObjects(client, objects, { ...one, ...many, recipients });
  return await rewriteMany(client, address, options, rewriter, signal);
}

function rewrapOptions(
  options: RewrapCommandOptions,
  materialsManager: MaterialsManager,
): Omit<RewrapOptions, "Bucket" | "Key" | "abortSignal" | "beforeWrite" | "dryRun"> {
  const { toSuffix, verify, recipient } = options;
  return {
    to: {
      materialsManager,
      ...writing(options),
      ...(toSuffix === undefined ? {} : { instructionFileSuffix: toSuffix }),
    },
    ...reading(options),
    ...(recipient === undefined ? {} : { recipient }),
    ...(verify === undefined ? {} : { verify }),
    owner: options.sameOwner === true ? "same" : "another",
    enforceRotation: options.enforceRotation ?? false,
    decryptHere: options.decryptHere ?? false,
    ...keeping(options),
  };
}

/**
 * The configuration that is re-wrapped to. Throws `invalid-argument` where nothing says that anything is to be another than it is.
 */
export function targetOf(options: RewrapCommandOptions): { readonly config?: string; readonly use?: string } {
  const { to, toUse, toContext, toDescription, toSuffix } = options;
  requireTarget(
    [to, toUse, toContext, toDescription, toSuffix].some((value) => value !== undefined),
    "Say what wraps the data key from now on: --to names its configuration, or --to-use one of the same file.",
  );
  return configurationOf(options);
}

const VERIFIED = {
  content: "The new key opens it, and the content's tag is right.",
  envelope: "The new key opens it.",
  unverified: "Nothing was verified: have somebody who holds the new key read it.",
} as const;

function described(address: ObjectAddress, done: RewrappedObject, isDry: boolean): string[] {
  const { place, wrapAlgorithm, verified, isReencrypted, replacedVersionId, changed } = done;
  return [
    isDry
      ? `The data key of ${formatAddress(address)} would be wrapped with ${wrapAlgorithm}, in ${placeOf(address, place)}; nothing was changed.`
      : `The data key of ${formatAddress(address)} is wrapped with ${wrapAlgorithm} now, in ${placeOf(address, place)}.`,
    ...(isReencrypted ? ["It did not leave KMS."] : []),
    VERIFIED[verified],
    ...(replacedVersionId === undefined
      ? []
      : [`The version ${replacedVersionId} keeps the old wrap, and needs the old key for as long as it is kept.`]),
    ...(changed.length === 0 ? [] : [`Not as before: ${changed.join(", ")}.`]),
  ];
}
