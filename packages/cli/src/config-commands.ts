import { type Command, Option } from "commander";
import { ALLOW_COMMANDS, type Explained, entry, USE, withDevServer } from "./command-options.js";
import type { LiveOptions } from "./config-live.js";
import type { PolicyOptions } from "./config-policy.js";
import { configurationHere } from "./default-configuration.js";
import { EXIT_CODES, Verdict } from "./exit-codes.js";
import { ROLE_COMMANDS, ROLES } from "./iam-policy.js";
import { say } from "./json/json-output.js";
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
      .argument("[FILE]", "the configuration (default: s3ec.config.json, .yaml or .yml in this folder)")
      .argument("[s3://bucket/prefix...]", "where objects are, as far as the file does not say it", addresses)
      .option(...USE)
      .option(...ALLOW_COMMANDS);
  const role = (): Option => new Option("--role <ROLE>", "whose permissions").choices(ROLES);
  const RESUME = ["--resume", "permissions for put --resume, too"] as const;
  withDevServer(
    ofFile(
      "check",
      "Validate a configuration, and say who can read and write with it. Runs its plugins; calls no key store but with --live.",
    ),
  )
    .option("--live", "ask S3, KMS and tokens what they would serve; writes nothing")
    .addOption(role())
    .option(...RESUME)
    .option("--context <k=v>", "encryption context to ask KMS with (repeatable)", entry)
    .action(
      async (
        first: string | undefined,
        rest: readonly ObjectAddress[] | undefined,
        { live, json, allowCommands = false, use, ...asked }: CheckOptions,
      ) => {
        const { file, addresses } = await named(first, rest);
        const load = { allowCommands, ...(use === undefined ? {} : { use }) };
        const { configCheck } = await import("./config-command.js");
        const checked = await configCheck(file, load);
        // What a configuration means is told before anybody is asked, who may not answer; a document is one.
        if (live !== true || json !== true) await say(checked, json);
        if (live !== true) return;
        const { configLive, NOT_ALL_ALLOWED } = await import("./config-live.js");
        const answered = await configLive(file, { ...load, ...asked, addresses });
        await say({ words: answered.words, json: { ...checked.json, live: answered.json } }, json);
        if (!answered.missing) return;
        await tell(`s3ec: ${NOT_ALL_ALLOWED}`);
        throw new Verdict(EXIT_CODES.key);
      },
    );
  ofFile("policy", "Print the least IAM policies of each role, as JSON.")
    .addOption(role())
    .option(...RESUME)
    .addHelpText("after", `\nRoles, and what they do:\n${rolesHelp()}`)
    .action(
      async (
        first: string | undefined,
        rest: readonly ObjectAddress[] | undefined,
        { allowCommands = false, json: _, ...options }: Omit<PolicyOptions, "addresses"> & { json?: boolean },
      ) => {
        const { file, addresses } = await named(first, rest);
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

interface CheckOptions extends Omit<LiveOptions, "addresses"> {
  readonly live?: boolean;
  readonly json?: boolean;
}

function rolesHelp(): string {
  return ROLES.map((each) => `  ${each.padEnd(10)}${ROLE_COMMANDS[each].join(", ")}`).join("\n");
}

/** Where the file is left out, an address may come first. */
async function named(
  first: string | undefined,
  rest: readonly ObjectAddress[] = [],
): Promise<{ readonly file: string; readonly addresses: readonly ObjectAddress[] }> {
  if (first !== undefined && !first.startsWith("s3://")) return { file: first, addresses: rest };
  const addresses = first === undefined ? rest : [prefixAddress(first), ...rest];
  return { file: await configurationHere("after the command"), addresses };
}
