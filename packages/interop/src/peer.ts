import { type ChildProcessByStdio, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import type { Readable, Writable } from "node:stream";
import { PEER_PROGRAMS } from "./build-peer.js";
import type { Answer, ClientName, Job, ServiceEndpoint } from "./job.js";
import { CREDENTIALS } from "./servers.js";

/** Runs jobs for the clients that it has; ours is one too. */
export interface Peer {
  readonly clients: readonly ClientName[];
  /** Never rejects for what the client does: a refusal, a crash and a hang are answers. */
  run(job: Job): Promise<Answer>;
  close(): Promise<void>;
}

export interface PeerOptions {
  /** S3EC for Go fetches instruction files with a client of its own making, which only the environment reaches. */
  readonly s3: ServiceEndpoint;
  /** A job that takes longer is a hang: the process is killed and a new one takes the next job. */
  readonly jobTimeoutMs?: number;
}

interface Program {
  readonly command: string;
  readonly args: readonly string[];
  readonly env: NodeJS.ProcessEnv;
  readonly jobTimeoutMs: number;
}

type Child = ChildProcessByStdio<Writable, Readable, null>;

/** Builds the peer program if need be and starts it. Throws a MissingToolchainError when its language is not installed. */
export async function startPeer(name: string, options: PeerOptions): Promise<Peer> {
  const program = PEER_PROGRAMS[name];
  if (program === undefined) throw new Error(`There is no peer named ${name}.`);
  const { command, args } = await program.build();
  const env = {
    ...process.env,
    AWS_ACCESS_KEY_ID: CREDENTIALS.accessKeyId,
    AWS_SECRET_ACCESS_KEY: CREDENTIALS.secretAccessKey,
    AWS_REGION: options.s3.region,
    AWS_ENDPOINT_URL_S3: options.s3.endpoint,
    AWS_EC2_METADATA_DISABLED: "true",
    LC_ALL: "C.UTF-8",
  };
  return new ProcessPeer(program.clients, { command, args, env, jobTimeoutMs: options.jobTimeoutMs ?? 60_000 });
}

class ProcessPeer implements Peer {
  readonly clients: readonly ClientName[];
  readonly #program: Program;
  #child: Child | undefined;
  #answers: AsyncIterator<string> | undefined;
  #last: Promise<unknown> = Promise.resolve();
  #jobs = 0;

  constructor(clients: readonly ClientName[], program: Program) {
    this.clients = clients;
    this.#program = program;
  }

  /** One job at a time: the peers are loops, and a time limit must speak of one job. */
  run(job: Job): Promise<Answer> {
    const answer = this.#last.then(() => this.#ask(job));
    this.#last = answer;
    return answer;
  }

  async close(): Promise<void> {
    const child = this.#child;
    this.#child = undefined;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const exited = once(child, "exit");
    child.kill("SIGKILL");
    await exited;
  }

  async #ask(job: Job): Promise<Answer> {
    const id = String(this.#jobs++);
    const { child, answers } = this.#running();
    child.stdin.write(`${JSON.stringify({ id, ...job })}\n`);
    let timer: NodeJS.Timeout | undefined;
    const tooLate = new Promise<"late">((resolve) => {
      timer = setTimeout(resolve, this.#program.jobTimeoutMs, "late");
    });
    const line = await Promise.race([answers.next(), tooLate]);
    clearTimeout(timer);
    if (line !== "late" && line.done !== true) return parseAnswer(line.value, id);
    await this.close();
    return line === "late"
      ? { ok: false, error: "Hang", message: `No answer within ${this.#program.jobTimeoutMs} ms.` }
      : { ok: false, error: "Crash", message: "The peer ended without an answer." };
  }

  #running(): { child: Child; answers: AsyncIterator<string> } {
    if (this.#child !== undefined && this.#answers !== undefined) {
      return { child: this.#child, answers: this.#answers };
    }
    const { command, args, env } = this.#program;
    const child = spawn(command, args, { env, stdio: ["pipe", "pipe", "ignore"] });
    child.on("error", () => {}); // no answer comes, which #ask reports
    child.stdin.on("error", () => {});
    const answers = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
    this.#child = child;
    this.#answers = answers;
    return { child, answers };
  }
}

function parseAnswer(line: string, id: string): Answer {
  const answer: unknown = JSON.parse(line);
  if (!isAnswer(answer) || answer.id !== id) throw new Error(`The peer answered out of turn: ${line}`);
  return answer.ok
    ? { ok: true, length: answer.length, sha256: answer.sha256 }
    : { ok: false, error: answer.error, message: answer.message };
}

function isAnswer(value: unknown): value is Answer & { readonly id: string } {
  return typeof value === "object" && value !== null && "id" in value && "ok" in value;
}
