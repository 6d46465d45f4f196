import { PEER_PROGRAMS } from "./build-peer.js";
import type { Answer, ClientName, Job, ServiceEndpoint } from "./job.js";
import { ProcessPeer } from "./process-peer.js";
import { CREDENTIALS } from "./servers.js";

/** Runs jobs for the clients that it has; ours is one too. */
export interface Peer<Client = ClientName, Work = Job> {
  readonly clients: readonly Client[];
  /** Never rejects for what the client does: a refusal, a crash and a hang are answers. */
  run(job: Work): Promise<Answer>;
  close(): Promise<void>;
}

/** A peer that does not answer in this time has hung. */
export const JOB_TIMEOUT_MS = 30_000;

/**
 * Builds the peer program if need be and starts it on first use.
 * @param s3 where S3EC for Go fetches instruction files with a client of its own, which only the environment reaches.
 * @throws MissingToolchainError when the peer's language is not installed.
 */
export async function startPeer(name: string, s3: ServiceEndpoint): Promise<Peer> {
  const program = PEER_PROGRAMS[name];
  if (program === undefined) throw new Error(`There is no peer named ${name}.`);
  const { command, args } = await program.build();
  const env = {
    ...process.env,
    AWS_ACCESS_KEY_ID: CREDENTIALS.accessKeyId,
    AWS_SECRET_ACCESS_KEY: CREDENTIALS.secretAccessKey,
    AWS_REGION: s3.region,
    AWS_ENDPOINT_URL_S3: s3.endpoint,
    AWS_EC2_METADATA_DISABLED: "true",
    LC_ALL: "C.UTF-8",
  };
  return new ProcessPeer(program.clients, { command, args, env, jobTimeoutMs: JOB_TIMEOUT_MS });
}
