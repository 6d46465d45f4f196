import type { Answer } from "./answer.js";

/** `wrong-bytes`: it answers without an error, but not with what was written. */
export type Outcome = "ok" | "refused" | "wrong-bytes";

/** What must happen, and the rule of docs/formats.md or the observed deviation that says so. */
export interface Verdict {
  readonly outcome: Outcome;
  readonly reason: string;
  /** Whether the client departs here from what docs/formats.md says of all of its kind. */
  readonly exception?: true;
  /** The error code that a refusal must carry. */
  readonly code?: string;
}

/** What should have happened and what did. */
export interface Judged {
  readonly expected: Verdict;
  readonly outcome: Outcome;
  /** The client's own words when it refused, the sizes when the bytes are wrong. */
  readonly detail: string;
}

/** What became of a job whose plaintext has this size and SHA-256. */
export function judge(size: number, sha256: string, answer: Answer): { outcome: Outcome; detail: string } {
  if (!answer.ok) return { outcome: "refused", detail: `${answer.error}: ${answer.message}` };
  const right = answer.length === size && answer.sha256 === sha256;
  return right
    ? { outcome: "ok", detail: "" }
    : { outcome: "wrong-bytes", detail: `${answer.length} bytes for ${size}` };
}

/** Whether the cell is as expected. */
export function passed(cell: Judged): boolean {
  const { outcome, code } = cell.expected;
  return cell.outcome === outcome && (code === undefined || cell.detail.startsWith(`${code}:`));
}
