import { copyFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { buildOnce, folderContents } from "./build-cache.js";
import { type BuiltProgram, buildJava, buildPython } from "./build-peer.js";
import type { OfficialMessageClient } from "./message-job.js";
import type { MessagePeer } from "./message-matrix.js";
import { JOB_TIMEOUT_MS } from "./peer.js";
import { ProcessPeer } from "./process-peer.js";
import { runCommand } from "./run-command.js";
import { CREDENTIALS, REGION } from "./servers.js";

const SOURCES = fileURLToPath(new URL("../peers/", import.meta.url));

const PROGRAMS: Readonly<Record<OfficialMessageClient, () => Promise<BuiltProgram>>> = {
  "esdk-python": () => buildPython("aws-message-python", join(SOURCES, "aws-message-python")),
  "esdk-java": () => buildJava("aws-message-java", join(SOURCES, "aws-message-java"), [], ["."]),
  "esdk-javascript": buildJavaScript,
};

/**
 * Builds the SDK's peer program if need be and starts it on first use.
 * @throws MissingToolchainError when its language is not installed.
 */
export async function startMessagePeer(name: OfficialMessageClient): Promise<MessagePeer> {
  const { command, args } = await PROGRAMS[name]();
  const env = {
    ...process.env,
    AWS_ACCESS_KEY_ID: CREDENTIALS.accessKeyId,
    AWS_SECRET_ACCESS_KEY: CREDENTIALS.secretAccessKey,
    AWS_REGION: REGION,
    AWS_EC2_METADATA_DISABLED: "true",
    LC_ALL: "C.UTF-8",
  };
  return new ProcessPeer([name], { command, args, env, jobTimeoutMs: JOB_TIMEOUT_MS });
}

/** Not among this package's dependencies: the SDK brings seventy packages that nobody but this peer needs. */
async function buildJavaScript(): Promise<BuiltProgram> {
  const source = join(SOURCES, "aws-message-javascript");
  const built = await buildOnce("aws-message-javascript", await folderContents(source), async (out) => {
    for (const file of ["package.json", "peer.mjs"]) await copyFile(join(source, file), join(out, file));
    const quietly = ["--ignore-scripts", "--no-audit", "--no-fund", "--no-package-lock", "--silent"];
    await runCommand("npm", ["install", "--prefix", out, ...quietly], { cwd: out });
  });
  return { command: process.execPath, args: [join(built, "peer.mjs")] };
}
