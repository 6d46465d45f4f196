/**
 * What a terminal or a log would act on instead of showing it: control characters (escape sequences among them), line
 * breaks of every kind, what reverses the direction of text or has no width, and halves of characters.
 */
const UNSEEN = /[\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Cn}\p{Zl}\p{Zp}]/gu;

/** Somebody else's text, so that it can only be read: what would do something else is escaped, as JSON does. */
export function printable(text: string): string {
  return text.replace(UNSEEN, (character) =>
    Array.from({ length: character.length }, (_, unit) => character.charCodeAt(unit))
      .map((code) => `\\u${code.toString(16).padStart(4, "0")}`)
      .join(""),
  );
}

/** Characters that are enough to recognise a name by. */
const ENOUGH = 80;

/** Text that comes out of a bucket, to stand in a message: in quotes, which it cannot leave, printable and not too long. */
export function quoted(text: string): string {
  const shown = printable(text.slice(0, ENOUGH).replace(/["\\]/g, "\\$&"));
  return text.length > ENOUGH ? `"${shown}..." (${text.length} characters)` : `"${shown}"`;
}

const ENOUGH_TEXTS = 5;

/** Several of them, each once, and not too many. */
export function quotedList(texts: Iterable<string>): string {
  const different = [...new Set(texts)];
  const more = different.length - ENOUGH_TEXTS;
  const shown = different.slice(0, ENOUGH_TEXTS).map(quoted).join(", ");
  return more > 0 ? `${shown} and ${more} more` : shown;
}
