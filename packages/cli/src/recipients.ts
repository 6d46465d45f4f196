import type { S3Client } from "@aws-sdk/client-s3";
import { addRecipient, listRecipients, type Recipient, removeRecipient } from "@s3ec/client";
import { printable } from "@s3ec/envelope";
import type { MaterialsManager } from "@s3ec/materials";
import type { Answer } from "./json/json-output.js";
import { named } from "./json/named-object.js";
import { formatAddress, type ObjectAddress } from "./object-address.js";
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

/** The same of `add`. */
export interface AddCommandOptions extends RecipientsCommandOptions, TargetOptions, Pick<KeepingOptions, "allowLoss"> {
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

/** Adds a recipient, and says where its wrap stands. */
export async function addTo(
  client: S3Client,
  address: VersionAddress,
  recipient: string,
  options: AddCommandOptions,
  { materialsManager, signal }: { readonly materialsManager: MaterialsManager; readonly signal: AbortSignal },
): Promise<Answer> {
  const { in: place, verify } = options;
  const added = await addRecipient(client, {
    ...address,
    recipient,
    to: { materialsManager, ...writing(options) },
    ...reading(options),
    ...(place === undefined ? {} : { in: place }),
    ...(verify === undefined ? {} : { verify }),
    ...keeping(options),
    owner: options.sameOwner === true ? "same" : "another",
    abortSignal: signal,
  });
  const { place: at, wrapAlgorithm, verified } = added;
  return {
    words: [
      `${JSON.stringify(recipient)} is a recipient of ${formatAddress(address)} now: ${wrapAlgorithm}, in ${placeOf(address, at)}.`,
      VERIFIED[verified],
    ].join("\n"),
    json: {
      ...named(address.Bucket, address),
      recipient,
      state: "added",
      wraps: [{ place: at, wrapAlgorithm, verified }],
    },
  };
}

/** Removes a recipient, and says what that does not do, and whether all of it is known to be gone. */
export async function removeFrom(
  client: S3Client,
  address: VersionAddress,
  recipient: string,
  abortSignal: AbortSignal,
): Promise<Answer & { readonly isGone: boolean }> {
  const { removed, remaining, unknown, limits } = await removeRecipient(client, { ...address, recipient, abortSignal });
  // Of a version, the annotations are all that is meant.
  const isKnown = unknown.every((place) => place === "instruction-file" && address.VersionId !== undefined);
  const isGone = isKnown && remaining.length === 0;
  const words = [
    ...(removed.length === 0 ? [`There was nothing of ${JSON.stringify(recipient)} to remove.`] : []),
    ...removed.map((place) => `Removed ${placeOf(address, place)}.`),
    ...remaining.map((place) => `Still there: ${placeOf(address, place)}.`),
    ...unknown.map((place) => `Not known to be removed: ${WHERE[place]} may not be looked at.`),
    ...(removed.length === 0 ? [] : [limits]),
  ].join("\n");
  const state = isGone ? "removed" : remaining.length > 0 ? "failed" : "unknown";
  return {
    words,
    json: { ...named(address.Bucket, address), recipient, state, removed, remaining, unknown },
    isGone,
  };
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
