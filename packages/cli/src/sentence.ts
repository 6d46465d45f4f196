/** Of someone else's message the first line, which cannot move the cursor or colour what follows. */
export function sentence(message: string): string {
  const [line = ""] = message.split(/[\r\n]/);
  const shown = line.replace(/[\p{Cc}\p{Cf}\u2028\u2029]/gu, "\ufffd");
  return /[.!?]$/.test(shown) ? shown : `${shown}.`;
}
