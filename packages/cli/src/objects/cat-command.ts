import { printable } from "@s3ec/envelope";
import { S3EncryptionError } from "@s3ec/materials";
import { type Command, InvalidArgumentError, Option } from "commander";
import { reportOf } from "../error-report.js";
import { EXIT_CODES, Verdict } from "../exit-codes.js";
import type { Interrupts } from "../interruption.js";
import { errorLine } from "../json/error-line.js";
import { printLine, takeStandardOutput } from "../json/json-output.js";
import { formatAddress, type ObjectAddress, objectAddress } from "../object-address.js";
import { tell } from "../printing.js";
import { requestOptions } from "./object-options.js";
import type { ObjectsOptions } from "./objects-connection.js";

type Options = ObjectsOptions & { readonly versionId?: string; readonly json?: boolean };

/** `s3ec cat`. */
export function catCommand(command: Command, interrupts: Interrupts): void {
  requestOptions(command)
    .argument(
      "<s3://bucket/key...>",
      "what to print, one behind the other, up to the first that fails; nothing of one before it is authenticated",
      gathered,
    )
    .option("--version-id <ID>", "a version of it")
    .addOption(
      new Option(
        "--plain <WHAT>",
        "what becomes of objects that are not encrypted (default: they are refused)",
      ).choices(["copy", "skip"]),
    )
    .action(async (addresses: readonly ObjectAddress[], options: Options) => {
      const { withObjects } = await import("./objects-connection.js");
      const { downloadOne } = await import("./download-one.js");
      takeStandardOutput();
      const [address] = addresses;
      if (address === undefined) return;
      if (addresses.some(({ Bucket }) => Bucket !== address.Bucket)) {
        throw new S3EncryptionError(
          "invalid-argument",
          "cat takes objects of one bucket: name others in another call.",
        );
      }
      const { versionId } = options;
      if (versionId !== undefined && addresses.length > 1) {
        throw new S3EncryptionError("invalid-argument", "--version-id is of one object.");
      }
      await withObjects(options, { address }, interrupts, async (context) => {
        for (const each of addresses) {
          const from = { ...each, ...(versionId === undefined ? {} : { VersionId: versionId }) };
          try {
            const { state, ...told } = await downloadOne(context, from, { to: { kind: "stream" } }, () => {});
            if (options.verbose !== true || state === "skipped" || !("details" in told)) continue;
            for (const detail of told.details ?? []) await tell(`  ${printable(detail)}`);
          } catch (error) {
            // As any program's that writes to a reader who has enough: a shell's `cat` dies of it without a word.
            const isOfOutput =
              error instanceof Error && "syscall" in error && error.syscall === "write" && "code" in error;
            if (isOfOutput && error.code === "EPIPE") throw new Verdict(EXIT_CODES.unread);
            context.signal.throwIfAborted();
            if (isOfOutput && error.code === "ENOSPC") throw error;
            throw await failed(each, error, options);
          }
        }
      });
    });
}

/** Says which of them it is; nothing of those behind it is printed. */
async function failed(address: ObjectAddress, error: unknown, { verbose, json }: Options): Promise<Verdict> {
  const report = reportOf(error);
  const { exitCode, message = "An unknown error happened." } = report;
  const named = printable(`${formatAddress(address)}: ${message}`);
  await tell(`s3ec: ${named}`);
  const line = json === true ? errorLine(error, { ...report, message: named }) : undefined;
  if (line !== undefined) await printLine(line);
  if (verbose === true) {
    const { causesOf } = await import("../causes.js");
    for (const line of causesOf(error)) await tell(`  ${printable(line)}`);
  }
  return new Verdict(exitCode);
}

function gathered(text: string, previous: readonly ObjectAddress[] | undefined): readonly ObjectAddress[] {
  const read = objectAddress(text);
  if (read.Key.endsWith("/")) throw new InvalidArgumentError("It names no object: write it as s3://bucket/key.");
  return [...(previous ?? []), read];
}
