import type { S3Client } from "@aws-sdk/client-s3";
import { migrateObjects } from "@s3ec/bulk";
import { type MigratedObject, type MigrateOptions, migrateObject } from "@s3ec/client";
import type { Configuration } from "@s3ec/container";
import type { MaterialsManager } from "@s3ec/materials";
import { type ManyOptions, rewriting } from "./many-options.js";
import { formatAddress, type ObjectAddress } from "./object-address.js";
import { type Rewriter, rewriteMany, sayRewritten } from "./rewrite-many.js";
import { type KeepingOptions, keeping, reading, type TargetOptions, writing } from "./target-options.js";

/** What `s3ec migrate` is told beside the object. */
export interface MigrateCommandOptions extends TargetOptions, KeepingOptions, ManyOptions {
  readonly drop?: readonly string[];
}

/** With what an object is written anew. */
interface Migration {
  /** Of the client. */
  readonly configuration: Configuration;
  readonly materialsManager: MaterialsManager;
  readonly signal: AbortSignal;
}

/** Writes one object anew, and says what became of it. */
export async function migrateAddress(
  client: S3Client,
  address: ObjectAddress,
  options: MigrateCommandOptions,
  { configuration, materialsManager, signal }: Migration,
): Promise<void> {
  const { dryRun = false } = options;
  const migration = { ...migrateOptions(options, materialsManager), ...address, dryRun, abortSignal: signal };
  const done = await migrateObject(client, migration);
  const { changed, droppedRecipients, removedFiles, replacedVersionId } = done;
  const result = {
    Key: address.Key,
    outcome: dryRun ? "planned" : "migrated",
    changed,
    droppedRecipients,
    removedFiles,
    ...(replacedVersionId === undefined ? {} : { replacedVersionId }),
  } as const;
  const words = dryRun
    ? [`${formatAddress(address)} would be written anew; nothing was changed.`]
    : outcome(address, done, configuration);
  await sayRewritten(address, options, result, words);
}

/** Writes many anew. */
export async function migrateAll(
  client: S3Client,
  address: ObjectAddress,
  options: MigrateCommandOptions,
  { configuration, materialsManager, signal, toConfiguration }: Migration & { readonly toConfiguration: Configuration },
): Promise<number> {
  const one = migrateOptions(options, materialsManager);
  const { keyring, materialsManager: manager } = toConfiguration;
  const { to: { materialsManager: _, ...to } = {}, ...how } = one;
  const { formats } = configuration.client ?? {};
  const many = await rewriting(address, options, { keyring, manager, to, how, formats }, signal);
  const rewriter: Rewriter = (objects) => migrateObjects(client, objects, { ...one, ...many });
  return await rewriteMany(client, address, options, rewriter, signal);
}

function migrateOptions(
  options: MigrateCommandOptions,
  materialsManager: MaterialsManager,
): Omit<MigrateOptions, "Bucket" | "Key" | "abortSignal" | "beforeWrite" | "dryRun" | "readWithTarget"> {
  return {
    to: { materialsManager, ...writing(options) },
    ...reading(options),
    ...keeping(options),
    dropRecipients: options.drop ?? [],
  };
}

function outcome(address: ObjectAddress, done: MigratedObject, configuration: Configuration): string[] {
  const { changed, droppedRecipients, removedFiles, replacedVersionId } = done;
  const isMessage = configuration.client?.formats?.[0]?.type === "aws-message";
  const isOlder = !isMessage && configuration.client?.commitmentPolicy === "FORBID_ENCRYPT_ALLOW_DECRYPT";
  const format = isMessage ? ", as a message" : ", in format V3";
  const fileNames = removedFiles.map((Key) => formatAddress({ ...address, Key }));
  return [
    `${formatAddress(address)} is written anew, with a new data key${format}.`,
    ...(isOlder
      ? [
          "It has a key commitment now, which this configuration's own puts leave out (FORBID_ENCRYPT_ALLOW_DECRYPT): clients of the generation before do not read it.",
        ]
      : []),
    ...(droppedRecipients.length === 0 ? [] : [`Not for these any more: ${droppedRecipients.join(", ")}.`]),
    ...(fileNames.length === 0 ? [] : [`Removed: ${fileNames.join(", ")}.`]),
    ...(replacedVersionId === undefined
      ? []
      : [`The version ${replacedVersionId} is as it was, and needs the old key for as long as it is kept.`]),
    ...(changed.length === 0 ? [] : [`Not as before: ${changed.join(", ")}.`]),
  ];
}
