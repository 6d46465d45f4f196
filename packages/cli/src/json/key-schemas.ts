import {
  ANY_OBJECT,
  COUNT,
  entry,
  FLAG,
  fields,
  listOf,
  meaning,
  nullable,
  type Schema,
  TEXT,
  TEXTS,
  words,
} from "./schema-parts.js";

const CONFIGURATION = meaning(ANY_OBJECT, "as a configuration has it (s3ec config schema)");
const POLICY = meaning(ANY_OBJECT, "an IAM policy");

export const KEYS: Readonly<Record<"aes" | "rsa" | "kms" | "pkcs11", Schema>> = {
  aes: entry("the key that was made", {
    kind: words("aes"),
    file: TEXT,
    bits: COUNT,
    configurations: fields({ readAndWrite: CONFIGURATION }),
  }),
  rsa: entry("the key that was made", {
    kind: words("rsa"),
    file: TEXT,
    bits: COUNT,
    publicFile: meaning(nullable(TEXT), "where --public has put its public half"),
    publicKey: meaning(TEXT, "in PEM"),
    fingerprint: TEXT,
    configurations: fields({ write: CONFIGURATION, readAndWrite: CONFIGURATION }),
  }),
  kms: entry("the key that was made", {
    kind: words("kms"),
    arn: TEXT,
    alias: TEXT,
    configurations: fields({ readAndWrite: CONFIGURATION }),
    policies: fields({ writer: POLICY, reader: POLICY }),
  }),
  pkcs11: entry("the key that was made", {
    kind: words("pkcs11"),
    keyType: words("aes", "rsa"),
    label: TEXT,
    tokenLabel: TEXT,
    configurations: fields({ readAndWrite: CONFIGURATION }, { write: CONFIGURATION }),
  }),
};

export const INIT: Schema = entry("the configuration that was written", {
  file: TEXT,
  schemaFile: meaning(nullable(TEXT), "that which tells editors its fields; null where it was there"),
  configuration: CONFIGURATION,
  done: meaning(TEXTS, "what was done for its keys, in sentences"),
  notes: TEXTS,
  next: meaning(TEXTS, "command lines"),
});

export const CHECKED: Schema = entry(
  "what a configuration means, in sentences",
  {
    file: TEXT,
    selected: meaning(TEXTS, "which of several it is"),
    written: TEXTS,
    readers: meaning(TEXTS, "each of them alone"),
    writing: meaning(TEXTS, "what it takes; all of it"),
    reads: TEXTS,
    refused: TEXTS,
    warnings: TEXTS,
  },
  {
    live: meaning(
      fields({
        isAllServed: meaning(FLAG, "where not, the command exits with 5"),
        findings: listOf(fields({ sentence: TEXT, isMissing: FLAG })),
        statements: meaning(listOf(ANY_OBJECT), "of IAM, to be added to the policy of whoever has asked"),
      }),
      "with --live: what the services answer",
    ),
  },
);

export const POLICIES: readonly Schema[] = [
  entry("the policy of each role", {
    writer: POLICY,
    reader: POLICY,
    rotator: POLICY,
    auditor: POLICY,
    operator: POLICY,
  }),
  entry("that of one (--role)", { Version: TEXT, Statement: listOf(ANY_OBJECT) }),
];
