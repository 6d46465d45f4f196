import type { EncryptionCallOptions } from "@s3ec/client";
import { S3EncryptionError } from "@s3ec/materials";
import { type Command, InvalidArgumentError } from "commander";
import { entry } from "../command-options.js";
import type { ConnectionOptions } from "../connection.js";
import type { TransferOptions } from "../download.js";
import { say, sayLine, takeStandardOutput } from "../json/json-output.js";
import { doneLine } from "../json/named-object.js";
import { type ObjectAddress, objectAddress } from "../object-address.js";
import { tell, warn } from "../printing.js";
import type { DecryptOptions } from "./decrypt-file.js";
import type { PresignCommandOptions } from "./presign-command.js";

/** What a command is given to do its work with: how far it is shown, and what is said when it is done. */
type WithProgress = <Options extends ConnectionOptions>(
  options: Options,
  dispose: () => Promise<void>,
  work: (options: TransferOptions) => Promise<() => Promise<void>>,
) => Promise<void>;

/** The options of commands that reach S3, and of those that use keys. */
export interface CommandKinds {
  readonly common: (command: Command, description: string) => Command;
  readonly transfer: (command: Command, description: string) => Command;
  readonly withProgress: WithProgress;
}

interface FileOptions extends ConnectionOptions {
  readonly object?: ObjectAddress;
  readonly output: string;
  readonly json?: boolean;
}

/** `s3ec decrypt`, `s3ec encrypt` and `s3ec presign`: objects away from S3. */
export function awayCommands(root: Command, { common, transfer, withProgress }: CommandKinds): void {
  ofObject(transfer(root.command("decrypt"), "Decrypt an object that was downloaded by another tool; asks S3 nothing."))
    .argument("<FILE>", "the stored bytes; - is standard input")
    .option("--head <FILE>", "its metadata: what aws s3api head-object or curl -I printed; - is standard input")
    .option("--instruction <FILE>", "its instruction file, which is then taken instead of the key in the metadata")
    .option("--annotation <NAME=FILE>", "the text of an annotation of it (repeatable)", entry)
    .option("--presigned <FILE>", "what s3ec presign --json printed, for what lay beside the object")
    .option("-o, --output <FILE>", "where to, once it is whole and authenticated; - is standard output", "-")
    .action(async (file: string, options: FileOptions & DecryptOptions) => {
      const { object, output, head, instruction, annotation, presigned } = options;
      const { connect } = await import("../connection.js");
      const { decryptFile } = await import("./decrypt-file.js");
      const stdin = file === "-" || head === "-" ? false : process.stdin;
      const { client, dispose } = await connect(options, object?.Bucket, { stdin, onWarning: warn });
      const said = defined({ head, instruction, annotation, presigned });
      await withProgress(options, dispose, async ({ call, signal, onProgress }) => {
        const keys = { client, ...call, ...object };
        const done = await decryptFile(file, output, { ...said, ...keys }, { signal, onProgress });
        const { ContentLength: bytes, isAuthenticated, isToStandardOutput } = done;
        const from = file === "-" ? "standard input" : file;
        const to = isToStandardOutput ? "standard output" : output;
        const doubt = isAuthenticated ? "" : " Nothing can tell whether it was altered: CBC has no tag.";
        const answer = {
          words: `Decrypted ${bytes} bytes of ${from} into ${to}.${doubt}`,
          json: doneLine("decrypt", file, output, { bytes, isAuthenticated }),
        };
        return () => sayLine(answer, options.json);
      });
    });
  ofObject(
    transfer(
      root.command("encrypt"),
      "Encrypt a file into ciphertext and metadata to upload with any tool; asks S3 nothing, and prints the commands.",
    ),
  )
    .argument("<FILE>", "what to encrypt; - is standard input")
    .requiredOption(
      "-o, --output <FILE>",
      "where the ciphertext goes; never a file that is there; - is standard output",
    )
    .option("--head <FILE>", "where its metadata goes (default: the output's name with .head.json)")
    .option("--metadata <k=v>", "metadata of your own (repeatable)", entry)
    .action(async (file: string, options: FileOptions & { head?: string; metadata?: Record<string, string> }) => {
      const { object, output, metadata } = options;
      const head = options.head ?? (output === "-" ? undefined : `${output}.head.json`);
      if (head === undefined)
        throw invalid("Of ciphertext on standard output, say where its metadata goes: --head FILE.");
      if (output === "-") takeStandardOutput();
      const { connect } = await import("../connection.js");
      const { encryptFile } = await import("./encrypt-file.js");
      const { uploadCommands } = await import("./upload-commands.js");
      const stdin = file === "-" ? false : process.stdin;
      const { client, dispose } = await connect(options, object?.Bucket, { stdin, onWarning: warn });
      await withProgress(options, dispose, async ({ call, signal, onProgress }) => {
        const keys = { client, ...writing(call), ...object };
        const done = await encryptFile(file, { output, head, metadata }, keys, { signal, onProgress });
        const commands = uploadCommands(done, object);
        const { length: bytes, instructionFiles, annotations } = done;
        const answer = {
          words: [
            `Encrypted ${bytes} bytes of ${file === "-" ? "standard input" : file}. Nobody can decrypt it without the metadata in ${head}. To upload it with that:`,
            ...commands,
          ].join("\n"),
          json: doneLine("encrypt", file, output, {
            bytes,
            head,
            instructionFiles: instructionFiles.map((each) => ({ suffix: each.suffix, file: each.file })),
            annotations: annotations.map((each) => ({ name: each.name, file: each.file })),
            commands,
          }),
        };
        return () => sayLine(answer, options.json);
      });
    });
  presign(
    common(root.command("presign"), "Print a URL by which its holder gets the ciphertext of an object; needs no key."),
  );
}

function presign(command: Command): void {
  command
    .argument("<s3://bucket/key>", "which object", objectAddress)
    .option("--expires-in <SECONDS>", "for how long, at most 604800, which is seven days (default: 3600)", seconds)
    .option("--recipient <NAME>", "whose wrapped key, in an annotation of the object, is printed by --json, too")
    .option("--version-id <ID>", "a version of the object")
    .option("--method <METHOD>", "GET; nothing else is presigned, since its holder would store plaintext", "GET")
    .action(async (address: ObjectAddress, options: ConnectionOptions & PresignCommandOptions & { json?: true }) => {
      const { connectWithoutKeys } = await import("../connection.js");
      const { aboutPresigned, assertPresignable, presignCommand } = await import("./presign-command.js");
      assertPresignable(options.method);
      const { client, dispose } = await connectWithoutKeys(options, address.Bucket);
      try {
        const presigned = await presignCommand(client, address, options);
        await say({ words: presigned.url, json: presigned }, options.json);
        await tell(aboutPresigned(presigned));
      } finally {
        await dispose();
      }
    });
}

function ofObject(command: Command): Command {
  return command.option(
    "--object <s3://bucket/key>",
    "where the object is or goes, for configurations that choose keys by it, and for what is printed",
    objectAddress,
  );
}

/** What a put takes. */
function writing({ preferInstructionFile: _, instructionFileVersionId: __, ...call }: EncryptionCallOptions) {
  return call;
}

function defined<Value extends object>(value: Value): { [Name in keyof Value]: Exclude<Value[Name], undefined> } {
  const entries = Object.entries(value).filter(([, each]) => each !== undefined);
  return Object.fromEntries(entries) as { [Name in keyof Value]: Exclude<Value[Name], undefined> };
}

function seconds(text: string): number {
  if (/^[1-9]\d{0,5}$/.test(text) && Number(text) <= 604_800) return Number(text);
  throw new InvalidArgumentError("Write a number of seconds from 1 to 604800.");
}

function invalid(message: string): S3EncryptionError {
  return new S3EncryptionError("invalid-argument", message);
}
