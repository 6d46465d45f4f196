import type { OfficialMessageClient } from "../messages/message-job.js";
import { UNCOMMITTED_SUITES, type WrittenMessage } from "../messages/written-message.js";

type Recipe = Partial<WrittenMessage>;

/** What Python and Java each write for the test vectors, under AES-256 in frames of 128 bytes where nothing else is said. */
const COMMON: readonly Recipe[] = [
  ...[0, 1, 127, 128, 129, 256].map((size) => ({ context: "none" as const, size })),
  {},
  { suite: 0x0578 },
  { suite: 0x0578, context: "none", size: 0 },
  ...(["aes-128", "aes-192", "rsa-oaep-sha1", "rsa-oaep-sha256", "rsa-oaep-sha384"] as const).map((keyring) => ({
    keyring,
  })),
  ...(["rsa-oaep-sha512", "rsa-pkcs1", "kms", "multi"] as const).map((keyring) => ({ keyring })),
  ...(["rsa-oaep-sha256", "kms", "multi"] as const).map((keyring) => ({ keyring, suite: 0x0578, size: 129 })),
  { context: "non-ascii", size: 129 },
  { context: "non-ascii", size: 129, keyring: "rsa-oaep-sha256" },
  { context: "non-ascii", size: 129, keyring: "kms", suite: 0x0578 },
  { frameLength: 0 },
  { frameLength: 0, suite: 0x0578, context: "none", size: 0 },
  { frameLength: 4096, size: 4097 },
];

const RECIPES: Readonly<Record<OfficialMessageClient, readonly Recipe[]>> = {
  "esdk-python": [
    ...COMMON,
    ...UNCOMMITTED_SUITES.map((suite) => ({ suite })),
    { frameLength: 0, suite: 0x0178 },
    { frameLength: 65_536, size: 65_537 },
  ],
  "esdk-java": [
    ...COMMON,
    ...[0x0014, 0x0178, 0x0214, 0x0378].map((suite) => ({ suite })),
    { frameLength: 1, size: 3 },
    { frameLength: 64, size: 65, suite: 0x0578 },
  ],
  "esdk-javascript": [
    { context: "none", size: 0 },
    { context: "none", size: 128 },
    {},
    { suite: 0x0578 },
    { suite: 0x0178 },
    { frameLength: 1, size: 3 },
    { keyring: "rsa-oaep-sha512" },
    { keyring: "kms", suite: 0x0578, context: "non-ascii", size: 129 },
    { keyring: "multi", suite: 0x0578, size: 129 },
  ],
};

/** The intact messages of test-vectors/messages. */
export function messagesForVectors(): WrittenMessage[] {
  return Object.entries(RECIPES).flatMap(([writer, recipes]) =>
    recipes.map((recipe) => ({
      writer: writer as OfficialMessageClient,
      keyring: "aes-256" as const,
      suite: 0x0478,
      frameLength: 128,
      context: "ascii" as const,
      size: 257,
      ...recipe,
    })),
  );
}

/** A name that tells the messages of the vectors apart. */
export function vectorId({ writer, keyring, suite, size, context, frameLength }: WrittenMessage): string {
  const frames = frameLength === 128 ? [] : [frameLength === 0 ? "unframed" : `frames-${frameLength}`];
  return [writer.slice("esdk-".length), keyring, suiteName(suite), size, context, ...frames].join("-");
}

/** The suite's id in four hexadecimal digits. */
export function suiteName(suite: number): string {
  return suite.toString(16).padStart(4, "0");
}
