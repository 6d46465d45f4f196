import { nearestName } from "@s3ec/envelope";
import { S3EncryptionError } from "@s3ec/materials";
import type { Command } from "commander";
import { print } from "../printing.js";

/** `s3ec schema`. */
export function schemaCommand(root: Command): void {
  root
    .command("schema")
    .description("Print the JSON Schema of what a command prints with --json, or of what each does.")
    .argument("[COMMAND...]", "such as rewrap, or recipients add (default: each by its name)")
    .action(async (words: readonly string[]) => {
      const { COMMAND_OUTPUTS, jsonSchema } = await import("./command-schemas.js");
      const name = words.length === 0 ? undefined : words.join(" ");
      const schema = jsonSchema(name);
      if (schema === undefined) throw unknown(name ?? "", Object.keys(COMMAND_OUTPUTS));
      await print(JSON.stringify(schema, null, 2));
    });
}

function unknown(name: string, names: readonly string[]): S3EncryptionError {
  const below = names.filter((each) => each.startsWith(`${name} `));
  const nearest = below.length > 0 ? below.join(" or ") : nearestName(name, names);
  return new S3EncryptionError(
    "invalid-argument",
    `No command ${JSON.stringify(name)} prints JSON with --json${nearest === undefined ? "." : `; did you mean ${nearest}?`} s3ec schema has all.`,
  );
}
