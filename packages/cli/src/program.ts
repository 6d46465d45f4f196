import type { EncryptionCallOptions } from "@s3ec/client";
import { Command, Option } from "commander";
import { auditCommand } from "./audit-command.js";
import { awayCommands } from "./away/away-commands.js";
import { ALLOW_COMMANDS, DEV_SERVER, entry, USE } from "./command-options.js";
import { configCommands } from "./config-commands.js";
import type { ConnectionOptions } from "./connection.js";
import { devServerAddress } from "./dev-server-address.js";
import type { TransferOptions } from "./download.js";
import { reportOf } from "./error-report.js";
import { EXIT_CODES, EXIT_CODES_HELP } from "./exit-codes.js";
import { helpCommand } from "./help/help-command.js";
import { inspectVerb } from "./inspect-verb.js";
import { Interrupts } from "./interruption.js";
import { isContentAsked } from "./json/content-output.js";
import { errorLine, isJsonAsked } from "./json/error-line.js";
import { beginOutput, printLine, sayLine, takeStandardOutput } from "./json/json-output.js";
import { answered, doneLine } from "./json/named-object.js";
import { schemaCommand } from "./json/schema-command.js";
import { keyCommands } from "./key-commands.js";
import { migrateCommand } from "./migrate-command.js";
import { exists } from "./new-file.js";
import {
  destinationAddress,
  fileNamedAfter,
  formatAddress,
  type ObjectAddress,
  objectAddress,
  objectNamedAfter,
} from "./object-address.js";
import { objectsCommands } from "./objects/objects-commands.js";
import { packageVersion } from "./package-version.js";
import { tell, warn } from "./printing.js";
import { recipientsCommands } from "./recipients-command.js";
import { rewrapCommand } from "./rewrap-command.js";
import { withoutSecrets } from "./secret-values.js";
import { serviceOptions } from "./service-options.js";
import { shellCommands } from "./shell/shell-commands.js";
import { verifyCommand } from "./verify-command.js";

interface CommonOptions extends ConnectionOptions {
  readonly suffix?: string;
  readonly json?: boolean;
}

interface TransferCommandOptions extends CommonOptions {
  readonly context?: Readonly<Record<string, string>>;
  readonly description?: Readonly<Record<string, string>>;
}

interface PutCommandOptions extends TransferCommandOptions {
  readonly resume?: boolean;
  readonly discard?: boolean;
}

/** Runs one command line (without `node` and the script); returns the exit code. Prints, but never throws. */
export async function run(args: readonly string[]): Promise<number> {
  using interrupts = new Interrupts();
  let verbose = false;
  try {
    const command = program(interrupts, () => {
      verbose = true;
    });
    // Before anything can fail.
    beginOutput(await isContentAsked(command, args));
    await interrupts.race(command.parseAsync([...args], { from: "user" }));
    return EXIT_CODES.ok;
  } catch (error) {
    const report = reportOf(error);
    const { exitCode, message } = report;
    const { left } = interrupts;
    if (message !== undefined) await tell(`s3ec: ${message}`);
    if (left !== undefined) await tell(`s3ec: ${left}`);
    const line = isJsonAsked(args) ? errorLine(error, report, left) : undefined;
    if (line !== undefined) await printLine(line);
    if (verbose && message !== undefined) {
      const { causesOf } = await import("./causes.js");
      for (const line of causesOf(error)) await tell(`  ${line}`);
    }
    return exitCode;
  }
}

// What a command needs is loaded by the command: help and wrong arguments answer at once.
/** The tree of commands. */
export function program(interrupts: Interrupts, onVerbose: () => void): Command {
  const root = new Command("s3ec")
    .version(packageVersion())
    .description("Puts, gets and inspects objects of Amazon S3 that are encrypted before they leave this machine.")
    .exitOverride()
    .configureOutput({ outputError: (text, write) => write(withoutSecrets(text).replace(/^error: /, "s3ec: ")) })
    .showHelpAfterError("(s3ec --help tells more)")
    .addHelpText("after", EXIT_CODES_HELP);

  transfer(explained(root.command("put"), onVerbose), "Encrypt FILE into an object; - is standard input.")
    .argument("<FILE>")
    .argument("<s3://bucket/key>", "where to; a key that ends with / takes the file's name", destinationAddress)
    .option("--resume", "keep FILE.s3ec-upload until the object is there, and go on with what it says")
    .addOption(
      new Option("--discard", "remove what an upload with --resume has left, and put nothing").conflicts("resume"),
    )
    .action(async (file: string, destination: ObjectAddress, options: PutCommandOptions) => {
      if (options.discard === true) return await discard(file, destination, options);
      const address = objectNamedAfter(destination, file);
      const { connect } = await import("./connection.js");
      const { openSource } = await import("./byte-source.js");
      const { upload } = await import("./upload.js");
      const { assertNoFileThere } = await import("./objects/no-file-there.js");
      // Standard input has the object, and cannot have a key as well.
      const stdin = file === "-" ? false : process.stdin;
      const { client, instructionFileSuffixes, dispose } = await connect(options, address.Bucket, {
        stdin,
        onWarning: warn,
      });
      const { resume = false, suffix } = options;
      const suffixes = [...instructionFileSuffixes, ...(suffix === undefined ? [] : [suffix])];
      const put = async (transferOptions: TransferOptions) => {
        await assertNoFileThere(client, address, { suffixes, get: {}, abortSignal: transferOptions.signal });
        const source = await openSource(file);
        const { length, answer } = await upload(client, source, address, {
          ...transferOptions,
          resume,
          onResume: (sentence) => void tell(`s3ec: ${sentence}`),
        });
        const done = {
          words: `Encrypted ${length} bytes of ${nameOf(file, "standard input")} into ${formatAddress(address)}.`,
          json: doneLine("upload", file, address, { bytes: length, ...answered(answer) }),
        };
        return () => sayLine(done, options.json);
      };
      // Before there is a state, nothing of it is kept.
      const isKept = async (): Promise<boolean> => resume && (await exists(stateOf(file)));
      await withProgress(options, interrupts, dispose, put, isKept);
    });

  transfer(
    explained(root.command("get"), onVerbose),
    "Decrypt an object into FILE, which appears only once it is whole and authenticated.",
  )
    .argument("<s3://bucket/key>", "what to get", objectAddress)
    .argument("<FILE>", "where to; - is standard output, and folder/ takes the object's name")
    .option(
      "--resume",
      "go on with what an earlier get left, and leave what has arrived when this one ends early: decrypted, but unproven, in a folder .s3ec-resume-... beside FILE that only you can enter",
    )
    .addHelpText("after", "\nTo clean up behind a get that will not be resumed, delete that folder.")
    .action(async (address: ObjectAddress, named: string, options: TransferCommandOptions & { resume?: true }) => {
      const file = fileNamedAfter(named, address);
      const { connect } = await import("./connection.js");
      const { openTarget } = await import("./byte-target.js");
      const { download } = await import("./download.js");
      const { client, dispose } = await connect(options, address.Bucket, { onWarning: warn });
      await withProgress(options, interrupts, dispose, async (transferOptions) => {
        const target = await openTarget(file, transferOptions.signal);
        if ("stream" in target && target.isStandardOutput) takeStandardOutput();
        const { ContentLength: length = 0, ...answer } = await download(client, address, target, {
          ...transferOptions,
          resume: options.resume ?? false,
          onResume: (sentence) => void tell(`s3ec: ${sentence}`),
          onLeft: (sentence) => {
            interrupts.left = sentence;
          },
        });
        const done = {
          words: `Decrypted ${length} bytes of ${formatAddress(address)} into ${nameOf(file, "standard output")}.`,
          json: doneLine("download", address, file, { bytes: length, ...answered(answer) }),
        };
        return () => sayLine(done, options.json);
      });
    });

  inspectVerb(
    common(explained(root.command("inspect"), onVerbose), "Say what is stored about an object; needs no key."),
  );

  auditCommand(
    common(
      explained(root.command("audit"), onVerbose),
      "Say of one object, or of many, what is stored and what still needs a key; reads no content.",
    ).option(...ALLOW_COMMANDS),
    interrupts,
  );

  verifyCommand(
    transfer(
      explained(root.command("verify"), onVerbose),
      "Open one object, or many, and authenticate all of their content; writes nothing and gives nothing out.",
    ),
    interrupts,
  );

  rewrapCommand(
    transfer(
      explained(root.command("rewrap"), onVerbose),
      "Give an object's data key another wrapping key; its content stays as it is; of V2 it may be read, for its tag.",
    ),
    interrupts,
  );
  migrateCommand(
    transfer(
      explained(root.command("migrate"), onVerbose),
      "Write an object anew: in the current format, with a new data key, and everything else as it was.",
    ),
    interrupts,
  );
  objectsCommands(root, interrupts, {
    withKeys: (command, description) => transfer(explained(command, onVerbose), description),
    withoutKeys: (command, description) => common(explained(command, onVerbose), description),
  });
  awayCommands(root, {
    common: (command, description) => common(explained(command, onVerbose), description),
    transfer: (command, description) => transfer(explained(command, onVerbose), description),
    withProgress: (options, dispose, work) => withProgress(options, interrupts, dispose, work),
  });
  recipientsCommands(root, interrupts, {
    looking: (command) => connected(explained(command, onVerbose)).option(...ALLOW_COMMANDS),
    reading: (command) => opening(connected(explained(command, onVerbose))),
    ofFile: (command) => transfer(explained(command, onVerbose), ""),
  });
  keyCommands(root, (command) => explained(command, onVerbose));
  configCommands(root, (command) => explained(command, onVerbose));
  schemaCommand(root);
  shellCommands(root);
  helpCommand(root);
  return root;
}

/** A command that programs understand, and that tells more of what went wrong when it is asked to. */
function explained(command: Command, onVerbose: () => void): Command {
  return command
    .option("--json", "print JSON, of an error too; s3ec schema COMMAND has its fields")
    .option("--verbose", "print the causes of an error, too")
    .on("option:verbose", onVerbose);
}

function common(command: Command, description: string): Command {
  return connected(command)
    .description(description)
    .option("--suffix <SUFFIX>", "instruction file suffix, such as .escrow");
}

/** S3, and whose keys are used. */
function connected(command: Command): Command {
  return serviceOptions(command)
    .option("--config <FILE>", "configuration (default: s3ec.config.json, .yaml or .yml in this folder)")
    .option(...USE)
    .addOption(new Option("--dev", "use a local S3 and KMS, kept in the folder .s3ec-dev").conflicts("devServer"))
    .option(...DEV_SERVER, devServerAddress);
}

function transfer(command: Command, description: string): Command {
  return opening(common(command, description));
}

/** What an object is opened with. */
function opening(command: Command): Command {
  return command
    .option(...ALLOW_COMMANDS)
    .option("--context <k=v>", "encryption context for KMS keys (repeatable)", entry)
    .option("--description <k=v>", "material description for raw keys (repeatable)", entry);
}

/** Needs no key: what is removed says by itself where it is. */
async function discard(file: string, { Bucket }: ObjectAddress, options: PutCommandOptions): Promise<void> {
  const { connectWithoutKeys } = await import("./connection.js");
  const { discardUpload } = await import("@s3ec/client");
  const { client, dispose } = await connectWithoutKeys(options, Bucket);
  const state = stateOf(file);
  try {
    await discardUpload(client, state);
  } finally {
    await dispose();
  }
  const done = {
    words: `Removed what was sent of ${file}, and ${state}.`,
    json: doneLine("discard", file, undefined, { removed: state }),
  };
  await sayLine(done, options.json);
}

async function withProgress(
  { context, description, suffix }: TransferCommandOptions,
  interrupts: Interrupts,
  dispose: () => Promise<void>,
  work: (options: TransferOptions) => Promise<() => Promise<void>>,
  isKept: () => Promise<boolean> = async () => false,
): Promise<void> {
  const call: EncryptionCallOptions = {
    ...(context === undefined ? {} : { encryptionContext: context }),
    ...(description === undefined ? {} : { materialDescription: description }),
    ...(suffix === undefined ? {} : { instructionFileSuffix: suffix }),
  };
  const { progressBar } = await import("./progress-bar.js");
  const bar = progressBar();
  const { signal } = interrupts;
  // Also when nothing else may end: it hides the cursor.
  signal.addEventListener("abort", bar.stop, { once: true });
  let report: () => Promise<void>;
  try {
    report = await interrupts.transfer(
      () => work({ call, signal, onProgress: bar.update }),
      async () => ((await isKept()) ? "kept" : "clean"),
    );
  } finally {
    bar.stop();
    await dispose();
  }
  await report();
}

/** As `EncryptedUpload` names it. */
function stateOf(file: string): string {
  return `${file}.s3ec-upload`;
}

function nameOf(file: string, dash: string): string {
  return file === "-" ? dash : file;
}
