import { type ChildProcessByStdio, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import type { Readable, Writable } from "node:stream";
import type { Answer } from "./answer.js";
import type { Peer } from "./peer.js";

export interface PeerCommand {
  readonly command: string;
  readonly args: readonly string[];
  readonly env: NodeJS.ProcessEnv;
  /** A job that takes longer is a hang: the process is killed and a new one takes over. */
  readonly jobTimeoutMs: number;
}

type Child = ChildProcessByStdio<Writable, Readable, null>;

/** A peer that is a process of its own, which reads a job a line and answers a line a job. */
export class ProcessPeer<Client, Work extends object> implements Peer<Client, Work> {
  readonly clients: readonly Client[];
  readonly #command: PeerCommand;
  #running: { readonly child: Child; readonly answers: AsyncIterator<string> } | undefined;
  #last: Promise<unknown> = Promise.resolve();
  #asked = 0;

  constructor(clients: readonly Client[], command: PeerCommand) {
    this.clients = clients;
    this.#command = command;
  }

  /** One job at a time: the peers are loops, and a time limit must speak of one job. */
  run(job: Work): Promise<Answer> {
    const answer = this.#last.then(() => this.#answerTo(job));
    this.#last = answer;
    return answer;
  }

  async close(): Promise<void> {
    const child = this.#running?.child;
    this.#running = undefined;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const exited = once(child, "exit");
    child.kill("SIGKILL");
    await exited;
  }

  /** S3EC for Java 4.0.1 stalls after many refusals whatever it reads then, so that a hang counts when it comes twice. */
  async #answerTo(job: Work): Promise<Answer> {
    const line = (await this.#ask(job)) ?? (await this.#ask(job));
    return line ?? { ok: false, error: "Hang", message: `No answer within ${this.#command.jobTimeoutMs} ms, twice.` };
  }

  /** The answer, or nothing when none came in time. */
  async #ask(job: Work): Promise<Answer | undefined> {
    const id = String(this.#asked++);
    this.#running ??= this.#start();
    const { child, answers } = this.#running;
    child.stdin.write(`${JSON.stringify({ id, ...job })}\n`);
    let timer: NodeJS.Timeout | undefined;
    const tooLate = new Promise<undefined>((resolve) => {
      timer = setTimeout(() => resolve(undefined), this.#command.jobTimeoutMs);
    });
    const line = await Promise.race([answers.next(), tooLate]);
    clearTimeout(timer);
    if (line !== undefined && line.done !== true) return parseAnswer(line.value, id);
    await this.close();
    return line === undefined ? undefined : { ok: false, error: "Crash", message: "The peer ended without an answer." };
  }

  #start(): { child: Child; answers: AsyncIterator<string> } {
    const { command, args, env } = this.#command;
    const child = spawn(command, args, { env, stdio: ["pipe", "pipe", "ignore"] });
    child.on("error", () => {}); // then no answer comes, which is a crash
    child.stdin.on("error", () => {});
    return { child, answers: createInterface({ input: child.stdout })[Symbol.asyncIterator]() };
  }
}

function parseAnswer(line: string, id: string): Answer {
  const answer: unknown = JSON.parse(line);
  if (!isAnswer(answer) || answer.id !== id) throw new Error(`The peer answered out of turn: ${line}`);
  if (!answer.ok) return { ok: false, error: answer.error, message: answer.message };
  const { length, sha256, seconds } = answer;
  return { ok: true, length, sha256, ...(seconds === undefined ? {} : { seconds }) };
}

function isAnswer(value: unknown): value is Answer & { readonly id: string } {
  return typeof value === "object" && value !== null && "id" in value && "ok" in value;
}
