import { isCommitted, type MessageReading } from "../messages/message-expectations.js";
import { MESSAGE_CLIENT_NAMES, type MessageClientName } from "../messages/message-job.js";
import type { MessageCell } from "../messages/message-matrix.js";
import type { MessageKeyringName, WrittenMessage } from "../messages/written-message.js";
import { passed } from "../peers/verdict.js";
import { groupBy, Notes, ordinary, table } from "./report-table.js";

const CLIENTS: Readonly<Record<MessageClientName, { readonly head: string; readonly is: string }>> = {
  "esdk-python": {
    head: "Python",
    is: "aws-encryption-sdk 4.0.7 with the keyrings of aws-cryptographic-material-providers 1.11.3",
  },
  "esdk-java": {
    head: "Java",
    is: "com.amazonaws:aws-encryption-sdk-java 3.0.2 with the keyrings of aws-cryptographic-material-providers 1.7.0",
  },
  "esdk-javascript": { head: "JavaScript", is: "@aws-crypto/client-node 5.0.2" },
  ours: { head: "ours", is: "@s3ec/format-aws-message with our keyrings" },
};

const KEYRINGS: Readonly<Record<MessageKeyringName, string>> = {
  "aes-128": "AES-128",
  "aes-192": "AES-192",
  "aes-256": "AES-256",
  "rsa-oaep-sha1": "RSA-OAEP, SHA-1",
  "rsa-oaep-sha256": "RSA-OAEP, SHA-256",
  "rsa-oaep-sha384": "RSA-OAEP, SHA-384",
  "rsa-oaep-sha512": "RSA-OAEP, SHA-512",
  "rsa-pkcs1": "RSA PKCS#1 v1.5",
  kms: "KMS",
  multi: "multi",
};

/** The section of docs/interop.md on messages of the AWS Encryption SDK, the same for the same results. */
export function messageReport(cells: readonly MessageCell[]): string {
  const readers = MESSAGE_CLIENT_NAMES.filter((client) => cells.some(({ reader }) => reader === client));
  const notes = new Notes(cells);
  const asWritten = cells.filter(({ reading }) => reading === undefined || reading === "as-written");
  const ownKeyring = asWritten.filter(({ message, keyring }) => keyring === undefined || keyring === message.keyring);
  const tables = {
    keyrings: whoReads(
      asWritten.filter(({ message }) => message.frameLength === 128 && isCommitted(message.suite)),
      readers,
      notes,
      ({ message, keyring }) => keyringOf(message, keyring),
    ),
    frames: whoReads(
      ownKeyring.filter(({ message }) => message.frameLength !== 128),
      readers,
      notes,
      ({ message }) => (message.frameLength === 0 ? "unframed" : `frames of ${message.frameLength}`),
    ),
    uncommitted: whoReads(
      ownKeyring.filter(({ message }) => !isCommitted(message.suite)),
      readers,
      notes,
      ({ message }) => `0x${message.suite.toString(16).padStart(4, "0")}`,
    ),
  };
  return [
    "## Messages of the AWS Encryption SDK",
    `The SDKs' messages, written and read in the same run with keys of moto's and of their own. ${cells.length} writings ` +
      `and readings, ${cells.filter(passed).length} of them with the expected outcome.`,
    table(
      ["", "SDK"],
      readers.map((reader) => [CLIENTS[reader].head, CLIENTS[reader].is]),
    ),
    "### By keyring",
    "Rows: who wrote, under which keyring; columns: who read. Each cell stands for suites 0x0478 and 0x0578, frames of 128 " +
      "bytes, bodies of 0, 1, 127, 128 and 129 bytes, and contexts that are absent, ASCII and not ASCII. The multi-keyring " +
      "has a KMS key that makes the data key, an AES-256 key and an RSA key; each member alone reads what it wrote. " +
      "Where a cell is empty, the client cannot be configured so: Node.js 20 does not take RSA with PKCS#1 v1.5 from the " +
      "JavaScript SDK, and ours does not offer it for messages.",
    tables.keyrings,
    "### By frame length",
    "Under the AES-256 key: bodies of 0, 1, one byte less than a frame, a frame and one byte more, and 6 MiB in frames of " +
      "4096 bytes and more.",
    tables.frames,
    "### Suites without a key commitment",
    "Under a policy that allows them.",
    tables.uncommitted,
    "### Other readings",
    "In pieces: the message read through the SDK's stream. The others vary one ordinary message of each keyring and suite.",
    otherReadings(cells, readers),
    "### Exceptions among the messages",
    notes.explained(),
    "",
  ].join("\n\n");
}

function whoReads(
  cells: readonly MessageCell[],
  readers: readonly MessageClientName[],
  notes: Notes,
  kindOf: (cell: MessageCell) => string,
): string {
  const rows = groupBy(cells, (cell) => `${CLIENTS[cell.message.writer].head}: ${kindOf(cell)}`);
  return table(
    ["", ...readers.map((reader) => CLIENTS[reader].head)],
    [...rows].map(([name, row]) => [
      name + notes.of(row.filter(({ reader }) => reader === undefined)),
      ...readers.map((reader) => {
        const own = row.filter((cell) => cell.reader === reader);
        return ordinary(own) + notes.of(own);
      }),
    ]),
  );
}

function keyringOf({ keyring }: WrittenMessage, reading: MessageKeyringName = keyring): string {
  return reading === keyring ? KEYRINGS[keyring] : `${KEYRINGS[keyring]}, read with ${KEYRINGS[reading]} alone`;
}

function otherReadings(cells: readonly MessageCell[], readers: readonly MessageClientName[]): string {
  const readings: readonly (readonly [string, MessageReading, (message: WrittenMessage) => boolean])[] = [
    ["in pieces", "in-pieces", () => true],
    ["the default policy, with a key commitment", "default-policy", ({ suite }) => isCommitted(suite)],
    ["the default policy, without", "default-policy", (message) => !isCommitted(message.suite)],
    ["another key of the same name", "other-key", () => true],
    ["a context with another value", "other-context", () => true],
  ];
  return table(
    ["", ...readers.map((reader) => CLIENTS[reader].head)],
    readings.map(([name, reading, includes]) => [
      name,
      ...readers.map((reader) => {
        const own = cells.filter(
          (cell) => cell.reader === reader && cell.reading === reading && includes(cell.message),
        );
        return `${ordinary(own)}${own.every(passed) ? "" : " **unexpected**"} (${own.length})`;
      }),
    ]),
  );
}
