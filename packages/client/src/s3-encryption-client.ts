import { S3Client, type S3ClientConfig, type ServiceInputTypes, type ServiceOutputTypes } from "@aws-sdk/client-s3";
import { type EncryptionCallOptions, type S3Command, withEncryptionOptions } from "./call-options.js";
import type { S3EncryptionOptions } from "./options.js";
import { resolveOptions } from "./options.js";
import { plainClientOf } from "./plain-client.js";
import { pluginOf } from "./plugin.js";
import type { LargeUpload } from "./write/put-object.js";

export interface S3EncryptionClientConfig extends S3ClientConfig {
  readonly encryption: S3EncryptionOptions;
}

type RequestOptions = NonNullable<Parameters<S3Client["send"]>[1]>;
type SendOptions = RequestOptions & EncryptionCallOptions;
type Callback<Output> = (error: unknown, data?: Output) => void;

/** An `S3Client` that encrypts what it puts and decrypts what it gets; every other command works as before. */
export class S3EncryptionClient extends S3Client {
  constructor(configuration: S3EncryptionClientConfig) {
    const { encryption, ...s3 } = configuration;
    const options = resolveOptions(encryption);
    // Whatever the checksum would find, the tag finds too, and checking it costs a fifth of the time of a get. CBC content
    // and ranges have no tag to check: a client that may read them keeps the SDK's default.
    super(options.enableLegacyUnauthenticatedModes ? s3 : { responseChecksumValidation: "WHEN_REQUIRED", ...s3 });
    const uploadLarge = async (): Promise<LargeUpload | undefined> => {
      const { loadUpload, uploadSealed } = await import("./transfer/upload-sealed.js");
      const Upload = await loadUpload();
      if (Upload === undefined) return undefined;
      return (sealed, signal) => uploadSealed(Upload, plainClientOf(this), sealed, { signal });
    };
    this.middlewareStack.use(pluginOf(options, uploadLarge));
  }

  override send<Input extends ServiceInputTypes, Output extends ServiceOutputTypes>(
    command: S3Command<Input, Output>,
    options?: SendOptions,
  ): Promise<Output>;
  override send<Input extends ServiceInputTypes, Output extends ServiceOutputTypes>(
    command: S3Command<Input, Output>,
    callback: Callback<Output>,
  ): void;
  override send<Input extends ServiceInputTypes, Output extends ServiceOutputTypes>(
    command: S3Command<Input, Output>,
    options: SendOptions,
    callback: Callback<Output>,
  ): void;
  override send<Input extends ServiceInputTypes, Output extends ServiceOutputTypes>(
    command: S3Command<Input, Output>,
    optionsOrCallback: SendOptions | Callback<Output> = {},
    callback?: Callback<Output>,
    // biome-ignore lint/suspicious/noConfusingVoidType: void is what the overload with a callback returns
  ): Promise<Output> | void {
    if (typeof optionsOrCallback === "function") return super.send(command, optionsOrCallback);
    const { encryptionContext, materialDescription, instructionFileSuffix, preferInstructionFile, format, ...request } =
      optionsOrCallback;
    const named = Object.entries({
      encryptionContext,
      materialDescription,
      instructionFileSuffix,
      preferInstructionFile,
      format,
      // An upload in parts is several requests, and the signal is handed to the first of them only.
      abortSignal: request.abortSignal,
    });
    const given = Object.fromEntries(named.filter(([, value]) => value !== undefined));
    const sent = Object.keys(given).length === 0 ? command : withEncryptionOptions(command, given);
    return callback === undefined ? super.send(sent, request) : super.send(sent, request, callback);
  }
}
