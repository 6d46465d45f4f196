import type { Reading } from "../objects/expectations.js";
import { CLIENT_NAMES, type ClientName, type KeyringType } from "../objects/job.js";
import type { Cell } from "../objects/matrix.js";
import { hasKeyring, type StoredObject, wrapOf } from "../objects/stored-object.js";
import { passed } from "../peers/verdict.js";
import { ranApart } from "./ran-apart.js";
import { groupBy, Notes, ordinary, table } from "./report-table.js";

/** Column heads, and what they stand for. */
const CLIENTS: Readonly<Record<ClientName, { readonly head: string; readonly is: string }>> = {
  "java-v1-eo": { head: "J1 EO", is: "AWS SDK for Java 1.12.797, `AmazonS3EncryptionClient`, EncryptionOnly" },
  "java-v1-ae": { head: "J1 AE", is: "the same, AuthenticatedEncryption" },
  "java-v1-strict": { head: "J1 strict", is: "the same, StrictAuthenticatedEncryption" },
  "java-v2-strict": {
    head: "J2 strict",
    is: "the same SDK, `AmazonS3EncryptionClientV2`, StrictAuthenticatedEncryption",
  },
  "java-v2-ae": { head: "J2 AE", is: "the same, AuthenticatedEncryption" },
  "java-v3": { head: "J3", is: "Amazon S3 Encryption Client for Java 3.5.0" },
  "java-v4": { head: "J4", is: "Amazon S3 Encryption Client for Java 4.0.1" },
  "go-s3crypto-v1": { head: "G1", is: "AWS SDK for Go 1.55.8, s3crypto `EncryptionClient`" },
  "go-s3crypto-v2": { head: "G2", is: "the same, `EncryptionClientV2`" },
  "go-v3": { head: "G3", is: "Amazon S3 Encryption Client for Go 3.1.0" },
  "go-v4": { head: "G4", is: "Amazon S3 Encryption Client for Go 4.0.0" },
  "python-v4": { head: "P4", is: "Amazon S3 Encryption Client for Python 4.0.0" },
  "ruby-v1": { head: "R1", is: "aws-sdk-s3 1.117.2 for Ruby, `Encryption::Client`" },
  "ruby-v2": { head: "R2", is: "the same, `EncryptionV2::Client`" },
  ours: { head: "ours", is: "`@s3ec/client`" },
  "ours-pkcs11": { head: "ours HSM", is: "the same, its keys in a PKCS#11 token (SoftHSM)" },
};

const KEYRINGS: Readonly<Record<KeyringType, string>> = { aes: "an AES key", rsa: "an RSA key", kms: "a KMS key" };

/** The matrix as Markdown, the same for the same results. */
export function report(cells: readonly Cell[]): string {
  const readers = CLIENT_NAMES.filter((client) => cells.some((cell) => cell.reader === client));
  const notes = new Notes(cells);
  const wholes = (["aes", "rsa", "kms"] as const).map((keyring) => [
    `### Under ${KEYRINGS[keyring]}`,
    whoReadsWhat(
      cells.filter(({ object }) => object.keyring === keyring && object.child !== true),
      readers.filter((reader) => hasKeyring(reader, keyring)),
      notes,
    ),
  ]);
  return [
    "# Who reads what",
    "Made by `npm run test:interop`, which runs the official clients and ours against versitygw (S3) and moto (KMS). " +
      `${cells.length} puts and gets, ${cells.filter(passed).length} of them with the expected outcome.`,
    "## The clients",
    table(
      ["", "client"],
      readers.map((reader) => [CLIENTS[reader].head, CLIENTS[reader].is]),
    ),
    "## With every switch on",
    "Rows: who wrote, in which format and wrap, with the wrapped key where. Columns: who read, with all of its switches for " +
      "old objects on and the writer's context and description given. Each cell stands for bodies of 0, 1, 16, 17, 65,537 " +
      "bytes and 6 MiB, for entries that are absent, ASCII and not ASCII, and for a custom suffix where the writer has that. " +
      "`-` is a refusal, `(a)` an exception that is explained below.",
    ...wholes.flat(),
    "### With a child",
    "Objects of 17 bytes whose data key was wrapped twice: with the row's key as above, and with an RSA key whose wrap is in " +
      "the file `.escrow`. Java makes that file by `reEncryptInstructionFile`. Ours puts the first wrap into the metadata, " +
      'or with `wrapPlacement: "instruction-files"` into `.instruction`. Each is read with the first key, and by the ' +
      "child: with its RSA key and the suffix alone.",
    children(cells, readers, notes),
    "### Exceptions",
    notes.explained(),
    "## With the defaults",
    "Which objects of 17 bytes each client opens as it comes; the clients that are not listed have no such switches.",
    settings(cells, readers, "defaults"),
    "## With delayed authentication",
    "The clients that can release plaintext before it is authenticated, told to do so.",
    settings(cells, readers, "delayed-authentication"),
    "## With another encryption context",
    "What each client does with a `kms+context` object when the caller passes another context than the writer did.",
    settings(cells, readers, "other-context"),
    ranApart(),
    "",
  ].join("\n\n");
}

function children(cells: readonly Cell[], readers: readonly ClientName[], notes: Notes): string {
  const rows = groupBy(
    cells.filter(({ object }) => object.child === true),
    ({ object }) => rowName(object),
  );
  const row = (name: string, own: readonly Cell[], reading: Reading): string[] => [
    name,
    ...readers.map((reader) => {
      const those = own.filter((cell) => cell.reader === reader && cell.reading === reading);
      return ordinary(those) + notes.of(those);
    }),
  ];
  return table(
    ["", ...readers.map((reader) => CLIENTS[reader].head)],
    [...rows].flatMap(([name, own]) => [
      row(name + notes.of(own.filter(({ reader }) => reader === undefined)), own, "all-switches"),
      row(`${name}, by the child`, own, "as-child"),
    ]),
  );
}

function whoReadsWhat(cells: readonly Cell[], readers: readonly ClientName[], notes: Notes): string {
  const rows = groupBy(cells, ({ object }) => rowName(object));
  return table(
    ["", ...readers.map((reader) => CLIENTS[reader].head)],
    [...rows].map(([name, row]) => [
      name + notes.of(row.filter(({ reader }) => reader === undefined)),
      ...readers.map((reader) => {
        const own = row.filter((cell) => cell.reader === reader && cell.reading === "all-switches");
        return ordinary(own) + notes.of(own);
      }),
    ]),
  );
}

function rowName(object: StoredObject): string {
  const format = object.suite === "committing" ? "V3" : wrapOf(object) === "none" ? "V1" : "V2";
  const wrap = wrapOf(object) === "none" ? (object.keyring === "aes" ? "AES/ECB" : "RSA PKCS#1") : wrapOf(object);
  const content = object.suite === "cbc" ? "CBC" : "GCM";
  const place = object.placement === "metadata" ? "metadata" : "file";
  return `${CLIENTS[object.writer].head}: ${format} ${wrap}, ${content}, ${place}`;
}

function settings(cells: readonly Cell[], readers: readonly ClientName[], reading: Reading): string {
  const kinds = ["cbc", "gcm", "committing"] as const;
  const heads = { cbc: "CBC", gcm: "GCM (V2)", committing: "committing GCM (V3)" };
  const own = (reader: ClientName): Cell[] =>
    cells.filter((cell) => cell.reader === reader && cell.reading === reading);
  return table(
    ["", ...kinds.map((kind) => heads[kind])],
    readers
      .filter((reader) => own(reader).length > 0)
      .map((reader) => [
        CLIENTS[reader].head,
        ...kinds.map((kind) => outcomes(own(reader).filter(({ object }) => object.suite === kind))),
      ]),
  );
}

function outcomes(cells: readonly Cell[]): string {
  const counted = groupBy(cells, ({ outcome }) => outcome);
  const words = { ok: "opens", refused: "refuses", "wrong-bytes": "returns wrong bytes of" };
  return [...counted].map(([outcome, those]) => `${words[outcome]} ${those.length}`).join(", ");
}
