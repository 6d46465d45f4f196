import { type Command, Option } from "commander";
import { ALLOW_COMMANDS, DEV_SERVER, type Explained, entry, USE } from "./command-options.js";
import type { LiveOptions } from "./config-live.js";
import type { PolicyOptions } from "./config-policy.js";
import { devServerAddress } from "./dev-server-address.js";
import { ROLES } from "./iam-policy.js";
import { type ObjectAddress, prefixAddress } from "./object-address.js";
import { print, tell } from "./printing.js";

/** `s3ec config ...`. */
export function configCommands(root: Command, explained: Explained): void {
  const config = root.command("config").description("Check and describe configurations.");
  const addresses = (text: string, previous: readonly ObjectAddress[] = []): ObjectAddress[] => [
    ...previous,
    prefixAddress(text),
  ];
  const ofFile = (name: string, description: string): Command =>
    explained(config.command(name))
      .description(description)
      .argument("<FILE>")
      .argument("[s3://bucket/prefix...]", "where objects are, as far as the file does not say it", addresses)
      .option(...USE)
      .option(...ALLOW_COMMANDS);
  const role = (): Option => new Option("--role <ROLE>", "whose permissions").choices(ROLES);
  ofFile(
    "check",
    "Validate a configuration, and say who can read and write with it. Runs its plugins; calls no key store but with --live.",
  )
    .option("--live", "ask S3, KMS and tokens what they would serve; writes nothing")
    .addOption(role())
    .option("--context <k=v>", "encryption context to ask KMS with (repeatable)", entry)
    .option(...DEV_SERVER, devServerAddress)
    .action(
      async (
        file: string,
        addresses: readonly ObjectAddress[] = [],
        { live, allowCommands = false, use, ...asked }: Omit<LiveOptions, "addresses"> & { live?: boolean },
      ) => {
        const load = { allowCommands, ...(use === undefined ? {} : { use }) };
        const { configCheck } = await import("./config-command.js");
        await print(await configCheck(file, load));
        if (live !== true) return;
        const { configLive, notAllAllowed } = await import("./config-live.js");
        const { text, missing } = await configLive(file, { ...load, ...asked, addresses });
        await print(text);
        if (missing) throw notAllAllowed();
      },
    );
  ofFile("policy", "Print the least IAM policies of a writer, a reader and a rotator, as JSON.")
    .addOption(role())
    .action(
      async (
        file: string,
        addresses: readonly ObjectAddress[] = [],
        { allowCommands = false, ...options }: Omit<PolicyOptions, "addresses">,
      ) => {
        const { configPolicy } = await import("./config-policy.js");
        const { json, note } = await configPolicy(file, { ...options, allowCommands, addresses });
        await print(json);
        if (note !== undefined) await tell(`s3ec: ${note}`);
      },
    );
  config
    .command("schema")
    .description("Print the JSON Schema of configurations, for editors.")
    .action(async () => {
      const { configurationJsonSchema } = await import("@s3ec/container");
      await print(JSON.stringify(configurationJsonSchema(), null, 2));
    });
}
