/** Options that take a key, or credentials: also by mistake, as `--sse-c` that of `--sse-c-key`. */
const SECRET = /(option '--(?:sse-c[\w-]*|dev-server|endpoint-url)\b[^']*' argument) '.*'( is invalid\.)/s;
/** One that was misspelt may be such. */
const UNKNOWN = /(unknown option '[^'=]*)=.*?'(?=$|\n)/s;

/** What is wrong with the command line, without values that are nobody's to read on a terminal or in a log. */
export function withoutSecrets(message: string): string {
  return message.replace(SECRET, "$1$2").replace(UNKNOWN, "$1=...'");
}
