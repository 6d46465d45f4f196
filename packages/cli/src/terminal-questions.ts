import { createInterface } from "node:readline/promises";
import type { Readable, Writable } from "node:stream";

/** Asks a question; an empty answer is the default. */
export type Ask = (question: string, byDefault: string) => Promise<string>;

/** Asks at the terminal; undefined where there is none. */
export function terminal(): Ask | undefined {
  const { stdin, stderr } = process;
  return stdin.isTTY && stderr.isTTY ? askThrough(stdin, stderr) : undefined;
}

/** On standard error, so that standard output has the answer of the command alone. */
export function askThrough(input: Readable, output: Writable): Ask {
  return async (question, byDefault) => {
    const lines = createInterface({ input, output });
    try {
      const answer = await lines.question(`${question}${byDefault === "" ? "" : ` [${byDefault}]`}: `);
      return answer.trim() || byDefault;
    } finally {
      lines.close();
    }
  };
}
