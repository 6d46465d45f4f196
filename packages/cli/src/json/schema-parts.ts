/** A JSON Schema, or a part of one. */
export type Schema = Readonly<Record<string, unknown>>;

export type Fields = Readonly<Record<string, Schema>>;

/** The dialect that all of them are written in. */
export const DIALECT = "https://json-schema.org/draft/2020-12/schema";

export const TEXT: Schema = { type: "string" };
export const COUNT: Schema = { type: "integer", minimum: 0 };
export const FLAG: Schema = { type: "boolean" };
export const TIME: Schema = { type: "string", format: "date-time" };
export const TEXTS: Schema = { type: "array", items: TEXT };
export const TEXT_BY_NAME: Schema = { type: "object", additionalProperties: TEXT };
export const COUNT_BY_NAME: Schema = { type: "object", additionalProperties: COUNT };
/** Of a document that has a schema of its own elsewhere. */
export const ANY_OBJECT: Schema = { type: "object", additionalProperties: true };

/** One of these words. */
export function words(...values: readonly string[]): Schema {
  return { enum: values };
}

export function nullable({ type, ...rest }: Schema): Schema {
  return { type: [type, "null"], ...rest };
}

export function listOf(items: Schema): Schema {
  return { type: "array", items };
}

export function byName(values: Schema): Schema {
  return { type: "object", additionalProperties: values };
}

/** The same with what it means. */
export function meaning(schema: Schema, description: string): Schema {
  return { ...schema, description };
}

/** An object with fields that are always there, and others that may be. More may come, which readers are to pass by. */
export function fields(always: Fields, sometimes: Fields = {}): Schema {
  return { type: "object", required: Object.keys(always), properties: { ...always, ...sometimes } };
}

/** What a command prints, as a line or a document. */
export function entry(title: string, always: Fields, sometimes: Fields = {}): Schema {
  return { title, ...fields(always, sometimes) };
}

/** How an object is named, wherever one is. */
export const OBJECT: { readonly always: Fields; readonly sometimes: Fields } = {
  always: { bucket: TEXT, key: TEXT },
  sometimes: { versionId: TEXT },
};

export const PLACE: Schema = {
  oneOf: [
    fields({ in: words("metadata") }),
    fields({ in: words("instruction-file"), suffix: meaning(TEXT, "what follows the object's key in the file's") }),
    fields({ in: words("annotation"), name: TEXT }),
  ],
};

const CODE = meaning(TEXT, "of an error: one of this client's, such as not-encrypted, S3's or the system's");
const PROBLEM = meaning(TEXT, "a sentence");

export const WHY: Fields = { code: CODE, problem: PROBLEM };

export const ERROR: Schema = entry("why the command as a whole failed; the last line", {
  error: fields(
    { code: CODE, problem: PROBLEM, exitCode: COUNT },
    { left: meaning(TEXT, "what was left on purpose, to go on with, in a sentence") },
  ),
});
