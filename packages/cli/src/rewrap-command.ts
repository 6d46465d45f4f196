import { type Command, Option } from "commander";
import type { Interrupts } from "./interruption.js";
import { type ObjectAddress, oneObject } from "./object-address.js";
import { print, warn } from "./printing.js";
import type { RewrapCommandOptions } from "./rewrap-object.js";
import { withKeeping, withTarget } from "./target-options.js";

/** `s3ec rewrap`. */
export function rewrapCommand(command: Command, interrupts: Interrupts): void {
  withKeeping(withTarget(command, "from now on; default: that of --config"))
    .argument("<s3://bucket/key>", "which object", oneObject("rewrap"))
    .option("--to-suffix <SUFFIX>", "write a further instruction file, for an RSA key")
    .option("--recipient <NAME>", "re-wrap this recipient's annotation in place of the object's own wrap")
    .option("--same-owner", "the new key is the same owner's: read no content, and leave the data key in KMS")
    .addOption(
      new Option("--verify <WHAT>", "what is verified (default: envelope)").choices(["envelope", "content", "none"]),
    )
    .option("--enforce-rotation", "refuse a key that is not another one")
    .option("--decrypt-here", "between KMS keys of one owner, Decrypt and Encrypt in place of ReEncrypt")
    .action(async (address: ObjectAddress, options: RewrapCommandOptions) => {
      const { connectBoth } = await import("./connection.js");
      const { rewrapAddress, targetOf } = await import("./rewrap-object.js");
      const { client, to, dispose } = await connectBoth(options, targetOf(options), address.Bucket, {
        onWarning: warn,
      });
      let done: string;
      try {
        const work = { materialsManager: to, signal: interrupts.signal };
        done = await interrupts.transfer(() => rewrapAddress(client, address, options, work));
      } finally {
        await dispose();
      }
      await print(done);
    });
}
