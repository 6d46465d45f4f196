import type { Verdict } from "../peers/verdict.js";
import { COMMITTED_SUITES, type WrittenMessage } from "./written-message.js";

/**
 * How a message is read: as it was written, under the policy that its suite needs; in pieces; under the default policy;
 * with another key of the same name; or demanding another context than the writer's.
 */
export type MessageReading = "as-written" | "in-pieces" | "default-policy" | "other-key" | "other-context";

interface MessageException extends Verdict {
  readonly applies: (message: WrittenMessage) => boolean;
}

const WRITE_EXCEPTIONS: readonly MessageException[] = [
  {
    applies: ({ writer, frameLength }) => writer === "esdk-python" && frameLength % 128 !== 0,
    outcome: "refused",
    reason:
      "writes no frame length but multiples of 128 bytes (it takes the cipher's block length, in bits, for one in bytes)",
    exception: true,
  },
];

/** What must become of the writing. */
export function messageWriteVerdict(message: WrittenMessage): Verdict {
  return WRITE_EXCEPTIONS.find(({ applies }) => applies(message)) ?? { outcome: "ok", reason: "it is a valid message" };
}

/** Whether the suite's id names one with a key commitment. */
export function isCommitted(suite: number): boolean {
  return COMMITTED_SUITES.includes(suite);
}

/** What must become of reading the message, with the writer's keyring or with a member of it: every SDK does the same. */
export function messageReadVerdict(message: WrittenMessage, reading: MessageReading): Verdict {
  if (reading === "default-policy" && !isCommitted(message.suite)) {
    return { outcome: "refused", reason: "the default policy wants a key commitment" };
  }
  if (reading === "other-key") return { outcome: "refused", reason: "no data key can be unwrapped" };
  if (reading === "other-context") return { outcome: "refused", reason: "the context has another value" };
  return { outcome: "ok", reason: "whoever has the key reads it" };
}
