import { S3EncryptionError } from "@s3ec/materials";
import { type Command, Option } from "commander";
import type { AuditManyOptions } from "./audit-many.js";
import { positive } from "./command-options.js";
import type { ConnectionOptions } from "./connection.js";
import { EXIT_CODES, Verdict } from "./exit-codes.js";
import type { Interrupts } from "./interruption.js";
import type { KeyOfOptions } from "./key-of.js";
import { type ObjectAddress, prefixAddress } from "./object-address.js";
import { assertSource, sourceOptions } from "./object-source.js";

type Options = ConnectionOptions & AuditManyOptions & Partial<KeyOfOptions>;

/** `s3ec audit`. */
export function auditCommand(command: Command, interrupts: Interrupts): void {
  sourceOptions(command.argument("<s3://bucket/prefix>", "which object, or with --recursive which", prefixAddress))
    .option("--key-of <FILE>", "say what still needs the key of this configuration; exits with 0 only if nothing does")
    .option("--key-of-use <NAME>", "which configuration of that file")
    .option("--ask-kms", "have KMS say whether its key has wrapped each data key (Decrypt, as a dry run)")
    .option("--messages", "look for messages of the AWS Encryption SDK; with --key-of that is done anyway")
    .option("--concurrency <N>", "objects that are looked at at once (default: 16)", positive)
    .addOption(new Option("--json", "a line of JSON for each object, and a last one of totals").conflicts("csv"))
    .option("--csv", "CSV, with the totals on standard error")
    .option("--summary", "the totals alone")
    .action(async (address: ObjectAddress, options: Options) => {
      assertSource(address, options);
      const { connectWithoutKeys } = await import("./connection.js");
      const { auditMany } = await import("./audit-many.js");
      const { keyOf } = options;
      if (keyOf === undefined && (options.askKms === true || options.keyOfUse !== undefined)) {
        throw new S3EncryptionError("invalid-argument", "--ask-kms and --key-of-use say more of --key-of: name a key.");
      }
      const { client, services, dispose } = await connectWithoutKeys(options, address.Bucket);
      let code: number;
      try {
        code = await interrupts.transfer(async () => {
          const { askedKey } = await import("./key-of.js");
          const asked = keyOf === undefined ? undefined : await askedKey({ ...options, keyOf }, services);
          try {
            return await auditMany(client, address, options, asked, interrupts.signal);
          } finally {
            await asked?.dispose();
          }
        });
      } finally {
        await dispose();
      }
      if (code !== EXIT_CODES.ok) throw new Verdict(code);
    });
}
