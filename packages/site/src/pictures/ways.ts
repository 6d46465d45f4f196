import { arrow, box, type Kind, label, type Picture } from "./svg.js";

interface Step {
  readonly kind: Kind;
  readonly text: readonly string[];
  /** Who is asked, beside the step. */
  readonly asks?: string;
  /** What may come of it. */
  readonly or?: string;
}

const X = 20;
const WIDTH = 248;
const ASIDE = 316;
const STEP = 76;

/** Steps below each other, each with an arrow to the next. */
function steps(list: readonly Step[]): string[] {
  return list.flatMap(({ kind, text, asks, or }, index) => {
    const y = 20 + index * STEP;
    const middle = y + 24;
    return [
      box(kind, [X, y, WIDTH, 48], ...text),
      ...(index === list.length - 1 ? [] : [arrow([X + WIDTH / 2, y + 48], [X + WIDTH / 2, y + STEP - 2])]),
      ...(asks === undefined
        ? []
        : [
            arrow([X + WIDTH, middle - 6], [ASIDE - 2, middle - 6]),
            arrow([ASIDE, middle + 8], [X + WIDTH + 2, middle + 8]),
            box("open", [ASIDE, y, 108, 48], ...asks.split("\n")),
          ]),
      ...(or === undefined
        ? []
        : or.split("\n").map((line, at) => label(`~${line}~`, X + WIDTH + 14, middle - 4 + at * 17))),
    ];
  });
}

function heightOf(list: readonly Step[]): number {
  return 20 + list.length * STEP - 8;
}

const PUT_STEPS: readonly Step[] = [
  { kind: "plain", text: ["*PutObject*", "your bytes"] },
  { kind: "plain", text: ["may it be written so?"], or: "or a refusal: no key\nwas used" },
  { kind: "wrap", text: ["a new data key,", "wrapped by each keyring"], asks: "KMS, HSM,\nor your keys" },
  { kind: "secret", text: ["content key and commitment", "from the data key"] },
  { kind: "cipher", text: ["AES-GCM, in one pass", "ciphertext, then tag"] },
  { kind: "proof", text: ["one request:", "object and envelope"], or: "or nothing is stored" },
  {
    kind: "wrap",
    text: ["files and annotations", "of further recipients"],
    or: "or an error that says\nwhat is missing",
  },
];

/** The way of a put. */
export const PUT: Picture = {
  name: "put",
  title: "The way of a put",
  description:
    "What must not be written is refused before a key is used. A new data key is made and wrapped by each keyring, which may ask KMS or an HSM. Content key and commitment are derived from it, and the content is encrypted in one pass. Object and envelope go to S3 in one request; the files and annotations of further recipients follow.",
  height: heightOf(PUT_STEPS),
  shapes: steps(PUT_STEPS),
};

const GET_STEPS: readonly Step[] = [
  { kind: "plain", text: ["*GetObject*", "S3 answers"] },
  { kind: "plain", text: ["which format is it?"], or: "or not encrypted,\nor malformed" },
  { kind: "plain", text: ["may it be read so?", "policy, legacy, context"], or: "or a refusal: no key\nwas used" },
  { kind: "wrap", text: ["the data key is unwrapped"], asks: "KMS, HSM,\nor your keys" },
  { kind: "proof", text: ["is it the key that the", "object is committed to?"], or: "or decryption-failed" },
  {
    kind: "cipher",
    text: ["ciphertext, held in memory", "or in a file, until its tag is right"],
    or: "or decryption-failed",
  },
  { kind: "secret", text: ["*plaintext*", "whole, and proven"] },
];

/** The way of a get. */
export const GET: Picture = {
  name: "get",
  title: "The way of a get",
  description:
    "S3 answers; what is stored says which format it is. Policy, legacy switches and context are looked at before a key is used. Then the data key is unwrapped, which may ask KMS or an HSM, and compared with the commitment. The ciphertext is held in memory or in a file until its tag is right; only then is plaintext given out.",
  height: heightOf(GET_STEPS),
  shapes: steps(GET_STEPS),
};
