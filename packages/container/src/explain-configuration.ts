import { annotationName } from "@s3ec/envelope";
import type { ClientConfiguration } from "./configuration.js";
import { muteKeyrings, warningsOf } from "./configuration-warnings.js";
import { objectsOf, type ServedObjects, servedObjects } from "./configured-keyrings.js";
import { readsMessages, s3FormatOptionsOf, writesMessages } from "./formats.js";
import type { WrappingKeyExplanation } from "./keyring-descriptor.js";
import { type LoadedConfiguration, type LoadOptions, loadConfiguration } from "./load-configuration.js";

/** A configuration in words; every entry is a sentence. */
export interface ConfigurationExplanation {
  /** Which configuration of the file this is said of, and which not, where they have names. */
  readonly selected: readonly string[];
  /** What is written with it, and where the wrapped keys go. */
  readonly written: readonly string[];
  /** Who can read what is written with it; any one of them suffices. */
  readonly readers: readonly string[];
  /** What writing takes; all of them are needed. */
  readonly writing: readonly string[];
  /** What this configuration itself can read. */
  readonly reads: readonly string[];
  /** What is refused on read, and which field would change that. */
  readonly refused: readonly string[];
  /** What is allowed, and dangerous or without effect, each with its field. */
  readonly warnings: readonly string[];
}

/**
 * Validates a configuration as `createFromConfig` does, and says what it means. Calls no key store: what only a token or
 * KMS can refuse, such as a PIN or a missing permission, is told by `createFromConfig` and the first use.
 * @throws S3EncryptionError `invalid-configuration` with the path of each wrong field, `invalid-argument` for unknown `options`
 */
export async function explainConfiguration(
  source: string | URL | object,
  options: LoadOptions = {},
): Promise<ConfigurationExplanation> {
  const ofKeys: string[] = [];
  const loaded = await loadConfiguration(source, { onWarning: (sentence) => ofKeys.push(sentence), ...options });
  await assertComposable(loaded);
  const { configuration, managers } = loaded;
  const served = servedObjects(configuration).map((objects) => keysServing(loaded, objects));
  const client = configuration.client ?? {};
  const writable = served.filter(({ mute }) => mute.length === 0);
  const wrapping = writable.flatMap(({ wrapping, where }) => wrapping.map((key) => ({ ...key, where })));
  const s3Format = s3FormatOptionsOf(client);
  const inMessages = writesMessages(client.formats);
  const suffix = s3Format?.instructionFileConfig?.suffix;
  const annotated = s3Format?.wrapPlacement === "annotations";
  const inFile = (count: number): string | undefined =>
    s3Format?.instructionFileConfig?.enableInstructionFilePutObject === true ||
    (s3Format?.wrapPlacement === "instruction-files" && count > 1)
      ? (suffix ?? ".instruction")
      : undefined;
  const written =
    writable.length === 0
      ? []
      : [
          inMessages
            ? "Messages of the AWS Encryption SDK: AES-256-GCM with key commitment, in frames that are each authenticated."
            : committing(client.commitmentPolicy)
              ? "Objects of format V3: AES-256-GCM with key commitment."
              : "Objects of format V2: AES-256-GCM without key commitment, for readers of the previous generation.",
          ...writable.flatMap(({ wrapping, where }) =>
            wrapping.map(
              (key) =>
                `${where === "" ? "Each object's data key" : `The data key of each object ${where}`} is wrapped with ${key.key}, stored ${inMessages ? "in the message's header" : place(key, inFile(wrapping.length), annotated)}.`,
            ),
          ),
        ];
  const unwritten = served.filter(({ mute }) => mute.length > 0);
  return {
    selected: selectionOf(loaded),
    written: [
      ...written,
      ...unwritten.map(
        ({ mute, where }) => `Nothing${where === "" ? "" : ` ${where}`}: ${mute.join(" and ")} can only read.`,
      ),
      ...(writable.length === 0 ? [] : managers.explain(configuration.materialsManager)),
    ],
    readers: wrapping.map((key) => `With ${key.key}${forObjects(key)}: ${key.readers}.`),
    writing: wrapping.map((key) => `For ${key.key}${forObjects(key)}: ${key.writing}.`),
    reads: readsOf(served, client),
    refused: refusals(client),
    warnings: [...warningsOf(loaded), ...ofKeys],
  };
}

function selectionOf({ named }: LoadedConfiguration): string[] {
  if (named === undefined) return [];
  const others = named.others.map((name) => `"${name}"`).join(", ");
  return [
    `This is said of "${named.name}".`,
    ...(others === "" ? [] : [`Not looked at: ${others}; choose one by its name (use, or --use NAME).`]),
  ];
}

interface ServingKeys {
  /** Which objects, after that word; empty for all. */
  readonly where: string;
  readonly keys: readonly WrappingKeyExplanation[];
  /** Those that a written object's data key is wrapped with. */
  readonly wrapping: readonly WrappingKeyExplanation[];
  /** What cannot write; empty where everything that has to can. */
  readonly mute: readonly string[];
}

function keysServing(loaded: LoadedConfiguration, objects: ServedObjects): ServingKeys {
  const keys = loaded.registry.explain(objects.keyring);
  const wrapping = keys.filter((key) => key.readers !== null);
  const mute = muteKeyrings(loaded, [objects]);
  const writes = wrapping.length > 0 && wrapping.every((key) => key.writing !== null);
  const where = objects.rules.map(objectsOf).join(", and there ");
  return { where, keys, wrapping, mute: mute.length === 0 && !writes ? ["it"] : mute };
}

function forObjects({ where }: Pick<ServingKeys, "where">): string {
  return where === "" ? "" : `, for objects ${where}`;
}

/** Whatever `createFromConfig` would refuse, but for what a key store says. */
async function assertComposable(loaded: LoadedConfiguration): Promise<void> {
  const { compose, SERVICES } = await import("./compose.js");
  const container = compose(loaded, { leaveKeyStoresAlone: true });
  try {
    await container.getAsync(SERVICES.client);
  } finally {
    await container.unbindAllAsync();
  }
}

function committing(policy: string | undefined): boolean {
  return policy !== "FORBID_ENCRYPT_ALLOW_DECRYPT";
}

function place(key: WrappingKeyExplanation, inFile: string | undefined, annotated: boolean): string {
  const { instructionFileSuffix: own } = key;
  if (annotated && own !== undefined) return `in the object's annotation "${annotationName(own)}"`;
  const suffix = own ?? inFile;
  return suffix === undefined
    ? "in the object's metadata"
    : `in the instruction file at the object's key plus "${suffix}"${inFile === undefined ? ", where only S3EC finds it" : ""}`;
}

function readsOf(served: readonly ServingKeys[], client: ClientConfiguration): string[] {
  const readable = served.flatMap(({ keys, where }) =>
    keys.filter((key) => key.canRead).map((key) => ({ ...key, where })),
  );
  if (readable.length === 0) return ["Nothing: it holds public keys only."];
  const { instructionFileConfig, wrapPlacement } = s3FormatOptionsOf(client) ?? {};
  const where = (key: WrappingKeyExplanation): string =>
    wrapPlacement === "annotations"
      ? ", in objects and their annotations"
      : whereRead(key, instructionFileConfig?.suffix, readsMessages(client.formats));
  return readable.map((key) => `What is wrapped with ${key.key}${where(key)}${forObjects(key)}.`);
}

/** A child's wrapped key is in a file of its own, which is read where its suffix is named. */
function whereRead(
  { instructionFileSuffix: own }: WrappingKeyExplanation,
  named: string | undefined,
  messages: boolean,
): string {
  if (named !== undefined) return `, looked for at the object's key plus "${named}"`;
  if (own === undefined || own === ".instruction") return "";
  return `, in ${messages ? "messages and in " : ""}objects of which a call names the instruction file "${own}"`;
}

function refusals(client: ClientConfiguration): string[] {
  const { commitmentPolicy = "REQUIRE_ENCRYPT_REQUIRE_DECRYPT" } = client;
  const messages = readsMessages(client.formats);
  const s3Format = s3FormatOptionsOf(client);
  const refused = [
    `Objects that no S3 encryption client${messages ? " or AWS Encryption SDK" : ""} wrote: never returned as if they had been encrypted.`,
  ];
  if (!messages) refused.push('Messages of the AWS Encryption SDK: name "aws-message" in client.formats to read them.');
  if (commitmentPolicy === "REQUIRE_ENCRYPT_REQUIRE_DECRYPT") {
    refused.push(
      "Objects without key commitment (formats V1 and V2): set client.commitmentPolicy to REQUIRE_ENCRYPT_ALLOW_DECRYPT to read them.",
    );
  }
  if (s3Format?.enableLegacyWrappingAlgorithms !== true) {
    refused.push(
      "Wraps of old clients and Amazon SES (kms, AESWrap, RSA with SHA-256 or PKCS#1): client.enableLegacyWrappingAlgorithms.",
    );
  }
  if (s3Format?.enableLegacyUnauthenticatedModes !== true) {
    refused.push("CBC content and byte ranges, which are not authenticated: client.enableLegacyUnauthenticatedModes.");
  }
  if (s3Format?.instructionFileConfig?.disableInstructionFile === true) {
    refused.push(
      "Objects whose wrapped key is in an instruction file: client.instructionFileConfig.disableInstructionFile.",
    );
  }
  const unnoticed =
    s3Format?.enableLegacyUnauthenticatedModes === true
      ? "; but alterations of CBC content and of byte ranges go unnoticed, since client.enableLegacyUnauthenticatedModes is on"
      : "";
  refused.push(
    client.enableDelayedAuthenticationMode === true
      ? `Altered objects, but only at the end of their stream, since client.enableDelayedAuthenticationMode is on${unnoticed}.`
      : `Altered objects, before a byte of them is given out${unnoticed}.`,
  );
  return refused;
}
