import type { KMSClientConfig } from "@aws-sdk/client-kms";
import type { S3ClientConfig } from "@aws-sdk/client-s3";
import type { S3EncryptionOptions } from "@s3ec/client";
import { z } from "zod";
import { keyringsOf, requiredKeyrings } from "./configured-keyrings.js";
import {
  type FormatConfiguration,
  readsMessages,
  S3_FORMAT_FIELDS,
  s3FormatOptionsOf,
  writesMessages,
} from "./formats.js";
import type { KeySchemas } from "./key-source.js";
import type { KeyringConfiguration } from "./keyring-descriptor.js";
import type { KnownTypes } from "./known-types.js";
import type { ManagerConfiguration } from "./manager-descriptor.js";
import { suffixCollisions } from "./suffix-collisions.js";
import { childrenWithoutPlace, missingMessageKeys } from "./wrapped-key-places.js";

const CLIENT = {
  commitmentPolicy: z
    .enum(["FORBID_ENCRYPT_ALLOW_DECRYPT", "REQUIRE_ENCRYPT_ALLOW_DECRYPT", "REQUIRE_ENCRYPT_REQUIRE_DECRYPT"])
    .describe("Default REQUIRE_ENCRYPT_REQUIRE_DECRYPT: writes and reads objects with key commitment only.")
    .exactOptional(),
  ...S3_FORMAT_FIELDS,
  enableDelayedAuthenticationMode: z
    .boolean()
    .describe("Stream plaintext before it is authenticated. Default false.")
    .exactOptional(),
  bufferSize: z
    .int()
    .nonnegative()
    .describe("Plaintext bytes that a read may hold in memory. Default 67108864.")
    .exactOptional(),
  spool: z
    .union([z.literal(false), z.strictObject({ directory: z.string().min(1).exactOptional() })], {
      error: 'expected false or { "directory": path }',
    })
    .describe("Where the ciphertext of larger objects is kept until it is authenticated; false forbids it.")
    .exactOptional(),
  parallelRanges: z
    .int()
    .positive()
    .describe("Ranges of 3 MiB fetched at once for a whole object that is verified first. Default 1.")
    .exactOptional(),
  allowUnencryptedCommands: z.array(z.string()).exactOptional(),
};

// A provider instead of the keys themselves, so that a printed configuration does not show them.
const CREDENTIALS = z
  .strictObject({
    accessKeyId: z.string().min(1),
    secretAccessKey: z.string().min(1),
    sessionToken: z.string().min(1).exactOptional(),
  })
  .describe("For local servers. Leave it out elsewhere: the AWS SDK finds credentials by itself.")
  .transform((credentials) => async () => credentials);

const NO_PLACE =
  'expected a suffix, such as ".escrow": the default place holds the generator\'s wrapped key (only messages, with "aws-message" among client.formats, hold all of them)';

const NO_NAME =
  'expected { "namespace": text, "name": text }: with "aws-message" first among client.formats, readers find the raw key by them';

/** What an S3Client or KMSClient takes and JSON can hold. */
const SERVICE = {
  credentials: CREDENTIALS.exactOptional(),
  region: z.string().min(1).exactOptional(),
  endpoint: z.url({ protocol: /^https?$/, error: "expected an http or https URL" }).exactOptional(),
  profile: z.string().min(1).describe("A profile of the AWS configuration files.").exactOptional(),
  maxAttempts: z.int().positive().exactOptional(),
  useDualstackEndpoint: z.boolean().exactOptional(),
  useFipsEndpoint: z.boolean().exactOptional(),
};
const S3 = z
  .strictObject({
    ...SERVICE,
    forcePathStyle: z.boolean().exactOptional(),
    useAccelerateEndpoint: z.boolean().exactOptional(),
    requestChecksumCalculation: z.enum(["WHEN_SUPPORTED", "WHEN_REQUIRED"]).exactOptional(),
    responseChecksumValidation: z.enum(["WHEN_SUPPORTED", "WHEN_REQUIRED"]).exactOptional(),
  })
  .describe("Settings of the S3 client.");
const KMS = z.strictObject(SERVICE).describe("Settings of the KMS clients; a keyring may name a region of its own.");

const PLUGINS = z
  .array(z.string().min(1))
  .describe(
    "Packages (or ./files) with more types of keyrings, managers and formats, found from this file's folder. Their code is run.",
  );

/** Options of the encryption client, beside its keyring. */
export type ClientOptions = Omit<S3EncryptionOptions, "keyring" | "materialsManager">;

/** The same in a configuration, which names formats by their type, and cannot hold a tracer. */
export type ClientConfiguration = Omit<ClientOptions, "formats" | "tracer"> & {
  /** One or more, of which the first is written. Default: the S3 formats. */
  readonly formats?: readonly FormatConfiguration[];
};

/** A validated configuration. Keys in it have become `KeyObject`s, which are not printed. */
export interface Configuration {
  /** Packages or files with more types of keyrings, managers and formats, as the file names them. Default: none. */
  readonly plugins?: readonly string[];
  /** The keyring, with those inside it. Absent only where the rules of a `by-object` manager have keyrings of their own. */
  readonly keyring?: KeyringConfiguration;
  /** What stands between client and keyring. Default: `{ type: "default" }`. */
  readonly materialsManager?: ManagerConfiguration;
  /** Options of the encryption client. Default: its own defaults. */
  readonly client?: ClientConfiguration;
  /** Settings of the S3 client. Default: what the AWS SDK finds by itself. */
  readonly s3?: S3ClientConfig;
  /** Settings of every KMS client that keyrings share. Default: what the AWS SDK finds by itself. */
  readonly kms?: KMSClientConfig;
}

/** The one schema of a configuration file, with the fields of every known type. */
export function configurationSchema(
  { registry, managers, formats }: KnownTypes,
  keys: KeySchemas,
): z.ZodType<Configuration> {
  const keyring = registry.schema(keys);
  const client = z
    .strictObject({ ...CLIENT, formats: formats.schema().exactOptional() })
    .describe("Options of S3EncryptionClient.");
  return z
    .strictObject({
      $schema: z.string().exactOptional(),
      plugins: PLUGINS.exactOptional(),
      keyring: keyring.exactOptional(),
      materialsManager: managers.schema({ ...keys, keyring }).exactOptional(),
      client: client.exactOptional(),
      s3: S3.exactOptional(),
      kms: KMS.exactOptional(),
    })
    .superRefine((configuration, context) => {
      for (const { path, message } of problemsOfKeyrings(configuration)) {
        context.addIssue({ code: "custom", path: [...path], message });
      }
    });
}

interface Problem {
  readonly path: readonly PropertyKey[];
  readonly message: string;
}

/** What is wrong with keyrings as parts of this configuration, which each of them alone cannot tell. */
function problemsOfKeyrings(configuration: Configuration): Problem[] {
  const { client } = configuration;
  return [
    ...requiredKeyrings(configuration),
    ...keyringsOf(configuration).flatMap(({ keyring, path }): Problem[] => {
      const noName = writesMessages(client?.formats) ? missingMessageKeys(keyring, path) : [];
      const noPlace = readsMessages(client?.formats) ? [] : childrenWithoutPlace(keyring, path);
      return [
        ...suffixCollisions(keyring, path, takenSuffixes(client)),
        ...noName.map((at) => ({ path: at, message: NO_NAME })),
        ...noPlace.map((at) => ({ path: at, message: NO_PLACE })),
      ];
    }),
  ];
}

function takenSuffixes(client: ClientConfiguration = {}): Map<string, string> {
  const files = s3FormatOptionsOf(client)?.instructionFileConfig;
  if (files?.enableInstructionFilePutObject !== true || files.suffix === undefined) return new Map();
  return new Map([[`.${files.suffix.replace(/^\.+/, "")}`, "client.instructionFileConfig.suffix"]]);
}

/** Only the plugins, which have to be loaded before the rest can be validated. */
export const PLUGINS_SCHEMA: z.ZodType<{ plugins?: readonly string[] }> = z.object({
  plugins: PLUGINS.exactOptional(),
});

/** Only the settings of the S3 client, for what needs no key. */
export const S3_SCHEMA: z.ZodType<Pick<Configuration, "s3">> = z.object({ s3: S3.exactOptional() });
