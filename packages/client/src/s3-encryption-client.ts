import { S3Client, type S3ClientConfig, type ServiceInputTypes, type ServiceOutputTypes } from "@aws-sdk/client-s3";
import { S3EncryptionError } from "@s3ec/materials";
import { CALL, type S3Command, type SendOptions } from "./call-options.js";
import { type Callback, installEncryption, sendEncrypted } from "./encrypt-s3.js";
import { ENCRYPTION, resolveOptions, type S3EncryptionOptions } from "./options.js";
import type { Send } from "./plain-client.js";

/** What an `S3Client` is configured with, and how it encrypts. */
export interface S3EncryptionClientConfig extends S3ClientConfig {
  /** How it encrypts and decrypts. */
  readonly encryption: S3EncryptionOptions;
}

const SEND: Send = (client, ...call) => Reflect.apply(S3Client.prototype.send, client, call);

/** The SDK ignores what it does not know of a configuration: a policy, or a context to bind, would silently not be. */
function assertNotBeside(configuration: object): void {
  const misplaced = Object.keys({ ...ENCRYPTION, ...CALL }).find((name) => name in configuration);
  if (misplaced === undefined) return;
  throw new S3EncryptionError(
    "invalid-configuration",
    Object.hasOwn(ENCRYPTION, misplaced)
      ? `Pass ${misplaced} in encryption, not beside it: new S3EncryptionClient({ region, encryption: { keyring, ${misplaced} } }).`
      : `Pass ${misplaced} with each call, not to the client: client.send(command, { ${misplaced} }).`,
  );
}

/** An `S3Client` that encrypts what it puts and decrypts what it gets; every other command works as before. */
export class S3EncryptionClient extends S3Client {
  /** @throws S3EncryptionError `invalid-configuration` for wrong options, `commitment-policy` for what could never be written */
  constructor(configuration: S3EncryptionClientConfig) {
    const { encryption, ...s3 } = configuration;
    const options = resolveOptions(encryption);
    assertNotBeside(configuration);
    // Whatever the checksum would find, the tag finds too, and checking it costs a fifth of the time of a get. CBC content
    // and ranges have no tag to check: a client that may read them keeps the SDK's default.
    super(
      !options.formats.every(({ provesAll }) => provesAll)
        ? s3
        : { responseChecksumValidation: "WHEN_REQUIRED", ...s3 },
    );
    installEncryption(this, options, SEND);
  }

  /**
   * Sends a command, and takes what its call says about the object. Its promise rejects, or its callback is given, what S3
   * answers, and an `S3EncryptionError`, whose codes tell what to do.
   */
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
    options?: SendOptions | Callback<Output>,
    callback?: Callback<Output>,
    // biome-ignore lint/suspicious/noConfusingVoidType: void is what the overload with a callback returns
  ): Promise<Output> | void {
    return sendEncrypted(this, SEND, command, options, callback) as Promise<Output> | undefined;
  }
}
