/** What the functions of the client call it, and what the command line does. */
const NAMES: Readonly<Record<string, string>> = {
  encryptionContext: "--context",
  "to.encryptionContext": "--to-context",
  materialDescription: "--description",
  "to.materialDescription": "--to-description",
  instructionFileSuffix: "--suffix",
  "to.instructionFileSuffix": "--to-suffix",
  SSEKMSEncryptionContext: "--kms-context",
  enforceRotation: "--enforce-rotation",
  decryptHere: "--decrypt-here",
  addRecipient: "s3ec recipients add",
  removeRecipient: "s3ec recipients remove",
  listRecipients: "s3ec recipients list",
  migrateObject: "s3ec migrate",
};
const NAME = new RegExp(
  `(?<![\\w.])(?:${Object.keys(NAMES)
    .sort((a, b) => b.length - a.length)
    .join("|")})\\b`,
  "g",
);

/** Options with what they are to be, each of a list by itself. */
const LISTS: Readonly<Record<string, string>> = { dropRecipients: "--drop", allowLoss: "--allow-loss" };
const LIST = /\b(dropRecipients|allowLoss): \[((?:"(?:[^"\\]|\\.)*"(?:, )?)*)\]/g;
const VALUES: readonly [RegExp, string][] = [
  [/\bto\.encryptionContext: \{\}/g, "--no-to-context"],
  [/\bowner: "same"/g, "--same-owner"],
  [/\bverify: "(\w+)"/g, "--verify $1"],
  [/\bin: "(instruction-file|annotation)"/g, "--in $1"],
];

/** A message of the client's, with the names that the command line has for what a caller can say. */
export function asOptions(message: string): string {
  const lists = message.replace(LIST, (_all, name: string, values: string) =>
    [...values.matchAll(/"(?:[^"\\]|\\.)*"/g)].map(([value]) => `${LISTS[name]} ${shown(value)}`).join(" "),
  );
  const values = VALUES.reduce((text, [pattern, option]) => text.replace(pattern, option), lists);
  return values.replace(NAME, (name) => NAMES[name] ?? name);
}

/** As a shell takes it. */
function shown(quoted: string): string {
  const plain = quoted.slice(1, -1);
  return /^[\w./-]+$/.test(plain) ? plain : `'${plain.replaceAll("'", "'\\''")}'`;
}
