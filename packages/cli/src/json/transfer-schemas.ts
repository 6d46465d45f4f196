import {
  COUNT,
  entry,
  type Fields,
  FLAG,
  fields,
  listOf,
  meaning,
  OBJECT,
  type Schema,
  TEXT,
  TEXTS,
  TIME,
  WHY,
  words,
} from "./schema-parts.js";

const DONE: Fields = { operation: TEXT, from: TEXT, state: words("done") };
const TOLD: Fields = {
  to: TEXT,
  bytes: meaning(COUNT, "of plaintext; as stored, of copies within S3"),
  etag: TEXT,
  versionId: TEXT,
};

export const STEP: Schema = entry(
  "a file or object that was transferred or deleted, or not",
  {
    operation: words("upload", "download", "copy", "move", "delete"),
    from: TEXT,
    state: words("done", "dryrun", "failed", "skipped"),
  },
  {
    ...TOLD,
    plain: meaning(words("copied", "encrypted"), "it was not encrypted"),
    reason: meaning(words("there", "plain", "unread", "needed", "linked"), "why it was skipped"),
    ...WHY,
  },
);

export const STEP_TOTALS: Schema = entry("what they come to", {
  totals: fields({
    done: COUNT,
    failed: COUNT,
    skipped: COUNT,
    plain: meaning(COUNT, "of those that were not encrypted"),
    bytes: COUNT,
  }),
});

export const PUT: readonly Schema[] = [
  entry(
    "the object that was put",
    { ...DONE, operation: words("upload"), to: TEXT, bytes: COUNT },
    { etag: TEXT, versionId: TEXT },
  ),
  entry("an upload of which what was left is removed (--discard)", {
    ...DONE,
    operation: words("discard"),
    removed: meaning(TEXT, "the file that was its state"),
  }),
];

export const GOT: Schema = entry(
  "the object that was decrypted; on standard error where its content is on standard output",
  { ...DONE, operation: words("download"), to: TEXT, bytes: COUNT },
  { etag: TEXT, versionId: TEXT },
);

export const DECRYPTED: Schema = entry(
  "the object that was decrypted; on standard error where its content is on standard output",
  {
    ...DONE,
    operation: words("decrypt"),
    to: TEXT,
    bytes: COUNT,
    isAuthenticated: meaning(FLAG, "false of CBC, whose content has no tag"),
  },
);

export const ENCRYPTED: Schema = entry(
  "the files that were written; on standard error where the ciphertext is on standard output",
  {
    ...DONE,
    operation: words("encrypt"),
    to: TEXT,
    bytes: meaning(COUNT, "of plaintext"),
    head: meaning(TEXT, "the file with the metadata"),
    instructionFiles: listOf(fields({ suffix: TEXT, file: TEXT })),
    annotations: listOf(fields({ name: TEXT, file: TEXT })),
    commands: meaning(TEXTS, "command lines of the AWS CLI that upload it, in their order"),
  },
);

export const LISTED: readonly Schema[] = [
  entry(
    "an object",
    {
      ...OBJECT.always,
      bytesAre: meaning(words("exact", "if-encrypted-by-us", "unknown"), "how sure the bytes are"),
      storedBytes: COUNT,
      lastModified: TIME,
      etag: TEXT,
    },
    {
      bytes: meaning(COUNT, "of plaintext"),
      state: meaning(TEXT, "with --long: as of audit"),
      format: words("V1", "V2", "V3"),
      wraps: TEXTS,
    },
  ),
  entry("what several keys begin with", { bucket: TEXT, prefix: TEXT }),
  entry("a bucket", { bucket: TEXT, created: TIME }),
  entry("what they come to (--summarize)", { totals: fields({ objects: COUNT, bytes: COUNT }) }),
];
