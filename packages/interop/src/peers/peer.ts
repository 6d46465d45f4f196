import type { Answer } from "./answer.js";

/** Runs jobs for the clients that it has; ours is one too. */
export interface Peer<Client, Work> {
  readonly clients: readonly Client[];
  /** Never rejects for what the client does: a refusal, a crash and a hang are answers. */
  run(job: Work): Promise<Answer>;
  close(): Promise<void>;
}
