import type { BuiltProgram } from "../build/build-program.js";
import { CREDENTIALS, REGION } from "../servers/servers.js";
import { ProcessPeer } from "./process-peer.js";

/** A peer that does not answer in this time has hung. */
const JOB_TIMEOUT_MS = 30_000;

/** The peer of a built program, which starts on first use and signs with the credentials of this run. */
export function startProgram<Client, Work extends object>(
  clients: readonly Client[],
  { command, args }: BuiltProgram,
  environment: NodeJS.ProcessEnv = {},
): ProcessPeer<Client, Work> {
  const env = {
    ...process.env,
    AWS_ACCESS_KEY_ID: CREDENTIALS.accessKeyId,
    AWS_SECRET_ACCESS_KEY: CREDENTIALS.secretAccessKey,
    AWS_REGION: REGION,
    AWS_EC2_METADATA_DISABLED: "true",
    LC_ALL: "C.UTF-8",
    ...environment,
  };
  return new ProcessPeer(clients, { command, args, env, jobTimeoutMs: JOB_TIMEOUT_MS });
}
