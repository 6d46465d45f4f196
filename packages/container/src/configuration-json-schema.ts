import { z } from "zod";
import { configurationSchema } from "./configuration.js";
import { keySchemas } from "./key-source.js";
import { knownTypes } from "./known-types.js";
import type { ConfigurationPlugin } from "./plugins.js";

/**
 * The JSON Schema of a configuration file, for editors: name it in the file's `$schema`.
 * @throws S3EncryptionError `invalid-configuration` where two types have one name
 */
export function configurationJsonSchema(
  plugins: readonly ConfigurationPlugin[] = [],
): Readonly<Record<string, unknown>> {
  const schema = configurationSchema(knownTypes(plugins), keySchemas({ folder: ".", env: {} }));
  const { $schema, $defs = {}, ...one } = z.toJSONSchema(schema, { io: "input" });
  const { required: _, ...partial } = one;
  return {
    $schema,
    title: "Configuration of @s3ec/container",
    anyOf: [
      { $ref: "#/$defs/configuration" },
      {
        type: "object",
        description: "Several configurations, of which one is used.",
        properties: {
          $schema: { type: "string" },
          use: { type: "string", description: "Which one, unless the caller says another." },
          configurations: {
            type: "object",
            additionalProperties: {
              ...partial,
              properties: {
                ...partial.properties,
                extends: { type: "string", description: "The configuration whose fields stand where this has none." },
              },
            },
          },
        },
        required: ["configurations"],
        additionalProperties: false,
      },
    ],
    $defs: { ...$defs, configuration: one },
  };
}
