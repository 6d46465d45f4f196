import { printable } from "@s3ec/envelope";

/** Characters of a message that are worth reading. */
const ENOUGH = 1000;

/** Of someone else's message the first line, which cannot move the cursor or colour what follows. */
export function sentence(message: string): string {
  const [line = ""] = message.split(/[\r\n]/);
  if (line.length > ENOUGH) return `${printable(line.slice(0, ENOUGH))}...`;
  const shown = printable(line);
  return /[.!?]$/.test(shown) ? shown : `${shown}.`;
}
