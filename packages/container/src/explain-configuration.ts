import { S3EncryptionClient } from "@s3ec/client";
import { DefaultMaterialsManager, type Keyring } from "@s3ec/materials";
import type { ClientOptions } from "./configuration.js";
import type { WrappingKeyExplanation } from "./keyring-descriptor.js";
import { type LoadedConfiguration, type LoadOptions, loadConfiguration } from "./load-configuration.js";
import { explainManager } from "./managers.js";
import { reasonOf } from "./reason.js";

/** A configuration in words; every entry is a sentence. */
export interface ConfigurationExplanation {
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
}

/**
 * Validates a configuration and says what it means. Calls no key store, so that what only a keyring can refuse, such as a
 * PIN or a KMS key id, `createFromConfig` and the first use tell.
 */
export async function explainConfiguration(
  source: string | URL | object,
  options: LoadOptions = {},
): Promise<ConfigurationExplanation> {
  const loaded = await loadConfiguration(source, options);
  assertClientOptions(loaded);
  const { configuration, registry } = loaded;
  const keys = registry.explain(configuration.keyring);
  const client = configuration.client ?? {};
  const wrapping = keys.filter((key) => key.readers !== null);
  const suffix = client.instructionFileConfig?.suffix;
  const inFile =
    client.instructionFileConfig?.enableInstructionFilePutObject === true ? (suffix ?? ".instruction") : undefined;
  const writable = wrapping.length > 0 && wrapping.every((key) => key.writing !== null);
  return {
    written: writable
      ? [
          client.writeFormat === "message"
            ? "Messages of the AWS Encryption SDK: AES-256-GCM with key commitment, in frames that are each authenticated."
            : committing(client.commitmentPolicy)
              ? "Objects of format V3: AES-256-GCM with key commitment."
              : "Objects of format V2: AES-256-GCM without key commitment, for readers of the previous generation.",
          ...wrapping.map(
            (key) =>
              `Each object's data key is wrapped with ${key.key}, stored ${client.writeFormat === "message" ? "in the message's header" : place(key, inFile)}.`,
          ),
          ...explainManager(configuration.materialsManager),
        ]
      : ["Nothing: it can only read."],
    readers: writable ? wrapping.map((key) => `With ${key.key}: ${key.readers}.`) : [],
    writing: writable ? wrapping.map((key) => `For ${key.key}: ${key.writing}.`) : [],
    reads: readsOf(keys, suffix),
    refused: refusals(client),
  };
}

const NOBODY: Keyring = {
  wrapAlgorithms: [],
  onEncrypt: async (materials) => materials,
  onDecrypt: async () => null,
};

/** What the client would refuse of its options, whatever its keyring is. */
function assertClientOptions({ configuration, blame }: LoadedConfiguration): void {
  const { client = {} } = configuration;
  try {
    const encryption = { ...client, materialsManager: new DefaultMaterialsManager(NOBODY) };
    new S3EncryptionClient({ ...configuration.s3, encryption }).destroy();
  } catch (error) {
    throw blame(client, reasonOf(error), error);
  }
}

function committing(policy: string | undefined): boolean {
  return policy !== "FORBID_ENCRYPT_ALLOW_DECRYPT";
}

function place(key: WrappingKeyExplanation, inFile: string | undefined): string {
  const suffix = key.instructionFileSuffix ?? inFile;
  return suffix === undefined
    ? "in the object's metadata"
    : `in the instruction file at the object's key plus "${suffix}"`;
}

function readsOf(keys: readonly WrappingKeyExplanation[], suffix: string | undefined): string[] {
  const readable = keys.filter((key) => key.canRead);
  const where = suffix === undefined ? "" : `, looked for at the object's key plus "${suffix}"`;
  if (readable.length === 0) return ["Nothing: it holds public keys only."];
  return readable.map((key) => `What is wrapped with ${key.key}${where}.`);
}

function refusals(client: ClientOptions): string[] {
  const { commitmentPolicy = "REQUIRE_ENCRYPT_REQUIRE_DECRYPT" } = client;
  const readsMessages = client.messageFormat !== undefined;
  const refused = [
    `Objects that no S3 encryption client${readsMessages ? " or AWS Encryption SDK" : ""} wrote: never returned as if they had been encrypted.`,
  ];
  if (!readsMessages) refused.push("Messages of the AWS Encryption SDK: set client.messageFormat to read them.");
  if (commitmentPolicy === "REQUIRE_ENCRYPT_REQUIRE_DECRYPT") {
    refused.push(
      "Objects without key commitment (formats V1 and V2): set client.commitmentPolicy to REQUIRE_ENCRYPT_ALLOW_DECRYPT to read them.",
    );
  }
  if (client.enableLegacyWrappingAlgorithms !== true) {
    refused.push(
      "Wraps of old clients and Amazon SES (kms, AESWrap, RSA with SHA-256 or PKCS#1): client.enableLegacyWrappingAlgorithms.",
    );
  }
  if (client.enableLegacyUnauthenticatedModes !== true) {
    refused.push("CBC content and byte ranges, which are not authenticated: client.enableLegacyUnauthenticatedModes.");
  }
  if (client.instructionFileConfig?.disableInstructionFile === true) {
    refused.push(
      "Objects whose wrapped key is in an instruction file: client.instructionFileConfig.disableInstructionFile.",
    );
  }
  if (client.enableDelayedAuthenticationMode === true) {
    refused.push("Altered objects, but only at the end of their stream: client.enableDelayedAuthenticationMode is on.");
  } else {
    refused.push("Altered objects, before a byte of them is given out.");
  }
  return refused;
}
