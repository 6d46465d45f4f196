import {
  ALGORITHM_SUITES,
  assertMayReadContent,
  assertMayUnwrap,
  type DecryptionPolicy,
  type EncryptedDataKey,
} from "@s3ec/envelope";
import { S3EncryptionError, type WrapAlgorithm } from "@s3ec/materials";
import type { KeyQuestion, Need } from "../key-question/key-question.js";
import type { AuditedObject } from "./audited-object.js";

/** A reader, as far as an audit can tell what it reads without opening anything. */
export interface AuditReader extends DecryptionPolicy {
  /** What its keyring unwraps. */
  readonly wrapAlgorithms: readonly WrapAlgorithm[];
  /**
   * Each of the keys that it unwraps with: a wrap that is of none of them is not read. They are to be asked, and to believe
   * nothing that is stored about a key. Default: nothing is known of them, so that only policy and kinds of wraps can tell.
   */
  readonly keyQuestions?: readonly KeyQuestion[];
}

/**
 * Whether a reader can open something: `yes` where one of its keys says so of the wrap, which proves nothing of the content; `no`
 * where its policy, its kinds of wraps or all of its keys rule it out.
 */
export type Readable = "yes" | "no" | "unknown";

/** The answer, and of a `no` why, in a sentence. */
export interface ReadableAnswer {
  readonly readable: Readable;
  readonly whyNot?: string;
}

const UNKNOWN: ReadableAnswer = { readable: "unknown" };
const OTHER_KEY = "None of the reader's keys has made its wrapped key.";

/** Whether a reader opens a wrap, whatever content it is of. */
export async function wrapReadable(
  { keyQuestions, ...reader }: AuditReader,
  encryptedDataKey: EncryptedDataKey,
  wrappingKey: string | undefined,
): Promise<ReadableAnswer> {
  const refused = refusal(() => assertMayUnwrap(encryptedDataKey.wrapAlgorithm, reader, reader.wrapAlgorithms));
  if (refused !== undefined) return refused;
  if (keyQuestions === undefined) return UNKNOWN;
  const answers: Need[] = [];
  for (const question of keyQuestions) {
    const answer = await question.needs(encryptedDataKey, wrappingKey).catch((): Need => "unknown");
    if (answer === "yes") return { readable: "yes" };
    answers.push(answer);
  }
  return answers.includes("unknown") ? UNKNOWN : { readable: "no", whyNot: OTHER_KEY };
}

/**
 * Whether a reader opens an object; undefined for what is no encrypted object.
 *
 * @param mayHaveMore whether it may have wraps that were not looked at
 */
export function objectReadable(
  reader: AuditReader,
  { state, format, suite: name, wraps, problem }: Omit<AuditedObject, "Key">,
  mayHaveMore: boolean,
): ReadableAnswer | undefined {
  if (state === "message" || state === "unknown") return UNKNOWN;
  if (state === "unreadable") {
    return mayHaveMore || problem === undefined ? UNKNOWN : { readable: "no", whyNot: problem };
  }
  // Wraps stand beside it, or may: then it is no plain object, and what else it says of itself is not known.
  if (state === "plain" && (wraps.length > 0 || problem !== undefined)) return UNKNOWN;
  if (state !== "encrypted") return undefined;
  const suite = ALGORITHM_SUITES.find((each) => each.name === name);
  const refused = suite === undefined ? undefined : refusal(() => assertMayReadContent(suite, reader, format ?? ""));
  if (refused !== undefined) return refused;
  const [own] = wraps;
  // A further file beside an object may be of the object before, or of a longer key: only a get compares it.
  const isOpened = wraps.some(
    ({ readable, place }, index) => readable === "yes" && (index === 0 || place.in !== "instruction-file"),
  );
  if (isOpened) return suite === undefined ? UNKNOWN : { readable: "yes" };
  if (own === undefined || mayHaveMore || wraps.some(({ readable }) => readable !== "no")) return UNKNOWN;
  return { readable: "no", ...(own.whyNot === undefined ? {} : { whyNot: own.whyNot }) };
}

function refusal(gate: () => void): ReadableAnswer | undefined {
  try {
    gate();
    return undefined;
  } catch (error) {
    if (error instanceof S3EncryptionError) return { readable: "no", whyNot: error.message };
    throw error;
  }
}
