import { readFileSync } from "node:fs";
import { Ajv2020 } from "ajv/dist/2020.js";

/** A JSON file of the package. */
export function json(name: string) {
  return JSON.parse(readFileSync(new URL(`../${name}`, import.meta.url), "utf8"));
}

/** What the schema of this name has against the document; null when nothing. */
export function violations(schema: string, document: unknown): unknown {
  const validate = new Ajv2020({ allErrors: true }).compile(json(schema));
  validate(document);
  return validate.errors;
}
