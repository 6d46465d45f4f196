import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { buildOnce, folderContents } from "./build-cache.js";
import type { ClientName } from "./job.js";
import { runCommand } from "./run-command.js";
import { requireTools } from "./toolchain.js";

const SOURCES = fileURLToPath(new URL("../peers/", import.meta.url));

/** One process: its clients, and how to get the command that runs it. */
export interface PeerProgram {
  readonly clients: readonly ClientName[];
  build(): Promise<{ command: string; args: readonly string[] }>;
}

/** The peers by name. Every client but ours belongs to exactly one of them. */
export const PEER_PROGRAMS: Readonly<Record<string, PeerProgram>> = {
  "java-v1": {
    clients: ["java-v1-eo", "java-v1-ae", "java-v1-strict", "java-v2-strict", "java-v2-ae"],
    build: () => buildJava("v1", ["common", "v1"]),
  },
  "java-v3": { clients: ["java-v3"], build: () => buildJava("v3", ["common", "s3ec", "v3"]) },
  "java-v4": { clients: ["java-v4"], build: () => buildJava("v4", ["common", "s3ec", "v4"]) },
  go: { clients: ["go-s3crypto-v1", "go-s3crypto-v2", "go-v3", "go-v4"], build: buildGo },
  python: { clients: ["python-v4"], build: buildPython },
  ruby: { clients: ["ruby-v1", "ruby-v2"], build: buildRuby },
};

async function buildJava(peer: string, folders: readonly string[]): Promise<{ command: string; args: string[] }> {
  await requireTools("java", "javac", "mvn");
  const source = join(SOURCES, "java");
  const inputs = await Promise.all([source, ...folders.map((folder) => join(source, folder))].map(folderContents));
  const built = await buildOnce(`java-${peer}`, inputs.flat(), async (out) => {
    const jars = ["dependency:copy-dependencies", "-DincludeScope=runtime", `-DoutputDirectory=${join(out, "lib")}`];
    await runCommand("mvn", ["-q", "-B", "-f", join(source, "pom.xml"), `-Dpeer=${peer}`, ...jars]);
    const files = await Promise.all(folders.map((folder) => javaFiles(join(source, folder))));
    const classes = ["-d", join(out, "classes"), "-cp", join(out, "lib/*")];
    await runCommand("javac", ["-encoding", "UTF-8", ...classes, ...files.flat()]);
  });
  const classPath = `${join(built, "classes")}:${join(built, "lib/*")}`;
  return { command: "java", args: ["-Xmx512m", "-XX:TieredStopAtLevel=1", "-cp", classPath, "Main"] };
}

async function javaFiles(folder: string): Promise<string[]> {
  return (await readdir(folder)).filter((file) => file.endsWith(".java")).map((file) => join(folder, file));
}

async function buildGo(): Promise<{ command: string; args: string[] }> {
  await requireTools("go");
  const source = join(SOURCES, "go");
  const built = await buildOnce("go", await folderContents(source), (out) =>
    runCommand("go", ["build", "-o", join(out, "peer"), "."], {
      cwd: source,
      // The checksum database does not know v4.0.0; go.sum pins it here.
      env: { GONOSUMDB: "github.com/aws/amazon-s3-encryption-client-go/v4" },
    }),
  );
  return { command: join(built, "peer"), args: [] };
}

async function buildPython(): Promise<{ command: string; args: string[] }> {
  await requireTools("python3");
  const source = join(SOURCES, "python");
  const built = await buildOnce("python", await folderContents(source), async (venv) => {
    await runCommand("python3", ["-m", "venv", venv]);
    await runCommand(join(venv, "bin/pip"), ["install", "--quiet", "-r", join(source, "requirements.txt")]);
  });
  return { command: join(built, "bin/python"), args: [join(source, "peer.py")] };
}

async function buildRuby(): Promise<{ command: string; args: string[] }> {
  await requireTools("ruby");
  const gems = ["-e", "require 'aws-sdk-s3'; require 'aws-sdk-kms'"];
  await runCommand("ruby", gems).catch(() => requireTools("ruby-aws-sdk-s3", "ruby-aws-sdk-kms"));
  return { command: "ruby", args: [join(SOURCES, "ruby/peer.rb")] };
}
