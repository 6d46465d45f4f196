import type {
  CopyObjectCommandInput,
  CopyObjectCommandOutput,
  DeleteObjectCommandInput,
  DeleteObjectCommandOutput,
  DeleteObjectsCommandInput,
  DeleteObjectsCommandOutput,
  GetObjectCommandInput,
  GetObjectCommandOutput,
  PutObjectCommandInput,
  PutObjectCommandOutput,
  S3Client,
  ServiceInputTypes,
  ServiceOutputTypes,
} from "@aws-sdk/client-s3";
import { copyObject } from "./copy-object.js";
import { deleteObject, deleteObjects } from "./delete-object.js";
import { getObject } from "./get-object.js";
import { type ResolvedOptions, resolveOptions, type S3EncryptionOptions } from "./options.js";
import { MIDDLEWARE_NAME, rememberEncryption } from "./plain-client.js";
import { type LargeUploadLoader, putObject } from "./put-object.js";
import { refuseUnencrypted } from "./refused-commands.js";
import { failWithBody, rememberBody } from "./sent-body.js";

/** What `client.middlewareStack.use()` takes. */
export type S3Plugin = Parameters<S3Client["middlewareStack"]["use"]>[0];

type Result<Output> = { output: Output; response: unknown };
type Send<Input, Output> = (input: Input) => Promise<Result<Output>>;

/** Encrypts and decrypts on an `S3Client` that you already have: `client.middlewareStack.use(s3EncryptionPlugin(...))`. */
export function s3EncryptionPlugin(options: S3EncryptionOptions): S3Plugin {
  return pluginOf(resolveOptions(options), undefined);
}

export function pluginOf(options: ResolvedOptions, loadLargeUpload: LargeUploadLoader | undefined): S3Plugin {
  return {
    applyToStack: (stack) => {
      rememberEncryption(stack, options);
      stack.add(
        (next, context) => async (args) => {
          // The handler further down serves whatever input it is given, so an instruction file goes the object's way:
          // same region, credentials and endpoint.
          const send = async (input: ServiceInputTypes): Promise<Result<ServiceOutputTypes>> => {
            rememberBody(context, input);
            return next({ ...args, input });
          };
          return dispatch(options, loadLargeUpload, context.commandName, args.input, send);
        },
        // At the default priority it would run inside the region redirect, and encrypt twice.
        { step: "initialize", priority: "high", name: MIDDLEWARE_NAME, override: true },
      );
      stack.add(
        (next, context) => async (args) => {
          failWithBody(context, args.request);
          return next(args);
        },
        // After the SDK has put its own stream around the body, before it waits for credentials and signs.
        { step: "build", priority: "low", name: `${MIDDLEWARE_NAME}Body`, override: true },
      );
    },
  };
}

// Commands are told apart by name, not by class, so that another copy of client-s3 is served too; the name says which
// members of the input and output unions these are.
async function dispatch<Output>(
  options: ResolvedOptions,
  loadLargeUpload: LargeUploadLoader | undefined,
  commandName: string | undefined,
  input: object,
  send: unknown,
): Promise<Output> {
  refuseUnencrypted(commandName, options.allowUnencryptedCommands);
  const result = (): Promise<unknown> => {
    switch (commandName) {
      case "PutObjectCommand":
        return putObject(
          options,
          input as PutObjectCommandInput,
          send as Send<PutObjectCommandInput, PutObjectCommandOutput>,
          loadLargeUpload,
        );
      case "GetObjectCommand":
        return getObject(
          options,
          input as GetObjectCommandInput,
          send as Send<GetObjectCommandInput, GetObjectCommandOutput>,
        );
      case "DeleteObjectCommand":
        return deleteObject(
          options,
          input as DeleteObjectCommandInput,
          send as Send<DeleteObjectCommandInput, DeleteObjectCommandOutput>,
        );
      case "DeleteObjectsCommand":
        return deleteObjects(
          options,
          input as DeleteObjectsCommandInput,
          send as Send<DeleteObjectsCommandInput, DeleteObjectsCommandOutput>,
        );
      case "CopyObjectCommand":
        return copyObject(
          options,
          input as CopyObjectCommandInput,
          send as Send<CopyObjectCommandInput, CopyObjectCommandOutput>,
        );
      default:
        return (send as Send<object, ServiceOutputTypes>)(input);
    }
  };
  return (await result()) as Output;
}
