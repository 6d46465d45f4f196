import { type Command, InvalidArgumentError } from "commander";

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
