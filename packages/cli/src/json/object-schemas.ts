import {
  byName,
  COUNT,
  COUNT_BY_NAME,
  entry,
  FLAG,
  fields,
  listOf,
  meaning,
  nullable,
  OBJECT,
  PLACE,
  type Schema,
  TEXT,
  TEXT_BY_NAME,
  TEXTS,
  TIME,
  WHY,
  words,
} from "./schema-parts.js";

const NEED = words("yes", "no", "unknown");
const KEY_KIND = words("aes", "rsa", "kms", "other");
const WRAP_NAME = meaning(TEXT, "the wrap, as the sibling clients call it");

const AUDITED_WRAP: Schema = fields(
  {
    place: PLACE,
    wrapAlgorithm: WRAP_NAME,
    keyKind: KEY_KIND,
    isLegacy: meaning(FLAG, "it is not bound to the content's cipher"),
    description: meaning(TEXT_BY_NAME, "the encryption context or material description"),
  },
  {
    recipient: TEXT,
    wrappingKey: meaning(TEXT, "ARN of a KMS key: a hint"),
    needsKey: NEED,
    needsKeys: byName(NEED),
    readable: NEED,
    whyNot: TEXT,
  },
);

const AUDIT_SUM: Schema = fields({
  objects: COUNT,
  bytes: COUNT,
  ofUnknownLength: meaning(COUNT, "objects of which nothing says how many bytes they have"),
});

const ANSWER = {
  unknown: meaning(TEXTS, "what may be there and was not looked at, in sentences"),
  writersStoppedBy: meaning(nullable(TIME), "when whoever writes must have stopped"),
  notSeen: TEXT,
};
const KEY_ANSWER: Schema = fields({ key: TEXT, answer: words("needed", "not-needed", "not-in-this-list"), ...ANSWER });

export const AUDITED: readonly Schema[] = [
  entry(
    "what is stored at a key",
    {
      ...OBJECT.always,
      state: words(
        "encrypted",
        "message",
        "plain",
        "instruction-file",
        "orphaned-file",
        "unreadable",
        "unknown",
        "nothing",
      ),
      wraps: listOf(AUDITED_WRAP),
    },
    {
      ...OBJECT.sometimes,
      format: words("V1", "V2", "V3"),
      suite: TEXT,
      isAuthenticated: meaning(FLAG, "its content has a tag"),
      isCommitting: meaning(FLAG, "its content key is committed to"),
      bytes: meaning(nullable(COUNT), "of plaintext; null where nothing says how many"),
      storedBytes: COUNT,
      owner: meaning(TEXT, "of a file: the key of the object that it is beside"),
      isOfAnother: meaning(FLAG, "of a file: its mark is another object's"),
      needsKey: NEED,
      needsKeys: byName(NEED),
      readable: NEED,
      whyNot: TEXT,
      problem: TEXT,
    },
  ),
  entry(
    "what they come to",
    {
      totals: fields(
        {
          objects: COUNT,
          bytes: COUNT,
          ofUnknownLength: COUNT,
          byState: byName(AUDIT_SUM),
          byFormat: byName(AUDIT_SUM),
          byWrap: byName(AUDIT_SUM),
          legacyWraps: AUDIT_SUM,
          uncommitted: AUDIT_SUM,
          unauthenticated: AUDIT_SUM,
        },
        { byNeed: byName(AUDIT_SUM), byNeedOf: byName(byName(AUDIT_SUM)), byReadable: byName(AUDIT_SUM) },
      ),
    },
    {
      unknown: ANSWER.unknown,
      keyOf: meaning(KEY_ANSWER, "with --key-of"),
      keysOf: meaning(listOf(KEY_ANSWER), "with several of those"),
      readableBy: meaning(
        fields({ reader: TEXT, answer: words("all", "not-all", "not-in-this-list"), ...ANSWER }),
        "with --readable-by",
      ),
    },
  ),
];

export const VERIFIED: readonly Schema[] = [
  entry(
    "what came of reading an object",
    {
      ...OBJECT.always,
      state: words("verified", "unauthenticated", "plain", "instruction-file", "failed", "unknown", "nothing"),
    },
    {
      ...OBJECT.sometimes,
      bytes: meaning(COUNT, "of plaintext"),
      formatName: meaning(TEXT, "s3, message, or that of a format of your own"),
      ...WHY,
    },
  ),
  entry("what they come to", { totals: fields({ byState: byName(fields({ objects: COUNT, bytes: COUNT })) }) }),
];

const VERIFIED_WRAP = words("content", "envelope", "unverified");
const LOSSES = meaning(TEXTS, "what of the object is not as it was");
const REPLACED = meaning(TEXT, "the version before, which still needs the old key");
const NOT_DONE = {
  ...WHY,
  todo: meaning(TEXT, "what to do about it, in a sentence"),
};
const REWRITE_TOTALS = entry("what they come to", {
  totals: fields({
    byState: meaning(COUNT_BY_NAME, "objects"),
    byCode: meaning(COUNT_BY_NAME, "of those that were not done"),
    keptVersions: meaning(COUNT, "versions that were replaced, and keep the old wrap"),
  }),
});
const DONE_OR_NOT = ["planned", "current", "skipped", "refused", "failed", "unknown", "nothing"] as const;
const WRITTEN_WRAP = fields({
  place: PLACE,
  wrapAlgorithm: WRAP_NAME,
  verified: meaning(VERIFIED_WRAP, "what was seen to work before it was said to be done"),
  isReencrypted: meaning(FLAG, "the data key did not leave KMS"),
});

export const REWRAPPED: readonly Schema[] = [
  entry(
    "what became of an object",
    { ...OBJECT.always, state: words("rewrapped", ...DONE_OR_NOT) },
    {
      ...OBJECT.sometimes,
      wraps: meaning(listOf(WRITTEN_WRAP), "those that were written, or would be"),
      changed: LOSSES,
      replacedVersionId: REPLACED,
      ...NOT_DONE,
    },
  ),
  REWRITE_TOTALS,
];

export const MIGRATED: readonly Schema[] = [
  entry(
    "what became of an object",
    { ...OBJECT.always, state: words("migrated", ...DONE_OR_NOT) },
    {
      ...OBJECT.sometimes,
      changed: LOSSES,
      droppedRecipients: meaning(TEXTS, "whose keys do not open it any more"),
      removedFiles: meaning(TEXTS, "keys of instruction files; of one object"),
      replacedVersionId: REPLACED,
      ...NOT_DONE,
    },
  ),
  REWRITE_TOTALS,
];

export const RECIPIENT_ADDED: readonly Schema[] = [
  entry(
    "what became of an object",
    {
      ...OBJECT.always,
      recipient: TEXT,
      state: meaning(words("added", ...DONE_OR_NOT), "current: it has the recipient already"),
    },
    { ...OBJECT.sometimes, wraps: meaning(listOf(WRITTEN_WRAP), "that which was written, or would be"), ...NOT_DONE },
  ),
  REWRITE_TOTALS,
];

export const RECIPIENT_REMOVED: readonly Schema[] = [
  entry(
    "what became of an object",
    {
      ...OBJECT.always,
      recipient: TEXT,
      state: meaning(words("removed", ...DONE_OR_NOT), "current: it has no such recipient"),
    },
    {
      ...OBJECT.sometimes,
      removed: meaning(listOf(PLACE), "what was deleted, or would be"),
      remaining: meaning(listOf(PLACE), "what is there all the same"),
      ...NOT_DONE,
    },
  ),
  REWRITE_TOTALS,
];

export const RECIPIENTS: Schema = entry(
  "the wrapped keys beside an object",
  {
    ...OBJECT.always,
    hasOwnWrap: meaning(FLAG, "its metadata holds a wrapped key"),
    recipients: listOf(
      fields({
        recipient: TEXT,
        place: PLACE,
        state: words("of this object", "of another object", "unproven"),
        text: meaning(TEXT, "what is stored"),
      }),
    ),
    unknown: meaning(TEXTS, "places that may not be listed"),
  },
  OBJECT.sometimes,
);

export const INSPECTED: readonly Schema[] = [
  entry("an object of an S3 encryption client", {
    ...OBJECT.always,
    format: words("V1", "V2", "V3"),
    suite: TEXT,
    isCommitting: FLAG,
    isAuthenticated: FLAG,
    bytes: meaning(nullable(COUNT), "of plaintext; null where nothing says how many"),
    storedBytes: COUNT,
    wrapAlgorithm: WRAP_NAME,
    isLegacy: meaning(FLAG, "the wrap is not bound to the content's cipher"),
    keyKind: KEY_KIND,
    encryptedDataKeyBytes: COUNT,
    placement: words("metadata", "instruction-file"),
    instructionFile: meaning(nullable(TEXT), "the key of the file that holds the wrapped key"),
    descriptionKind: words("encryption-context", "material-description"),
    description: TEXT_BY_NAME,
    unreadDescription: meaning(nullable(TEXT), "what is stored, where it is no map of texts"),
    siblingSuffixes: meaning(nullable(TEXTS), "of keys beside it; null where they may not be listed"),
    recipients: meaning(
      nullable(
        listOf(
          fields({
            recipient: TEXT,
            annotation: TEXT,
            wrap: nullable(TEXT),
            kmsKeyId: nullable(TEXT),
            added: nullable(TIME),
          }),
        ),
      ),
      "in annotations; null where they may not be listed",
    ),
    writers: TEXT,
    weaknesses: TEXTS,
    switches: meaning(TEXTS, "options that a reader has to set"),
    movingOn: nullable(TEXT),
  }),
  entry("a message of the AWS Encryption SDK", {
    ...OBJECT.always,
    format: words("message"),
    headerVersion: { enum: [1, 2] },
    suite: TEXT,
    isCommitting: FLAG,
    isSigned: FLAG,
    frameBytes: COUNT,
    encryptionContext: TEXT_BY_NAME,
    encryptedDataKeys: listOf(fields({ providerId: TEXT, providerInfo: TEXT })),
    bytes: meaning(nullable(COUNT), "of plaintext; null of a signed one"),
    storedBytes: COUNT,
  }),
];

export const PRESIGNED: Schema = entry(
  "a URL, and what the holder of a key needs beside it",
  { url: TEXT, expires: TIME, formatName: TEXT },
  {
    instructionFile: meaning(fields({ suffix: TEXT, text: TEXT }), "where the wrapped key is in a file"),
    annotations: meaning(TEXT_BY_NAME, "where it is in an annotation: name and text"),
  },
);
