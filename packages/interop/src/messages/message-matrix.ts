import { join } from "node:path";
import { plaintext, sha256 } from "../peers/plaintext.js";
import { type Judged, judge } from "../peers/verdict.js";
import type { ServiceEndpoint } from "../servers/servers.js";
import { isCommitted, type MessageReading, messageReadVerdict, messageWriteVerdict } from "./message-expectations.js";
import type { MessageClientName, MessageJob, MessageKeyring, MessagePeer } from "./message-job.js";
import {
  isOrdinaryMessage,
  MESSAGE_CONTEXTS,
  type MessageKeyringName,
  MULTI_MEMBERS,
  readsWith,
  type WrittenMessage,
  writtenMessages,
} from "./written-message.js";

export interface MessageSurroundings {
  readonly kms: ServiceEndpoint;
  /** Where messages are kept while the matrix runs. */
  readonly folder: string;
  readonly keyrings: Readonly<Record<MessageKeyringName, MessageKeyring>>;
  /** Other keys under the same names. */
  readonly others: Readonly<Record<MessageKeyringName, MessageKeyring>>;
}

/** One message written, or one read when it has a reader. */
export interface MessageCell extends Judged {
  readonly message: WrittenMessage;
  readonly reader?: MessageClientName;
  readonly keyring?: MessageKeyringName;
  readonly reading?: MessageReading;
}

interface Placed {
  readonly message: WrittenMessage;
  readonly file: string;
  readonly seed: number;
  readonly sha256: string;
}

/** An odd number of bytes, so that pieces begin and end inside of every field. */
const PIECE = 37;

/** Lets every peer write everything that it can, then every peer read what was written. */
export async function runMessageMatrix(
  peers: readonly MessagePeer[],
  surroundings: MessageSurroundings,
): Promise<MessageCell[]> {
  const peerOf = new Map(peers.flatMap((peer) => peer.clients.map((client) => [client, peer] as const)));
  const placed = writtenMessages(new Set(peerOf.keys())).map((message, seed) => ({
    message,
    seed,
    file: join(surroundings.folder, `${seed}.message`),
    sha256: sha256(plaintext(seed, message.size)),
  }));
  const written = await Promise.all(
    placed.map(async (each) => ({ each, cell: await write(each, peerOf.get(each.message.writer), surroundings) })),
  );
  const readable = written.filter(({ cell }) => cell.outcome === "ok").map(({ each }) => each);
  const reads = readable.flatMap((each) =>
    [...peerOf].flatMap(([reader, peer]) =>
      readingsOf(each.message, reader).map(([keyring, reading]) =>
        read(each, reader, keyring, reading, peer, surroundings),
      ),
    ),
  );
  return [...written.map(({ cell }) => cell), ...(await Promise.all(reads))];
}

async function write(
  { message, file, seed, sha256 }: Placed,
  peer: MessagePeer | undefined,
  { kms, keyrings }: MessageSurroundings,
): Promise<MessageCell> {
  if (peer === undefined) throw new Error(`Nobody runs ${message.writer}.`);
  const answer = await peer.run(writingOf(message, { kms, keyrings }, file, seed));
  return { message, expected: messageWriteVerdict(message), ...judge(message.size, sha256, answer) };
}

/** The job of writing a message, whoever asks for it. */
export function writingOf(
  message: WrittenMessage,
  { kms, keyrings }: Pick<MessageSurroundings, "kms" | "keyrings">,
  file: string,
  seed: number,
): MessageJob {
  return {
    op: "encrypt",
    kms,
    keyring: keyrings[message.keyring],
    policy: isCommitted(message.suite) ? "require-require" : "forbid-allow",
    suite: message.suite,
    frameLength: message.frameLength,
    encryptionContext: MESSAGE_CONTEXTS[message.context],
    file,
    body: { seed, length: message.size },
  };
}

function readingsOf(message: WrittenMessage, reader: MessageClientName): [MessageKeyringName, MessageReading][] {
  if (!readsWith(reader, message.keyring)) return [];
  const { keyring } = message;
  const members = keyring === "multi" ? MULTI_MEMBERS : [];
  const readings: [MessageKeyringName, MessageReading][] = [keyring, ...members].map((name) => [name, "as-written"]);
  if (message.keyring === "aes-256") readings.push([keyring, "in-pieces"]);
  if (isOrdinaryMessage(message)) {
    for (const reading of ["default-policy", "other-key", "other-context"] as const) readings.push([keyring, reading]);
  }
  return readings;
}

async function read(
  { message, file, sha256 }: Placed,
  reader: MessageClientName,
  keyring: MessageKeyringName,
  reading: MessageReading,
  peer: MessagePeer,
  { kms, keyrings, others }: MessageSurroundings,
): Promise<MessageCell> {
  const context = MESSAGE_CONTEXTS[message.context];
  const answer = await peer.run({
    op: "decrypt",
    kms,
    keyring: (reading === "other-key" ? others : keyrings)[keyring],
    policy: isCommitted(message.suite) || reading === "default-policy" ? "require-require" : "require-allow",
    encryptionContext: reading === "other-context" ? { ...context, tenant: "south" } : context,
    file,
    // A large body in pieces of this length would measure nothing but patience.
    ...(reading === "in-pieces" ? { streamed: Math.max(PIECE, Math.floor(message.size / 1000)) } : {}),
  });
  const expected = messageReadVerdict(message, reading);
  return { message, reader, keyring, reading, expected, ...judge(message.size, sha256, answer) };
}
