import type { S3Client } from "@aws-sdk/client-s3";
import { type MigratedObject, migrateObject } from "@s3ec/client";
import type { Configuration } from "@s3ec/container";
import type { MaterialsManager } from "@s3ec/materials";
import { formatAddress, type ObjectAddress } from "./object-address.js";
import { type KeepingOptions, keeping, reading, type TargetOptions, writing } from "./target-options.js";

/** What `s3ec migrate` is told beside the object. */
export interface MigrateCommandOptions extends TargetOptions, KeepingOptions {
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
): Promise<string> {
  const done = await migrateObject(client, {
    ...address,
    to: { materialsManager, ...writing(options) },
    ...reading(options),
    ...keeping(options),
    dropRecipients: options.drop ?? [],
    abortSignal: signal,
  });
  return outcome(address, done, configuration).join("\n");
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
