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
import { assertCarriesCallOptions, withoutCallOptions } from "./call-options.js";
import { refuseUnencrypted } from "./commands/refused-commands.js";
import type { ResolvedOptions } from "./options.js";
import { MIDDLEWARE } from "./plain-client.js";
import { quiet } from "./streams.js";
import { watchAttempts } from "./write/attempts.js";
import { failWithBody } from "./write/sent-body.js";

type Middleware = Parameters<S3Client["middlewareStack"]["use"]>[0];

type Result<Output> = { output: Output; response: unknown };
type Send<Input, Output> = (input: Input) => Promise<Result<Output>>;

/** Encrypts and decrypts what goes through a client's stack. */
export function encryptionMiddleware(options: ResolvedOptions, client: S3Client): Middleware {
  return {
    applyToStack: (stack) => {
      watchAttempts(stack);
      stack.add(
        (next, context) => async (args) => {
          refuseUnencrypted(context.commandName, options.allowUnencryptedCommands);
          assertCarriesCallOptions(context.commandName, args.input);
          // The handler further down serves whatever input it is given, so an instruction file goes the object's way:
          // same region, credentials and endpoint. Without its call's options, an input counts as handled.
          const send = (input: ServiceInputTypes): Promise<Result<ServiceOutputTypes>> =>
            next({ ...args, input: withoutCallOptions(input) });
          return dispatch(options, client, context.commandName, args.input, send);
        },
        MIDDLEWARE,
      );
      stack.add(
        (next) => async (args) => {
          failWithBody(args.input, args.request);
          return next(args);
        },
        // After the SDK has put its own stream around the body, before it waits for credentials and signs.
        { step: "build", priority: "low", name: `${MIDDLEWARE.name}Body`, override: true },
      );
    },
  };
}

// Commands are told apart by name, not by class, so that another copy of client-s3 is served too; the name says which
// members of the input and output unions these are.
async function dispatch<Output>(
  options: ResolvedOptions,
  client: S3Client,
  commandName: string | undefined,
  input: object,
  send: unknown,
): Promise<Output> {
  // It may fail before it is read, while that is being loaded; reading it then tells.
  const body: unknown = Reflect.get(input, "Body");
  quiet(body);
  // Each operation is loaded when it is first asked for: importing the package must not cost what is not used.
  const result = async (): Promise<unknown> => {
    switch (commandName) {
      case "PutObjectCommand":
        return (await import("./write/put-object.js")).putObject(
          options,
          input as PutObjectCommandInput,
          send as Send<PutObjectCommandInput, PutObjectCommandOutput>,
          client,
        );
      case "GetObjectCommand":
        return (await import("./read/get-object.js")).getObject(
          options,
          input as GetObjectCommandInput,
          send as Send<GetObjectCommandInput, GetObjectCommandOutput>,
          client,
        );
      case "DeleteObjectCommand":
        return (await import("./commands/delete-object.js")).deleteObject(
          options,
          input as DeleteObjectCommandInput,
          send as Send<DeleteObjectCommandInput, DeleteObjectCommandOutput>,
          client,
        );
      case "DeleteObjectsCommand":
        return (await import("./commands/delete-objects.js")).deleteObjects(
          options,
          input as DeleteObjectsCommandInput,
          send as Send<DeleteObjectsCommandInput, DeleteObjectsCommandOutput>,
          client,
        );
      case "CopyObjectCommand":
        return (await import("./commands/copy-object.js")).copyObject(
          options,
          input as CopyObjectCommandInput,
          send as Send<CopyObjectCommandInput, CopyObjectCommandOutput>,
          client,
        );
      default:
        return (send as Send<object, ServiceOutputTypes>)(input);
    }
  };
  return (await result()) as Output;
}
