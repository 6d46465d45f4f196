import type { S3FormatOptions } from "@s3ec/format-s3";
import { type ObjectFormat, S3EncryptionError } from "@s3ec/materials";
import { z } from "zod";
import { descriptorsByType } from "./descriptors-by-type.js";

/** A format's part of a validated configuration: its `type`, and the fields that its descriptor's schema names. */
export type FormatConfiguration = Readonly<Record<string, unknown>> & {
  /** Name of a known format type, such as `s3`. */
  readonly type: string;
};

/** One type of object format that a configuration can name. The schema is a strict object of the fields beside `type`. */
export interface FormatDescriptor<Schema extends z.ZodObject = z.ZodObject> {
  /** What a configuration calls it. */
  readonly type: string;
  /** Its fields beside `type`. */
  readonly schema: Schema;
  /** Makes the format; what it throws is told with its place in the configuration. */
  create(configuration: z.output<Schema>): ObjectFormat | Promise<ObjectFormat>;
}

/** Keeps the schema's type for `create`, then forgets it: `export const formats = [formatDescriptor({...})]`. */
export function formatDescriptor<Schema extends z.ZodObject>(descriptor: FormatDescriptor<Schema>): FormatDescriptor {
  return descriptor as unknown as FormatDescriptor;
}

/** What `S3FormatOptions` are in a configuration: beside the client's own fields, or in the entry of the type `s3`. */
export const S3_FORMAT_FIELDS: {
  readonly [Name in keyof S3FormatOptions]-?: z.ZodExactOptional<z.ZodType<NonNullable<S3FormatOptions[Name]>>>;
} = {
  encryptionAlgorithm: z
    .enum(["ALG_AES_256_GCM_HKDF_SHA512_COMMIT_KEY", "ALG_AES_256_GCM_IV12_TAG16_NO_KDF"])
    .describe("Default: what the commitment policy asks for.")
    .exactOptional(),
  enableLegacyWrappingAlgorithms: z.boolean().describe("Read wraps of old clients. Default false.").exactOptional(),
  enableLegacyUnauthenticatedModes: z
    .boolean()
    .describe("Read CBC content and byte ranges, which are not authenticated. Default false.")
    .exactOptional(),
  instructionFileConfig: z
    .strictObject({
      enableInstructionFilePutObject: z.boolean().exactOptional(),
      disableInstructionFile: z.boolean().exactOptional(),
      suffix: z
        .string()
        .min(1)
        .describe("The instruction file to read: a child keyring's suffix, for a reader with that child's key only.")
        .exactOptional(),
      replaceUnknownFiles: z
        .boolean()
        .describe(
          "Replace instruction files that may not be read, or that are of no object that stands. Default false.",
        )
        .exactOptional(),
    })
    .exactOptional(),
  wrapPlacement: z
    .enum(["metadata", "instruction-files", "annotations"])
    .describe(
      "With children: the generator's wrapped key in the object's metadata (default) and the others in instruction files, all in instruction files, for children that are read by another client, or the others in annotations of the object, where the store has them.",
    )
    .exactOptional(),
  describeInAnnotation: z
    .boolean()
    .describe("Leave an annotation with every object, which says format and wrap for audits by SQL. Default false.")
    .exactOptional(),
  enableUncommittedChildren: z
    .boolean()
    .describe("Write children's wrapped keys for objects without key commitment (V2). Default false.")
    .exactOptional(),
};

const S3 = formatDescriptor({
  type: "s3",
  schema: z.object(S3_FORMAT_FIELDS),
  create: async (options) => new (await import("@s3ec/format-s3")).S3Format(options),
});

const AWS_MESSAGE = formatDescriptor({
  type: "aws-message",
  schema: z.object({
    frameLength: z.int().positive().describe("Plaintext bytes of a frame. Default 65536.").exactOptional(),
    signed: z.boolean().describe("Sign what is written, with ECDSA. Default false.").exactOptional(),
    maxEncryptedDataKeys: z.int().positive().describe("Wrapped keys of a message. Default 10.").exactOptional(),
    maxHeaderLength: z.int().positive().describe("Bytes of a header that is read. Default 131072.").exactOptional(),
    maxFrameLength: z.int().positive().describe("Bytes of a frame that is read. Default 16777216.").exactOptional(),
  }),
  create: async (options) => new (await import("@s3ec/format-aws-message")).AwsMessageFormat(options),
});

/** Whether a configuration's first format is a message, which holds all wrapped keys itself. */
export function writesMessages(formats: readonly FormatConfiguration[] | undefined): boolean {
  return formats?.[0]?.type === AWS_MESSAGE.type;
}

/** Whether messages of the AWS Encryption SDK are read. */
export function readsMessages(formats: readonly FormatConfiguration[] | undefined): boolean {
  return formats?.some(({ type }) => type === AWS_MESSAGE.type) === true;
}

/** What the S3 formats are told, wherever it stands; undefined where the configuration names other formats only. */
export function s3FormatOptionsOf<Client extends { readonly formats?: readonly FormatConfiguration[] }>(
  client: Client,
): S3FormatOptions | undefined {
  return client.formats === undefined
    ? (client as S3FormatOptions)
    : (client.formats.find(({ type }) => type === S3.type) as S3FormatOptions | undefined);
}

/** The format types that a configuration may name: the built-in ones and those of plugins. */
export class FormatRegistry {
  readonly #descriptors: ReadonlyMap<string, FormatDescriptor>;

  /** @throws S3EncryptionError `invalid-configuration` for two types of one name */
  constructor(plugged: readonly FormatDescriptor[]) {
    this.#descriptors = descriptorsByType("format", [S3, AWS_MESSAGE, ...plugged]);
  }

  /**
   * The schema of a list of formats, told apart by `type`.
   *
   * @throws S3EncryptionError `invalid-configuration` never: there are built-in types
   */
  schema(): z.ZodType<readonly FormatConfiguration[]> {
    const [first, ...rest] = [...this.#descriptors.values()].map(({ type, schema }) =>
      schema.safeExtend({ type: z.literal(type) }).strict(),
    );
    if (first === undefined) throw new S3EncryptionError("invalid-configuration", "There is no format type.");
    return z
      .array(z.discriminatedUnion("type", [first, ...rest]))
      .min(1)
      .describe("How objects may be stored: the first is written, all are read. Default: s3.") as unknown as z.ZodType<
      readonly FormatConfiguration[]
    >;
  }

  /**
   * Makes a format.
   *
   * @throws S3EncryptionError `invalid-configuration` for an unknown type; what the format refuses of its options
   */
  async create({ type, ...fields }: FormatConfiguration): Promise<ObjectFormat> {
    const descriptor = this.#descriptors.get(type);
    if (descriptor === undefined) throw new S3EncryptionError("invalid-configuration", `There is no format "${type}".`);
    return await descriptor.create(fields);
  }
}
