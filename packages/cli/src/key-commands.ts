import { type Command, InvalidArgumentError, Option } from "commander";
import { type Explained, entry, KEY_KINDS, withDevServer } from "./command-options.js";
import type { InitOptions } from "./init-command.js";
import { say } from "./json/json-output.js";
import type { KeygenOptions, RsaKeygenOptions } from "./keygen-command.js";
import type { KmsKeygenOptions } from "./keygen-kms.js";
import type { Pkcs11KeygenOptions } from "./keygen-pkcs11.js";

const MODULE = ["--module <PATH>", "the PKCS#11 library of the token's maker"] as const;
const TOKEN = ["--token-label <LABEL>", "the label of the token"] as const;
const PIN = ["--pin-env <NAME>", "the environment variable that has the token's PIN"] as const;
const REGION = ["--region <REGION>", "the region; default: what the AWS SDK finds"] as const;
const keyType = (): Option =>
  new Option("--key-type <TYPE>", "rsa (default) or aes, of a token").choices(["rsa", "aes"]);

/** `s3ec keygen ...` and `s3ec init`. */
export function keyCommands(root: Command, explained: Explained): void {
  keygen(root, explained);
  withDevServer(explained(root.command("init")))
    .description("Write a configuration, with its keys made or found; asks at a terminal what no option says.")
    .argument("[FILE]", "where to, .json, .yaml or .yml; never a file that is there", "s3ec.config.json")
    .addOption(new Option("--keyring <KIND>", "what wraps data keys").choices(KEY_KINDS))
    .option("--key <KEY>", "a KMS key (id, ARN or alias), the file of a key, or the label of a token's")
    .option("--escrow <FILE>", "the public half of an RSA key that opens the objects, too, as a multi-keyring's child")
    .option("--create", "make the KMS key or the token's, too; a file is made where there is none")
    .option(...REGION)
    .option("--legacy", "read what clients before key commitment wrote, too")
    .option("--passphrase-env <NAME>", "the environment variable with the passphrase of an RSA key file")
    .option(...MODULE)
    .option(...TOKEN)
    .option(...PIN)
    .addOption(keyType())
    .action(async (file: string, options: InitOptions) => {
      const { initCommand } = await import("./init-command.js");
      const { terminal } = await import("./terminal-questions.js");
      await say(await initCommand(file, options, terminal()), options.json);
    });
}

function keygen(root: Command, explained: Explained): void {
  const commands = root
    .command("keygen")
    .description("Make keys, in new files that only you can read, in KMS or in a token.");
  const described = (command: Command): Command =>
    explained(command)
      .argument("<FILE>", "where to; never a file that is there")
      .option("--description <k=v>", "material description, stored with what the key wraps (repeatable)", entry);
  described(commands.command("aes"))
    .description("Make an AES key of 256 bits.")
    .action(async (file: string, options: KeygenOptions) => {
      const { keygenAes } = await import("./keygen-command.js");
      await say(await keygenAes(file, options), options.json);
    });
  described(commands.command("rsa"))
    .description("Make an RSA key pair, and print its public half.")
    .option("--bits <N>", "2048, 3072 (default) or 4096", modulusLength)
    .option("--public <FILE>", "write the public half to a file, too")
    .option("--passphrase-env <NAME>", "encrypt the private key with the passphrase in this environment variable")
    .action(async (file: string, options: RsaKeygenOptions) => {
      const { keygenRsa } = await import("./keygen-command.js");
      await say(await keygenRsa(file, options), options.json);
    });
  withDevServer(explained(commands.command("kms")))
    .description("Make a KMS key under an alias, and print the policies of writers and readers.")
    .argument("<ALIAS>", "such as alias/app; never one that is there")
    .option(...REGION)
    .action(async (alias: string, options: KmsKeygenOptions) => {
      const { keygenKms } = await import("./keygen-kms.js");
      await say(await keygenKms(alias, options), options.json);
    });
  explained(commands.command("pkcs11"))
    .description("Have a PKCS#11 token make a key that never leaves it.")
    .argument("<LABEL>", "of the key; never one that is there")
    .requiredOption(...MODULE)
    .requiredOption(...TOKEN)
    .requiredOption(...PIN)
    .addOption(keyType())
    .option("--bits <N>", "of RSA: 2048, 3072 (default) or 4096", modulusLength)
    .action(async (label: string, options: Pkcs11KeygenOptions) => {
      const { keygenPkcs11 } = await import("./keygen-pkcs11.js");
      await say(await keygenPkcs11(label, options), options.json);
    });
}

function modulusLength(text: string): 2048 | 3072 | 4096 {
  const bits = Number(text);
  if (bits === 2048 || bits === 3072 || bits === 4096) return bits;
  throw new InvalidArgumentError("It is 2048, 3072 or 4096.");
}
