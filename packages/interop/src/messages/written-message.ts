import type { StringMap } from "@s3ec/materials";
import type { MessageClientName } from "./message-job.js";

/** The keyrings of the matrix: what wraps, and for RSA how it pads. `multi` has `kms`, `aes-256` and `rsa-oaep-sha256`. */
export const MESSAGE_KEYRINGS = [
  "aes-128",
  "aes-192",
  "aes-256",
  "rsa-oaep-sha1",
  "rsa-oaep-sha256",
  "rsa-oaep-sha384",
  "rsa-oaep-sha512",
  "rsa-pkcs1",
  "kms",
  "multi",
] as const;
export type MessageKeyringName = (typeof MESSAGE_KEYRINGS)[number];

/** Each of them alone opens what the multi-keyring wrote. The first makes the data key. */
export const MULTI_MEMBERS: readonly ["kms", "aes-256", "rsa-oaep-sha256"] = ["kms", "aes-256", "rsa-oaep-sha256"];

/** By id: with a key commitment, message format 2. */
export const COMMITTED_SUITES: readonly number[] = [0x0478, 0x0578];
/** By id: without one, message format 1. Plain, then with HKDF, then signed; 128, 192 and 256 bits each. */
export const UNCOMMITTED_SUITES: readonly number[] = [
  0x0014, 0x0046, 0x0078, 0x0114, 0x0146, 0x0178, 0x0214, 0x0346, 0x0378,
];

export type MessageContextName = "none" | "ascii" | "non-ascii";

export const MESSAGE_CONTEXTS: Readonly<Record<MessageContextName, StringMap>> = {
  none: {},
  // A capital letter sorts before a small one by bytes, and after it by most locales.
  ascii: { tenant: "north", Zone: 'a <b> & "c" \\ d/e, +f' },
  // As UTF-16 the emoji's name sorts before the tilde's, as UTF-8 after it; the accent of the third is a character of its own.
  "non-ascii": { ville: "Orléans", 名: "値", "e\u0301": "e\u0301", "\u{1F600}": "last", "\uff5e": "first" },
};

/** One message of the matrix: who writes it and how. */
export interface WrittenMessage {
  readonly writer: MessageClientName;
  readonly keyring: MessageKeyringName;
  readonly suite: number;
  /** In bytes; 0: one body without frames. */
  readonly frameLength: number;
  readonly context: MessageContextName;
  readonly size: number;
}

interface Writer {
  readonly keyrings: readonly MessageKeyringName[];
  readonly unframed: boolean;
  readonly uncommitted: boolean;
}

const EVERYTHING: Writer = { keyrings: MESSAGE_KEYRINGS, unframed: true, uncommitted: true };

const WRITERS: Readonly<Record<MessageClientName, Writer>> = {
  "esdk-python": EVERYTHING,
  "esdk-java": EVERYTHING,
  "esdk-javascript": { ...EVERYTHING, unframed: false },
  ours: {
    keyrings: MESSAGE_KEYRINGS.filter((keyring) => keyring !== "rsa-pkcs1"),
    unframed: false,
    uncommitted: false,
  },
};

/** Keyrings that a client cannot read with at all. Ours offers no PKCS#1 v1.5 for messages, and OpenSSL 3 without implicit rejection takes PKCS#1 v1.5 from Node. */
const UNREADABLE: Partial<Record<MessageClientName, readonly MessageKeyringName[]>> = {
  "esdk-javascript": ["rsa-pkcs1"],
  ours: ["rsa-pkcs1"],
};

/** Whether the client can be configured to read with this keyring. */
export function readsWith(client: MessageClientName, keyring: MessageKeyringName): boolean {
  return UNREADABLE[client]?.includes(keyring) !== true;
}

/** The frame length at which keyrings and contexts are varied: the least that every SDK writes. */
const ORDINARY_FRAME = 128;
const OTHER_FRAMES = [1, 64, 4096, 65_536];
const LARGE = 6 * 1024 * 1024;
/** Below it, a large body would be tens of thousands of frames. */
const LARGE_FRAME = 4096;

/** Every message that these clients write. */
export function writtenMessages(clients: ReadonlySet<MessageClientName>): WrittenMessage[] {
  return [...clients].flatMap((writer) => [
    ...acrossKeyrings(writer),
    ...acrossFrames(writer),
    ...acrossUncommittedSuites(writer),
  ]);
}

function acrossKeyrings(writer: MessageClientName): WrittenMessage[] {
  return WRITERS[writer].keyrings.flatMap((keyring) =>
    COMMITTED_SUITES.flatMap((suite) =>
      (["none", "ascii", "non-ascii"] as const).flatMap((context) =>
        sizesAround(ORDINARY_FRAME).map((size) => ({
          writer,
          keyring,
          suite,
          frameLength: ORDINARY_FRAME,
          context,
          size,
        })),
      ),
    ),
  );
}

function acrossFrames(writer: MessageClientName): WrittenMessage[] {
  const frames = WRITERS[writer].unframed ? [0, ...OTHER_FRAMES] : OTHER_FRAMES;
  return COMMITTED_SUITES.flatMap((suite) =>
    frames.flatMap((frameLength) =>
      sizesAround(frameLength === 0 ? ORDINARY_FRAME : frameLength).map((size) => ({
        writer,
        keyring: "aes-256" as const,
        suite,
        frameLength,
        context: "ascii" as const,
        size,
      })),
    ),
  );
}

function acrossUncommittedSuites(writer: MessageClientName): WrittenMessage[] {
  if (!WRITERS[writer].uncommitted) return [];
  return UNCOMMITTED_SUITES.map((suite) => ({
    writer,
    keyring: "aes-256",
    suite,
    frameLength: ORDINARY_FRAME,
    context: "ascii",
    size: ORDINARY_FRAME + 1,
  }));
}

function sizesAround(frameLength: number): number[] {
  const sizes = new Set([0, 1, frameLength - 1, frameLength, frameLength + 1]);
  return frameLength < LARGE_FRAME ? [...sizes] : [...sizes, LARGE];
}

/** Whether the message is the one of its kind on which readings are varied. */
export function isOrdinaryMessage({ frameLength, context, size }: WrittenMessage): boolean {
  return frameLength === ORDINARY_FRAME && context === "ascii" && size === ORDINARY_FRAME + 1;
}
