import { S3EncryptionError } from "@s3ec/materials";
import { type Command, InvalidArgumentError, Option } from "commander";
import { devServerAddress } from "./dev-server-address.js";

/** A command that tells more of what went wrong when it is asked to. */
export type Explained = (command: Command) => Command;

/** What a new configuration's data keys may be wrapped with. */
export const KEY_KINDS: readonly string[] = ["kms", "aes", "rsa", "pkcs11"];

export const USE = ["--use <NAME>", "which configuration of a file that holds several"] as const;
export const ALLOW_COMMANDS = [
  "--allow-commands",
  "run the commands that the configuration names to get its keys",
] as const;
export const DEV_SERVER = [
  "--dev-server <URL>",
  "use the s3ec-dev-server at http://[ID:SECRET@]host:port[?region=R]",
] as const;

/** For a command that has no local server of its own, as put and get have with `--dev`. */
export function withDevServer(command: Command): Command {
  return command
    .option(...DEV_SERVER, devServerAddress)
    .addOption(new Option("--dev").hideHelp())
    .on("option:dev", () => {
      throw new S3EncryptionError(
        "invalid-argument",
        "Only commands that work with objects start a local S3 and KMS with --dev: start s3ec-dev-server, and name it here with --dev-server http://127.0.0.1:4566.",
      );
    });
}

/** Reads `name=value`, for options that may be repeated. */
export function entry(text: string, previous: Readonly<Record<string, string>> = {}): Readonly<Record<string, string>> {
  const [, name, value] = /^([^=]+)=(.*)$/s.exec(text) ?? [];
  if (name === undefined || value === undefined) throw new InvalidArgumentError("Write it as name=value.");
  return { ...previous, [name]: value };
}

/** Gathers an option that may be repeated. */
export function listed(text: string, previous: readonly string[] = []): readonly string[] {
  return [...previous, text];
}

/** Reads a count of 1 or more. */
export function positive(text: string): number {
  if (/^[1-9]\d{0,4}$/.test(text)) return Number(text);
  throw new InvalidArgumentError("Write a number, 1 or more.");
}

/** How `aws s3` spells it, and how most others do: each command is documented with one, and takes both. */
export function dryRunOption(command: Command, name: "--dryrun" | "--dry-run", description: string): Command {
  const other = name === "--dryrun" ? "--dry-run" : "--dryrun";
  return command
    .option(name, description)
    .addOption(new Option(other).hideHelp().implies(name === "--dryrun" ? { dryrun: true } : { dryRun: true }));
}
