import { readFileSync } from "node:fs";
import type { EncryptionCallOptions } from "@s3ec/client";
import { Command, InvalidArgumentError } from "commander";
import type { ConnectionOptions } from "./connection.js";
import type { TransferOptions } from "./download-file.js";
import { EXIT_CODES, EXIT_CODES_HELP, Interruption, reportOf } from "./exit-codes.js";
import { formatAddress, type ObjectAddress, objectAddress } from "./object-address.js";

interface CommonOptions extends ConnectionOptions {
  readonly suffix?: string;
}

interface TransferCommandOptions extends CommonOptions {
  readonly context?: Readonly<Record<string, string>>;
  readonly description?: Readonly<Record<string, string>>;
}

/** Runs one command line (without `node` and the script); returns the exit code. Prints, but never throws. */
export async function run(args: readonly string[]): Promise<number> {
  const aborting = new AbortController();
  const onSignal = (signal: "SIGINT" | "SIGTERM"): void => aborting.abort(new Interruption(signal));
  process.once("SIGINT", onSignal);
  process.once("SIGTERM", onSignal);
  try {
    await program(aborting.signal).parseAsync([...args], { from: "user" });
    return EXIT_CODES.ok;
  } catch (error) {
    const { exitCode, message } = reportOf(error);
    if (message !== undefined) process.stderr.write(`s3ec: ${message}\n`);
    return exitCode;
  } finally {
    process.off("SIGINT", onSignal);
    process.off("SIGTERM", onSignal);
  }
}

function packageVersion(): string {
  const { version }: { readonly version: string } = JSON.parse(
    readFileSync(new URL("../package.json", import.meta.url), "utf8"),
  );
  return version;
}

// What a command needs is loaded by the command: help and wrong arguments answer at once.
function program(signal: AbortSignal): Command {
  const root = new Command("s3ec")
    .version(packageVersion())
    .description("Puts, gets and inspects objects of Amazon S3 that are encrypted before they leave this machine.")
    .exitOverride()
    .configureOutput({ outputError: (text, write) => write(text.replace(/^error: /, "s3ec: ")) })
    .showHelpAfterError("(s3ec --help tells more)")
    .addHelpText("after", EXIT_CODES_HELP);

  transfer(root.command("put"), "Encrypt FILE into an object.")
    .argument("<FILE>")
    .argument("<s3://bucket/key>", "where to", objectAddress)
    .action(async (file: string, address: ObjectAddress, options: TransferCommandOptions) => {
      const { connect } = await import("./connection.js");
      const { uploadFile } = await import("./upload-file.js");
      const { client, dispose } = await connect(options, address.Bucket);
      await withProgress(options, signal, dispose, async (transferOptions) => {
        const length = await uploadFile(client, file, address, transferOptions);
        return `Encrypted ${length} bytes of ${file} into ${formatAddress(address)}.`;
      });
    });

  transfer(root.command("get"), "Decrypt an object into FILE, which appears only once it is whole and authenticated.")
    .argument("<s3://bucket/key>", "what to get", objectAddress)
    .argument("<FILE>")
    .action(async (address: ObjectAddress, file: string, options: TransferCommandOptions) => {
      const { connect } = await import("./connection.js");
      const { downloadFile } = await import("./download-file.js");
      const { client, dispose } = await connect(options, address.Bucket);
      await withProgress(options, signal, dispose, async (transferOptions) => {
        const length = await downloadFile(client, address, file, transferOptions);
        return `Decrypted ${length} bytes of ${formatAddress(address)} into ${file}.`;
      });
    });

  common(root.command("inspect"), "Say what is stored about an object; needs no key.")
    .argument("<s3://bucket/key>", "what to look at", objectAddress)
    .option("--json", "print JSON")
    .action(async (address: ObjectAddress, options: CommonOptions & { json?: boolean }) => {
      const { connectWithoutKeys } = await import("./connection.js");
      const { inspectCommand } = await import("./inspect-command.js");
      const { client, dispose } = await connectWithoutKeys(options, address.Bucket);
      try {
        print(await inspectCommand(client, address, options));
      } finally {
        await dispose();
      }
    });

  const config = root.command("config").description("Check and describe configurations.");
  config
    .command("check")
    .description(
      "Validate a configuration, and say who can read and write with it. Runs its plugins; calls no key store.",
    )
    .argument("<FILE>")
    .action(async (file: string) => {
      const { configCheck } = await import("./config-command.js");
      print(await configCheck(file));
    });
  config
    .command("schema")
    .description("Print the JSON Schema of configurations, for editors.")
    .action(async () => {
      const { configurationJsonSchema } = await import("@s3ec/container");
      print(JSON.stringify(configurationJsonSchema(), null, 2));
    });
  return root;
}

function common(command: Command, description: string): Command {
  return command
    .description(description)
    .option("--config <FILE>", "configuration (default: s3ec.config.json in this folder)")
    .option("--dev", "use a local S3 and KMS, kept in the folder .s3ec-dev")
    .option("--dev-server <URL>", "use the s3ec-dev-server that runs at this address", serverAddress)
    .option("--suffix <SUFFIX>", "instruction file suffix, such as .escrow");
}

function transfer(command: Command, description: string): Command {
  return common(command, description)
    .option("--context <k=v>", "encryption context for KMS keys (repeatable)", entry)
    .option("--description <k=v>", "material description for raw keys (repeatable)", entry);
}

function serverAddress(text: string): string {
  if (/^https?:\/\//i.test(text) && URL.canParse(text)) return text;
  throw new InvalidArgumentError("Write it as it was printed: http://127.0.0.1:4566");
}

function entry(text: string, previous: Readonly<Record<string, string>> = {}): Readonly<Record<string, string>> {
  const [, name, value] = /^([^=]+)=(.*)$/s.exec(text) ?? [];
  if (name === undefined || value === undefined) throw new InvalidArgumentError("Write it as name=value.");
  return { ...previous, [name]: value };
}

async function withProgress(
  { context, description, suffix }: TransferCommandOptions,
  signal: AbortSignal,
  dispose: () => Promise<void>,
  work: (options: TransferOptions) => Promise<string>,
): Promise<void> {
  const call: EncryptionCallOptions = {
    ...(context === undefined ? {} : { encryptionContext: context }),
    ...(description === undefined ? {} : { materialDescription: description }),
    ...(suffix === undefined ? {} : { instructionFileSuffix: suffix }),
  };
  const { progressBar } = await import("./progress-bar.js");
  const bar = progressBar();
  let done: string;
  try {
    done = await work({ call, signal, onProgress: bar.update });
  } finally {
    bar.stop();
    await dispose();
  }
  print(done);
}

function print(text: string): void {
  process.stdout.write(`${text}\n`);
}
