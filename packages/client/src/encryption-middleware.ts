import type { S3Client, ServiceInputTypes, ServiceOutputTypes } from "@aws-sdk/client-s3";
import { assertCarriesCallOptions, assertNamesObject, withoutCallOptions } from "./call-options.js";
import { refuseUnencrypted } from "./commands/refused-commands.js";
import { once } from "./once.js";
import type { ResolvedOptions } from "./options.js";
import { MIDDLEWARE } from "./plain-client.js";
import { quiet } from "./streams.js";
import { watchAttempts } from "./write/attempts.js";
import { failWithBodies } from "./write/sent-body.js";

type Middleware = Parameters<S3Client["middlewareStack"]["use"]>[0];

type Result<Output> = { output: Output; response: unknown };
type Send<Input, Output> = (input: Input) => Promise<Result<Output>>;

/** Encrypts and decrypts what goes through a client's stack. */
export function encryptionMiddleware(options: ResolvedOptions, client: S3Client): Middleware {
  return {
    applyToStack: (stack) => {
      watchAttempts(stack);
      stack.add(
        (next, { commandName }) =>
          async (args) => {
            const telemetry = options.telemetry.of(commandName, args.input);
            return await telemetry.refusing(async () => {
              refuseUnencrypted(commandName, options.allowUnencryptedCommands);
              assertCarriesCallOptions(commandName, args.input, options.allowUnencryptedCommands);
              assertNamesObject(commandName, args.input);
              // The handler further down serves whatever input it is given, so an instruction file goes the object's way:
              // same region, credentials and endpoint. Without its call's options, an input counts as handled.
              const send = (input: ServiceInputTypes): Promise<Result<ServiceOutputTypes>> =>
                next({ ...args, input: withoutCallOptions(input) });
              const heard = telemetry === options.telemetry ? options : { ...options, telemetry };
              return await dispatch(heard, client, commandName, args.input, send);
            });
          },
        MIDDLEWARE,
      );
      failWithBodies(stack);
    },
  };
}

type Operation = (
  options: ResolvedOptions,
  input: object,
  send: Send<object, ServiceOutputTypes>,
  client: S3Client,
) => Promise<unknown>;

/** A command's name says which members of the SDK's unions its operation takes. */
function operation(loaded: unknown): Operation {
  return loaded as Operation;
}

/**
 * What the encryption does otherwise. Commands are told apart by name, not by class, so that another copy of client-s3 is
 * served too; each operation is loaded when it is first asked for: importing the package must not cost what is not used.
 */
const OPERATIONS: ReadonlyMap<string | undefined, () => Promise<Operation>> = new Map([
  ["PutObjectCommand", once(async () => operation((await import("./write/put-object.js")).putObject))],
  ["GetObjectCommand", once(async () => operation((await import("./read/get-object.js")).getObject))],
  ["DeleteObjectCommand", once(async () => operation((await import("./commands/delete-object.js")).deleteObject))],
  ["DeleteObjectsCommand", once(async () => operation((await import("./commands/delete-objects.js")).deleteObjects))],
  ["CopyObjectCommand", once(async () => operation((await import("./commands/copy-object.js")).copyObject))],
  [
    "CreateMultipartUploadCommand",
    once(async () => operation((await import("./multipart/create-multipart-upload.js")).createMultipartUpload)),
  ],
  ["UploadPartCommand", once(async () => operation((await import("./multipart/upload-part.js")).uploadPart))],
  [
    "CompleteMultipartUploadCommand",
    once(async () => operation((await import("./multipart/complete-multipart-upload.js")).completeMultipartUpload)),
  ],
  [
    "AbortMultipartUploadCommand",
    once(async () => operation((await import("./multipart/abort-multipart-upload.js")).abortMultipartUpload)),
  ],
  ["ListPartsCommand", once(async () => operation((await import("./multipart/list-parts.js")).listParts))],
]);

async function dispatch<Output>(
  options: ResolvedOptions,
  client: S3Client,
  commandName: string | undefined,
  input: object,
  send: unknown,
): Promise<Output> {
  // It may fail before it is read, while that is being loaded; reading it then tells.
  quiet(Reflect.get(input, "Body"));
  const load = OPERATIONS.get(commandName);
  const next = send as Send<object, ServiceOutputTypes>;
  const result = load === undefined ? next(input) : (await load())(options, input, next, client);
  return (await result) as Output;
}
