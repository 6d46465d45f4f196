import type { S3Client } from "@aws-sdk/client-s3";
import { type Command, Option } from "commander";
import type { ConnectionOptions } from "./connection.js";
import { type ObjectAddress, objectAddress } from "./object-address.js";
import { print } from "./printing.js";

interface InspectVerbOptions extends ConnectionOptions {
  readonly suffix?: string;
  readonly json?: boolean;
  readonly hex?: boolean;
}

/** What `s3ec inspect` is called with, and does. */
export function inspectVerb(command: Command): void {
  command
    .argument("<s3://bucket/key>", "what to look at", objectAddress)
    .addOption(new Option("--hex", "take what is stored apart, field by field, with its bytes").conflicts("json"))
    .action(async (address: ObjectAddress, options: InspectVerbOptions) => {
      const { connectWithoutKeys } = await import("./connection.js");
      const { client, dispose } = await connectWithoutKeys(options, address.Bucket);
      try {
        await print(await inspected(address, options, client));
      } finally {
        await dispose();
      }
    });
}

async function inspected(address: ObjectAddress, options: InspectVerbOptions, client: S3Client): Promise<string> {
  if (options.hex === true) return await (await import("./inspect-hex.js")).inspectHex(client, address, options);
  return await (await import("./inspect-command.js")).inspectCommand(client, address, options);
}
