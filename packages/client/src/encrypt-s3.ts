import type {
  CopyObjectCommandInput,
  CopyObjectCommandOutput,
  CreateMultipartUploadCommandInput,
  CreateMultipartUploadCommandOutput,
  DeleteObjectCommandInput,
  DeleteObjectCommandOutput,
  DeleteObjectsCommandInput,
  DeleteObjectsCommandOutput,
  GetObjectCommandInput,
  GetObjectCommandOutput,
  PutObjectCommandInput,
  PutObjectCommandOutput,
  S3,
  S3Client,
  ServiceInputTypes,
  ServiceOutputTypes,
} from "@aws-sdk/client-s3";
import { S3EncryptionError } from "@s3ec/materials";
import { prepareCall, type S3Command, type SendOptions } from "./call-options.js";
import { refusePresignedPosts } from "./commands/presigned-posts.js";
import { encryptionMiddleware } from "./encryption-middleware.js";
import { type ResolvedOptions, resolveOptions, type S3EncryptionOptions } from "./options.js";
import { encryptsAlready, heardBy, rememberEncryption, type Send } from "./plain-client.js";

/** What the SDK's callback style is given: an error, or what S3 answered. */
export type Callback<Output> = (error: unknown, data?: Output) => void;

/** `send` of a client that encrypts: also takes what a call says about its object. */
export interface EncryptingSend {
  <Input extends ServiceInputTypes, Output extends ServiceOutputTypes>(
    command: S3Command<Input, Output>,
    options?: SendOptions,
  ): Promise<Output>;
  <Input extends ServiceInputTypes, Output extends ServiceOutputTypes>(
    command: S3Command<Input, Output>,
    callback: Callback<Output>,
  ): void;
  <Input extends ServiceInputTypes, Output extends ServiceOutputTypes>(
    command: S3Command<Input, Output>,
    options: SendOptions,
    callback: Callback<Output>,
  ): void;
}

/** A method of the class `S3`, such as `putObject`, that also takes what a call says about its object. */
export interface EncryptingMethod<Input, Output> {
  (args: Input, options?: SendOptions): Promise<Output>;
  (args: Input, callback: Callback<Output>): void;
  (args: Input, options: SendOptions, callback: Callback<Output>): void;
}

/** The methods of the class `S3` whose commands the encryption handles. */
export interface EncryptingMethods {
  /** Encrypts the body and stores it. */
  readonly putObject: EncryptingMethod<PutObjectCommandInput, PutObjectCommandOutput>;
  /** Fetches an object or a range of it, and decrypts it. */
  readonly getObject: EncryptingMethod<GetObjectCommandInput, GetObjectCommandOutput>;
  /** Copies an object as it is encrypted, and the instruction files beside it. */
  readonly copyObject: EncryptingMethod<CopyObjectCommandInput, CopyObjectCommandOutput>;
  /** Begins an object in parts, which the client then encrypts one by one. */
  readonly createMultipartUpload: EncryptingMethod<
    CreateMultipartUploadCommandInput,
    CreateMultipartUploadCommandOutput
  >;
  /** Deletes an object, and the instruction files beside it. */
  readonly deleteObject: EncryptingMethod<DeleteObjectCommandInput, DeleteObjectCommandOutput>;
  /** Deletes objects, and the instruction files beside them. */
  readonly deleteObjects: EncryptingMethod<DeleteObjectsCommandInput, DeleteObjectsCommandOutput>;
}

/** A client that encrypts what it puts and decrypts what it gets, and whose calls take `EncryptionCallOptions`. */
export type EncryptedS3<Client extends S3Client> = Client & {
  /** Sends a command, and takes what its call says about the object. */
  readonly send: EncryptingSend;
} & (Client extends Pick<S3, keyof EncryptingMethods> ? EncryptingMethods : unknown);

/**
 * Makes an `S3Client` that you already have, or an `S3`, encrypt what it puts and decrypt what it gets, from its next call
 * on: it is this very client, so that nothing that holds it writes in the clear any more.
 *
 * @returns the client, with the types of its calls' options
 * @throws S3EncryptionError `invalid-configuration` for wrong options, `invalid-argument` for what is no S3Client, encrypts
 *   already, or cannot be changed
 */
export function encryptS3<Client extends S3Client>(client: Client, options: S3EncryptionOptions): EncryptedS3<Client> {
  assertMayEncrypt(client);
  const resolved = resolveOptions(options, "encryptS3(client, { keyring })");
  const send = sendOf(client);
  installEncryption(client, resolved, send);
  const value = (...call: [unknown, unknown, unknown]): unknown => sendEncrypted(client, send, ...call);
  Object.defineProperty(client, "send", { value, writable: true, configurable: true });
  return client as EncryptedS3<Client>;
}

/** Puts the encryption on the stack of a client, whose `send` then has to be `sendEncrypted`. */
export function installEncryption(client: S3Client, resolved: ResolvedOptions, send: Send): void {
  const options = heardBy(client, resolved);
  client.middlewareStack.use(encryptionMiddleware(options, client));
  refusePresignedPosts(client);
  rememberEncryption(client, { options, send });
}

/** Sends a command with its call's options. What is wrong with them is told where the answer would be. */
export function sendEncrypted(
  client: S3Client,
  send: Send,
  command: unknown,
  given: unknown,
  callback: unknown,
): unknown {
  const answer = typeof given === "function" ? given : callback;
  try {
    assertCallback(callback);
    const prepared = prepareCall(command as S3Command<ServiceInputTypes, ServiceOutputTypes>, optionsOf(given));
    return send(client, prepared.command, prepared.request, answer);
  } catch (error) {
    if (typeof answer !== "function") return Promise.reject(error);
    queueMicrotask(() => answer(error));
    return undefined;
  }
}

/** The SDK ignores any other, such as options for the encryption behind those for the request. */
function assertCallback(callback: unknown): void {
  if (callback === undefined || callback === null || typeof callback === "function") return;
  throw invalid("Pass all options of a call as one object, client.send(command, options): behind it comes a callback.");
}

function optionsOf(given: unknown): SendOptions {
  return typeof given === "function" ? {} : ((given ?? {}) as SendOptions);
}

/** An inherited one is looked up for each call: what traces the SDK replaces it on its class. */
function sendOf(client: S3Client): Send {
  const own: object | undefined = Object.hasOwn(client, "send") ? client.send : undefined;
  const prototype: object = Object.getPrototypeOf(client);
  return (of, ...call) => Reflect.apply((own ?? Reflect.get(prototype, "send")) as S3Client["send"], of, call);
}

function assertMayEncrypt(client: S3Client): void {
  if (typeof client?.middlewareStack?.identify !== "function" || typeof client.send !== "function") {
    throw invalid("Pass an S3Client, or an S3, of @aws-sdk/client-s3 to encryptS3.");
  }
  if (encryptsAlready(client)) {
    throw invalid("This client encrypts already: make another S3Client for other encryption options.");
  }
  if (!Object.isExtensible(client)) throw invalid("encryptS3 cannot change a frozen client: pass it before.");
  // With cacheMiddleware, handlers of earlier calls would be used on, and know nothing of the encryption.
  Reflect.deleteProperty(client, "handlers");
  if (Reflect.get(client, "handlers") !== undefined) {
    throw invalid(
      "This client uses the cached handlers of another one, which do not encrypt: pass a client of its own.",
    );
  }
}

function invalid(message: string): S3EncryptionError {
  return new S3EncryptionError("invalid-argument", message);
}
