import { print, tell } from "../printing.js";

/** What a command has to say: in words, and for programs. */
export interface Answer {
  readonly words: string;
  readonly json: object;
}

let isTaken = false;

/** From now on standard output has the content of an object: what is said of it goes to standard error. */
export function takeStandardOutput(): void {
  isTaken = true;
}

/** At the beginning of a command line, of which a process may run several: whether its arguments have the content there. */
export function beginOutput(isContent: boolean): void {
  isTaken = isContent;
}

/** Says it where no content is, in words or as a document of JSON. */
export async function say(answer: Answer, isJson: boolean | undefined): Promise<void> {
  await saying(isJson === true ? JSON.stringify(answer.json, null, 2) : answer.words);
}

/** The same, with a line of JSON, as commands have it that may be about many. */
export async function sayLine(answer: Answer, isJson: boolean | undefined): Promise<void> {
  await saying(isJson === true ? JSON.stringify(answer.json) : answer.words);
}

/** One line of JSON. */
export async function printLine(line: object): Promise<void> {
  await saying(JSON.stringify(line));
}

async function saying(text: string): Promise<void> {
  await (isTaken ? tell(text) : print(text));
}
