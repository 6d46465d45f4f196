import { S3EncryptionError } from "@s3ec/materials";
import { type Command, Option } from "commander";
import type { AuditManyOptions } from "./audit-many.js";
import { listed, positive } from "./command-options.js";
import type { ConnectionOptions } from "./connection.js";
import { EXIT_CODES, Verdict } from "./exit-codes.js";
import type { Interrupts } from "./interruption.js";
import type { KeyOfOptions } from "./key-of.js";
import { type ObjectAddress, prefixAddress } from "./object-address.js";
import { assertSource, sourceOptions } from "./object-source.js";
import { ofMany } from "./of-many.js";
import type { ReadableByOptions } from "./readable-by.js";

type Options = ConnectionOptions & AuditManyOptions & KeyOfOptions & ReadableByOptions;

/** `s3ec audit`. */
export function auditCommand(command: Command, interrupts: Interrupts): void {
  sourceOptions(command.argument("<s3://bucket/prefix>", "which object, or with --recursive which", prefixAddress));
  ofMany(command, () => {
    command.option("--concurrency <N>", "objects that are looked at at once (default: 16)", positive);
  });
  command
    .option(
      "--key-of <FILE>",
      "say what still needs the key of this configuration; exits with 0 only if nothing does (repeatable)",
      listed,
    )
    .option("--key-of-use <NAME>", "which configuration of that file (repeatable)", listed)
    .option("--readable-by <FILE>", "say what this configuration cannot read; exits with 0 only if that is nothing")
    .option("--readable-by-use <NAME>", "which configuration of that file")
    .option("--ask-kms", "have KMS say whether its key has wrapped each data key (Decrypt, as a dry run)")
    .option("--messages", "look for messages of the AWS Encryption SDK; with the above that is done anyway")
    .addOption(new Option("--csv", "CSV, with the totals on standard error").conflicts("json"))
    .option("--summary", "the totals alone")
    .action(async (address: ObjectAddress, options: Options, self: Command) => {
      assertSource(address, options, self);
      const { connectWithoutKeys } = await import("./connection.js");
      const { auditMany } = await import("./audit-many.js");
      assertAsked(options);
      const { client, services, dispose } = await connectWithoutKeys(options, address.Bucket);
      let code: number;
      try {
        code = await interrupts.transfer(async () => {
          const { askedKeys } = await import("./key-of.js");
          const { askedReader } = await import("./readable-by.js");
          const keys = await askedKeys(options, services);
          const opened: { readonly dispose: () => Promise<void> }[] = [...keys];
          try {
            const reader = await askedReader(options, services);
            if (reader !== undefined) opened.push(reader);
            return await auditMany(client, address, options, { keys, reader }, interrupts.signal);
          } finally {
            for (const { dispose } of opened) await dispose();
          }
        });
      } finally {
        await dispose();
      }
      if (code !== EXIT_CODES.ok) throw new Verdict(code);
    });
}

function assertAsked({ keyOf, keyOfUse, readableBy, readableByUse, askKms }: Options): void {
  const invalid = (message: string) => new S3EncryptionError("invalid-argument", message);
  if (keyOf === undefined && keyOfUse !== undefined) throw invalid("--key-of-use says more of --key-of: name a key.");
  if (readableBy === undefined && readableByUse !== undefined) {
    throw invalid("--readable-by-use says more of --readable-by: name a configuration.");
  }
  if (keyOf === undefined && readableBy === undefined && askKms === true) {
    throw invalid("--ask-kms says more of --key-of and --readable-by: name a key.");
  }
}
