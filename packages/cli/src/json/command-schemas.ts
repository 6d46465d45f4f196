import { CHECKED, INIT, KEYS, POLICIES } from "./key-schemas.js";
import {
  AUDITED,
  INSPECTED,
  MIGRATED,
  PRESIGNED,
  RECIPIENT_ADDED,
  RECIPIENT_REMOVED,
  RECIPIENTS,
  REWRAPPED,
  VERIFIED,
} from "./object-schemas.js";
import { DIALECT, ERROR, type Schema } from "./schema-parts.js";
import { DECRYPTED, ENCRYPTED, GOT, LISTED, PUT, STEP, STEP_TOTALS } from "./transfer-schemas.js";

/** What a command prints with `--json`. */
export interface CommandOutput {
  /** Objects of JSON, one a line; or one in all, over several lines. */
  readonly as: "lines" | "document";
  readonly entries: readonly Schema[];
}

const lines = (...entries: readonly Schema[]): CommandOutput => ({ as: "lines", entries: [...entries, ERROR] });
const document = (...entries: readonly Schema[]): CommandOutput => ({ as: "document", entries: [...entries, ERROR] });

const STEPS = lines(STEP, STEP_TOTALS);

/** Each command that has `--json`, by its words. */
export const COMMAND_OUTPUTS: Readonly<Record<string, CommandOutput>> = {
  put: lines(...PUT),
  get: lines(GOT),
  cp: STEPS,
  mv: STEPS,
  sync: STEPS,
  rm: STEPS,
  ls: lines(...LISTED),
  cat: lines(),
  inspect: document(...INSPECTED),
  audit: lines(...AUDITED),
  verify: lines(...VERIFIED),
  rewrap: lines(...REWRAPPED),
  migrate: lines(...MIGRATED),
  "recipients add": lines(...RECIPIENT_ADDED),
  "recipients remove": lines(...RECIPIENT_REMOVED),
  "recipients list": document(RECIPIENTS),
  decrypt: lines(DECRYPTED),
  encrypt: lines(ENCRYPTED),
  presign: document(PRESIGNED),
  "keygen aes": document(KEYS.aes),
  "keygen rsa": document(KEYS.rsa),
  "keygen kms": document(KEYS.kms),
  "keygen pkcs11": document(KEYS.pkcs11),
  init: document(INIT),
  "config check": document(CHECKED),
  "config policy": document(...POLICIES),
};

/** The schema of whatever a command prints: of each line, or of the document. */
function schemaOf(name: string, { as, entries }: CommandOutput): Schema {
  const of = as === "lines" ? "a line" : "what";
  const [only] = entries;
  const kinds = entries.length === 1 && only !== undefined ? only : { oneOf: entries };
  return { title: `${of} ${as === "lines" ? "that " : ""}s3ec ${name} prints with --json`, ...withTitle(kinds) };
}

/** A title of its own gives way to that of the whole. */
function withTitle({ title, ...rest }: Schema): Schema {
  return title === undefined ? rest : { description: title, ...rest };
}

/** The schema of one command, or of all by their names. */
export function jsonSchema(name?: string): Schema | undefined {
  if (name === undefined) {
    const all = Object.entries(COMMAND_OUTPUTS).map(([each, output]) => [each, schemaOf(each, output)]);
    return { $schema: DIALECT, title: "what s3ec prints with --json, by command", $defs: Object.fromEntries(all) };
  }
  const output = Object.hasOwn(COMMAND_OUTPUTS, name) ? COMMAND_OUTPUTS[name] : undefined;
  return output === undefined ? undefined : { $schema: DIALECT, ...schemaOf(name, output) };
}
