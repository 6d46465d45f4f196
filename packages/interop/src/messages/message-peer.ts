import { copyFile } from "node:fs/promises";
import { join } from "node:path";
import { buildOnce, folderContents } from "../build/build-cache.js";
import { type BuiltProgram, buildJava, buildPython, PEER_SOURCES } from "../build/build-program.js";
import { runCommand } from "../build/run-command.js";
import { startProgram } from "../peers/start-program.js";
import type { MessagePeer, OfficialMessageClient } from "./message-job.js";

const PROGRAMS: Readonly<Record<OfficialMessageClient, () => Promise<BuiltProgram>>> = {
  "esdk-python": () => buildPython("aws-message-python", join(PEER_SOURCES, "aws-message-python")),
  "esdk-java": () => buildJava("aws-message-java", join(PEER_SOURCES, "aws-message-java"), [], ["."]),
  "esdk-javascript": buildJavaScript,
};

/**
 * Builds the SDK's peer program if need be and starts it on first use.
 * @throws MissingToolchainError when its language is not installed.
 */
export async function startMessagePeer(name: OfficialMessageClient): Promise<MessagePeer> {
  return startProgram([name], await PROGRAMS[name]());
}

/** Not among this package's dependencies: the SDK brings seventy packages that nobody but this peer needs. */
async function buildJavaScript(): Promise<BuiltProgram> {
  const source = join(PEER_SOURCES, "aws-message-javascript");
  const built = await buildOnce("aws-message-javascript", await folderContents(source), async (out) => {
    for (const file of ["package.json", "peer.mjs"]) await copyFile(join(source, file), join(out, file));
    const quietly = ["--ignore-scripts", "--no-audit", "--no-fund", "--no-package-lock", "--silent"];
    await runCommand("npm", ["install", "--prefix", out, ...quietly], { cwd: out });
  });
  return { command: process.execPath, args: [join(built, "peer.mjs")] };
}
