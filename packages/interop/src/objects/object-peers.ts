import { join } from "node:path";
import {
  type BuiltProgram,
  buildGo,
  buildJava,
  buildPython,
  buildRuby,
  PEER_SOURCES,
  type Purpose,
} from "../build/build-program.js";
import { startProgram } from "../peers/start-program.js";
import type { ServiceEndpoint } from "../servers/servers.js";
import type { ClientName, ObjectPeer } from "./job.js";

/** One process: its clients, and how to get the command that runs it. */
interface PeerProgram {
  readonly clients: readonly ClientName[];
  build(purpose: Purpose): Promise<BuiltProgram>;
}

/** The peers by name. Every client but ours belongs to exactly one of them. */
export const PEER_PROGRAMS: Readonly<Record<string, PeerProgram>> = {
  "java-v1": {
    clients: ["java-v1-eo", "java-v1-ae", "java-v1-strict", "java-v2-strict", "java-v2-ae"],
    build: (purpose) => buildS3Java("v1", ["common", "v1"], purpose),
  },
  "java-v3": { clients: ["java-v3"], build: (purpose) => buildS3Java("v3", ["common", "s3ec", "v3"], purpose) },
  "java-v4": { clients: ["java-v4"], build: (purpose) => buildS3Java("v4", ["common", "s3ec", "v4"], purpose) },
  go: {
    clients: ["go-s3crypto-v1", "go-s3crypto-v2", "go-v3", "go-v4"],
    build: () => buildGo(join(PEER_SOURCES, "go")),
  },
  python: { clients: ["python-v4"], build: () => buildPython("python", join(PEER_SOURCES, "python")) },
  ruby: { clients: ["ruby-v1", "ruby-v2"], build: () => buildRuby(join(PEER_SOURCES, "ruby")) },
};

function buildS3Java(peer: string, folders: readonly string[], purpose: Purpose): Promise<BuiltProgram> {
  const source = join(PEER_SOURCES, "java");
  return buildJava(`java-${peer}`, source, [`-Dpeer=${peer}`], folders, purpose);
}

/**
 * Builds the peer program if need be and starts it on first use.
 * @param s3 where S3EC for Go fetches instruction files with a client of its own, which only the environment reaches.
 * @throws MissingToolchainError when the peer's language is not installed.
 */
export async function startObjectPeer(
  name: string,
  s3: ServiceEndpoint,
  purpose: Purpose = "tests",
): Promise<ObjectPeer> {
  const program = PEER_PROGRAMS[name];
  if (program === undefined) throw new Error(`There is no peer named ${name}.`);
  const env = { AWS_REGION: s3.region, AWS_ENDPOINT_URL_S3: s3.endpoint };
  return startProgram(program.clients, await program.build(purpose), env);
}
