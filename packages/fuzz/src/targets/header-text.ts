import { decodeHeaderText, formatStringMap, isSameStringMap, parseStringMap, stringMap } from "@s3ec/envelope";
import { mutateText } from "../mutate.js";
import type { Random } from "../random.js";
import { assertRight, type Target } from "../target.js";

const UNITS = [
  "a",
  "=",
  "?",
  "_",
  " ",
  '"',
  "\\",
  "{",
  "é",
  "漢",
  "😀",
  "\u00c3",
  "\u007f",
  "\u2028",
  "=?UTF-8?B?eA==?=",
];

/** Header text as S3 gives it back, and text that merely looks so (H18). */
export const headerText: Target = {
  name: "header-text",
  async try(random) {
    const map = stringMap(Array.from({ length: random.below(4) }, () => [someText(random), someText(random)]));
    const stored = formatStringMap(map);
    assertRight(decodeHeaderText(stored) === stored, `our own text is changed: ${stored}`);
    assertRight(isSameStringMap(parseStringMap(stored, "map"), map), `our own text is read as another map: ${stored}`);
    // As another client stores it: raw, and encoded by S3 where it is not ASCII.
    const raw = JSON.stringify({ ...map });
    const given = asGivenBack(random, raw);
    assertRight(decodeHeaderText(given) === raw, `${raw} is not read from ${given}`);
    const damaged = mutateText(random, given);
    const decoded = decodeHeaderText(damaged);
    return decoded === damaged ? "left alone" : "decoded";
  },
};

function someText(random: Random): string {
  return Array.from({ length: random.below(6) }, () => random.pick(UNITS)).join("");
}

/** UTF-8 read as Latin-1, in words of a few characters each; pure ASCII as it is. */
function asGivenBack(random: Random, raw: string): string {
  const misread = Buffer.from(raw, "utf8").toString("latin1");
  if (misread === raw) return raw;
  const words: string[] = [];
  for (let at = 0; at < misread.length; ) {
    const part = misread.slice(at, at + 1 + random.below(20));
    at += part.length;
    words.push(random.oneIn(2) ? bWord(part) : qWord(part));
  }
  return words.join(random.pick([" ", "\r\n ", ""]));
}

function bWord(text: string): string {
  return `=?UTF-8?B?${Buffer.from(text, "utf8").toString("base64")}?=`;
}

function qWord(text: string): string {
  const hex = [...Buffer.from(text, "utf8")].map((byte) => `=${byte.toString(16).padStart(2, "0")}`);
  return `=?utf-8?q?${hex.join("")}?=`;
}
