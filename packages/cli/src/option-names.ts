/** What the functions of the client call it, and what the command line does. */
const OPTIONS: Readonly<Record<string, string>> = {
  encryptionContext: "--context",
  "to.encryptionContext": "--to-context",
  materialDescription: "--description",
  "to.materialDescription": "--to-description",
  instructionFileSuffix: "--suffix",
  "instructionFileSuffix and preferInstructionFile": "--suffix",
  "to.instructionFileSuffix": "--to-suffix",
  SSEKMSEncryptionContext: "--kms-context",
  enforceRotation: "--enforce-rotation",
  decryptHere: "--decrypt-here",
  settleTime: "--settle-time",
  addRecipient: "s3ec recipients add",
  removeRecipient: "s3ec recipients remove",
  listRecipients: "s3ec recipients list",
  migrateObject: "s3ec migrate",
  rewrapObject: "s3ec rewrap",
};

/** What no option says, and a field of a configuration's `client` does; but for what may as well be a word. */
const CLIENT_FIELDS = [
  "allowUnencryptedCommands",
  "bufferSize",
  "commitmentPolicy",
  "describeInAnnotation",
  "enableDelayedAuthenticationMode",
  "enableLegacyUnauthenticatedModes",
  "enableLegacyWrappingAlgorithms",
  "enableUncommittedChildren",
  "encryptionAlgorithm",
  "instructionFileConfig",
  "parallelRanges",
  "spool.directory",
  "wrapPlacement",
] as const;

/** The same of its `instructionFileConfig`. */
const FILE_FIELDS = ["disableInstructionFile", "enableInstructionFilePutObject"] as const;

/** Fields that stand where the configuration has a keyring, or a format. */
const INNER_FIELDS: Readonly<Record<string, string>> = {
  formerKeyIds: '"formerKeyIds" of the keyring in the configuration',
  frameLength: '"frameLength" of the format in client.formats',
  maxFrameLength: '"maxFrameLength" of the format in client.formats',
  maxEncryptedDataKeys: '"maxEncryptedDataKeys" of the format in client.formats',
  maxHeaderLength: '"maxHeaderLength" of the format in client.formats',
};

const NAMES: Readonly<Record<string, string>> = {
  ...OPTIONS,
  ...Object.fromEntries(CLIENT_FIELDS.map((name) => [name, `client.${name}`])),
  ...Object.fromEntries(FILE_FIELDS.map((name) => [name, `client.instructionFileConfig.${name}`])),
  ...INNER_FIELDS,
};
const NAME = new RegExp(
  // None of a path or a key.
  `(?<![\\w."/\\\\-])(?:${Object.keys(NAMES)
    .sort((a, b) => b.length - a.length)
    .join("|")})\\b(?!["/\\\\])`,
  "g",
);

/** Options with what they are to be, each of a list by itself. */
const LISTS: Readonly<Record<string, string>> = { dropRecipients: "--drop", allowLoss: "--allow-loss" };
const LIST = /\b(dropRecipients|allowLoss): \[((?:"(?:[^"\\]|\\.)*"(?:, )?)*)\]/g;
/** No option says a secret. */
const SECRET_OPTION = /, or pass resume: \{ secret \} \([^)]*\)/g;

const VALUES: readonly [RegExp, string][] = [
  [/\bto\.encryptionContext: \{\}/g, "--no-to-context"],
  [/\bowner: "same"/g, "--same-owner"],
  [/\bverify: "(\w+)"/g, "--verify $1"],
  [/\bin: "(instruction-file|annotation)"/g, "--in $1"],
  [/\bversions: true\b/g, "--versions"],
  [/\bMetadataDirective: "REPLACE"/g, "--metadata-directive REPLACE"],
  [/\bTaggingDirective: "REPLACE"/g, "--tags"],
  // What no option allows.
  [/ To go on without them: AnnotationDirective: "EXCLUDE"\./g, ""],
  [/\bleave resume out\b/g, "leave --resume out"],
  [
    /\bname another place by resume: \{ state \}/g,
    "put a copy of the file from a folder that takes it, or leave --resume out",
  ],
  [SECRET_OPTION, ""],
  [/\bname that in formats\b/g, "name that in client.formats"],
  [/\bthe client's formats\b/g, "client.formats"],
  [/\bchoose a larger partSize(?:, or none)?/g, "say how long it is (s3ec cp --expected-size)"],
];

/** A message about a configuration, which names fields of it, and of options only those that no configuration has. */
export function asConfigured(message: string): string {
  return message.replace(SECRET_OPTION, "");
}

/** A message of the packages', with the names that the command line and its configuration have for what a caller can say. */
export function asOptions(message: string): string {
  const lists = message.replace(LIST, (_all, name: string, values: string) =>
    [...values.matchAll(/"(?:[^"\\]|\\.)*"/g)].map(([value]) => `${LISTS[name]} ${shown(value)}`).join(" "),
  );
  const values = VALUES.reduce((text, [pattern, option]) => text.replace(pattern, option), lists);
  return values.replace(NAME, (name) => NAMES[name] ?? name);
}

/** What became of one of many, whose sentences are in those names. */
export function inOptions<Result extends object>(result: Result): Result {
  const said = Object.entries(result).flatMap(([name, value]) => {
    if (name === "wraps" && Array.isArray(value)) return [[name, value.map(inOptions)]];
    return SENTENCES.has(name) && typeof value === "string" ? [[name, asOptions(value)]] : [];
  });
  return { ...result, ...Object.fromEntries(said) };
}

const SENTENCES: ReadonlySet<string> = new Set(["problem", "todo", "whyNot"]);

/** As a shell takes it. */
function shown(quoted: string): string {
  const plain = quoted.slice(1, -1);
  return /^[\w./-]+$/.test(plain) ? plain : `'${plain.replaceAll("'", "'\\''")}'`;
}
