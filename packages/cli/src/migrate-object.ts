import type { S3Client } from "@aws-sdk/client-s3";
import { type Loss, type MigratedObject, type MigrateOptions, migrateObject } from "@s3ec/client";
import type { ConnectionOptions } from "./connection.js";
import { formatAddress, type ObjectAddress } from "./object-address.js";

type Entries = Readonly<Record<string, string>>;

/** What `s3ec migrate` is told beside the object. */
export interface MigrateCommandOptions extends ConnectionOptions {
  readonly suffix?: string;
  readonly context?: Entries;
  readonly description?: Entries;
  readonly toContext?: Entries;
  readonly toDescription?: Entries;
  readonly drop?: readonly string[];
  readonly allowLoss?: readonly string[];
}

/** Writes one object anew, and says what became of it. */
export async function migrateAddress(
  client: S3Client,
  address: ObjectAddress,
  options: MigrateCommandOptions,
  signal: AbortSignal,
): Promise<string> {
  const { suffix, context, description, toContext, toDescription } = options;
  const migration: MigrateOptions = {
    ...address,
    to: {
      ...(toContext === undefined ? {} : { encryptionContext: toContext }),
      ...(toDescription === undefined ? {} : { materialDescription: toDescription }),
    },
    ...(context === undefined ? {} : { encryptionContext: context }),
    ...(description === undefined ? {} : { materialDescription: description }),
    ...(suffix === undefined ? {} : { instructionFileSuffix: suffix }),
    dropRecipients: options.drop ?? [],
    // Whatever is no loss is refused by its name.
    allowLoss: (options.allowLoss ?? []) as readonly Loss[],
    abortSignal: signal,
  };
  return outcome(address, await migrateObject(client, migration)).join("\n");
}

function outcome(address: ObjectAddress, done: MigratedObject): string[] {
  const { changed, droppedRecipients, removedFiles, replacedVersionId } = done;
  const fileNames = removedFiles.map((Key) => formatAddress({ ...address, Key }));
  return [
    `${formatAddress(address)} is written anew, with a new data key.`,
    ...(droppedRecipients.length === 0 ? [] : [`Not for these any more: ${droppedRecipients.join(", ")}.`]),
    ...(fileNames.length === 0 ? [] : [`Removed: ${fileNames.join(", ")}.`]),
    ...(replacedVersionId === undefined
      ? []
      : [`The version ${replacedVersionId} is as it was, and needs the old key for as long as it is kept.`]),
    ...(changed.length === 0 ? [] : [`Not as before: ${changed.join(", ")}.`]),
  ];
}
