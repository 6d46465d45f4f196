import type { S3Client } from "@aws-sdk/client-s3";
import { addRecipientToObjects, type RewrittenObject, removeRecipientFromObjects } from "@s3ec/bulk";
import {
  type AddRecipientOptions,
  addRecipient,
  listRecipients,
  type Recipient,
  recipientName,
  removeRecipient,
} from "@s3ec/client";
import type { Configuration } from "@s3ec/container";
import { printable } from "@s3ec/envelope";
import type { MaterialsManager } from "@s3ec/materials";
import { EXIT_CODES } from "./exit-codes.js";
import type { Answer } from "./json/json-output.js";
import { named } from "./json/named-object.js";
import { type ManyOptions, rewriting } from "./many-options.js";
import { formatAddress, type ObjectAddress } from "./object-address.js";
import { type Rewriter, rewriteMany, sayRewritten } from "./rewrite-many.js";
import {
  configurationOf,
  type KeepingOptions,
  keeping,
  type ReadingOptions,
  reading,
  requireTarget,
  type TargetOptions,
  writing,
} from "./target-options.js";
import { placeOf } from "./wrap-place.js";

/** What `s3ec recipients` is told beside the object. */
export interface RecipientsCommandOptions extends ReadingOptions {
  readonly versionId?: string;
  readonly json?: boolean;
}

/** An object, or a version of it. */
export type VersionAddress = ObjectAddress & { readonly VersionId?: string };

/** The same where objects change, which may be many. */
export interface RemoveCommandOptions extends RecipientsCommandOptions, ManyOptions {
  readonly json?: boolean;
}

/** The same of `add`. */
export interface AddCommandOptions extends RemoveCommandOptions, TargetOptions, Pick<KeepingOptions, "allowLoss"> {
  readonly in?: "annotation" | "instruction-file";
  readonly sameOwner?: boolean;
  readonly verify?: "envelope" | "content" | "none";
}

/** The recipient's configuration. Throws `invalid-argument` where none is named. */
export function targetOf(options: AddCommandOptions): { readonly config?: string; readonly use?: string } {
  requireTarget(
    options.to !== undefined || options.toUse !== undefined,
    "Say whose key it is: --to names a configuration, or --to-use one of the same file.",
  );
  return configurationOf(options);
}

const VERIFIED = {
  content: "The recipient's key opens it, and the content's tag is right.",
  envelope: "The recipient's key opens it.",
  unverified: "Nothing was verified: have the recipient read it.",
} as const;

/** With whose key, and until when. */
interface Adding {
  readonly materialsManager: MaterialsManager;
  readonly signal: AbortSignal;
}

/** Adds a recipient, and says where its wrap stands. */
export async function addTo(
  client: S3Client,
  address: VersionAddress,
  name: string,
  options: AddCommandOptions,
  work: Adding,
): Promise<void> {
  const recipient = recipientName(name);
  const { dryRun = false } = options;
  const abortSignal = work.signal;
  const added = await addRecipient(client, { ...adding(recipient, options, work), ...address, dryRun, abortSignal });
  const { place, wrapAlgorithm, verified, isReencrypted } = added;
  const [who, object] = [JSON.stringify(recipient), formatAddress(address)];
  const result: RewrittenObject = {
    ...objectOf(address),
    recipient,
    outcome: dryRun ? "planned" : "added",
    wraps: [{ place, wrapAlgorithm, verified, isReencrypted }],
  };
  await sayRewritten(address, options, result, [
    dryRun
      ? `${who} would be a recipient of ${object}: ${wrapAlgorithm}, in ${placeOf(address, place)}; nothing was changed.`
      : `${who} is a recipient of ${object} now: ${wrapAlgorithm}, in ${placeOf(address, place)}.`,
    VERIFIED[verified],
  ]);
}

/** Adds one to many objects; returns the exit code. */
export async function addToAll(
  client: S3Client,
  address: ObjectAddress,
  recipient: string,
  options: AddCommandOptions,
  { toConfiguration, ...work }: Adding & { readonly toConfiguration: Configuration },
): Promise<number> {
  const one = adding(recipient, options, work);
  const { keyring, materialsManager: manager } = toConfiguration;
  const {
    to: { materialsManager: _, ...to },
    ...how
  } = one;
  const many = await rewriting(address, options, { keyring, manager, to, how }, work.signal);
  const rewriter: Rewriter = (objects) => addRecipientToObjects(client, objects, { ...one, ...many });
  return await rewriteMany(client, address, options, rewriter, work.signal);
}

function adding(
  recipient: string,
  options: AddCommandOptions,
  { materialsManager }: Adding,
): Omit<AddRecipientOptions, "Bucket" | "Key" | "abortSignal" | "dryRun"> {
  const { in: place, verify } = options;
  return {
    recipient: recipientName(recipient),
    to: { materialsManager, ...writing(options) },
    ...reading(options),
    ...(place === undefined ? {} : { in: place }),
    ...(verify === undefined ? {} : { verify }),
    ...keeping(options),
    owner: options.sameOwner === true ? "same" : "another",
  };
}

function objectOf({ Key, VersionId }: VersionAddress): Pick<RewrittenObject, "Key" | "VersionId"> {
  return { Key, ...(VersionId === undefined ? {} : { VersionId }) };
}

/** Removes a recipient, and says what that does not do; returns the exit code, which says whether all of it is known to be gone. */
export async function removeFrom(
  client: S3Client,
  address: VersionAddress,
  name: string,
  options: RemoveCommandOptions,
  abortSignal: AbortSignal,
): Promise<number> {
  const recipient = recipientName(name);
  const { dryRun = false } = options;
  const done = await removeRecipient(client, { ...address, ...reading(options), recipient, dryRun, abortSignal });
  const { removed, remaining, unknown, limits } = done;
  // Of a version, the annotations are all that is meant.
  const unseen = unknown.filter((place) => place !== "instruction-file" || address.VersionId === undefined);
  const notKnown = unknown.map((place) => `Not known to be removed: ${WHERE[place]} may not be looked at.`);
  const there = remaining.map((place) => `Still there: ${placeOf(address, place)}.`);
  const problem = [...there, ...(unseen.length === 0 ? [] : notKnown)].join(" ");
  const state = unseen.length > 0 ? "unknown" : remaining.length > 0 ? "failed" : dryRun ? "planned" : "removed";
  const result: RewrittenObject = {
    ...objectOf(address),
    recipient,
    outcome: state,
    removed,
    ...(remaining.length === 0 ? {} : { remaining }),
    ...(problem === "" ? {} : { problem }),
  };
  await sayRewritten(address, options, result, [
    ...(removed.length === 0 ? [`There was nothing of ${JSON.stringify(recipient)} to remove.`] : []),
    ...removed.map((place) => `${dryRun ? "Would remove" : "Removed"} ${placeOf(address, place)}.`),
    ...there,
    ...notKnown,
    ...(removed.length === 0 || dryRun ? [] : [limits]),
  ]);
  return problem === "" ? EXIT_CODES.ok : EXIT_CODES.open;
}

/** Removes one from many objects; returns the exit code. */
export async function removeFromAll(
  client: S3Client,
  address: ObjectAddress,
  name: string,
  options: RemoveCommandOptions,
  signal: AbortSignal,
): Promise<number> {
  const recipient = recipientName(name);
  const many = await rewriting(address, options, { recipient }, signal);
  const rewriter: Rewriter = (objects) =>
    removeRecipientFromObjects(client, objects, { recipient, ...reading(options), ...many });
  return await rewriteMany(client, address, options, rewriter, signal);
}

const WHERE = {
  annotation: "its annotations",
  "instruction-file": "its file",
  metadata: "its metadata",
} as const;

/** Says who has a wrapped key beside an object. */
export async function listOf(client: S3Client, address: VersionAddress, abortSignal: AbortSignal): Promise<Answer> {
  const listed = await listRecipients(client, { ...address, abortSignal });
  const { hasOwnWrap, recipients, unknown } = listed;
  const words = [
    formatAddress(address),
    `  its metadata holds ${hasOwnWrap ? "a" : "no"} wrapped key`,
    ...recipients.map((each) => `  ${described(address, each)}`),
    ...unknown.map((place) => `  there may be more: ${WHERE[place]} may not be listed`),
  ].join("\n");
  return { words, json: { ...named(address.Bucket, address), ...listed } };
}

function described(address: ObjectAddress, { recipient, place, state }: Recipient): string {
  return printable(`${recipient}: ${state}, in ${placeOf(address, place)}`);
}
