import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { buildOnce, folderContents } from "./build-cache.js";
import { runCommand } from "./run-command.js";
import { requireTools } from "./toolchain.js";

/** Where the sources of the peers are, a folder for each program. */
export const PEER_SOURCES: string = fileURLToPath(new URL("../../peers/", import.meta.url));

/** What a program is for: many small jobs, or a few whose time is taken. */
export type Purpose = "tests" | "measurements";

/** Java starts faster when it compiles less; a measured one is to be as fast as it gets. */
const JAVA: Readonly<Record<Purpose, readonly string[]>> = {
  tests: ["-Xmx512m", "-XX:TieredStopAtLevel=1"],
  measurements: ["-Xmx4g"],
};

export interface BuiltProgram {
  readonly command: string;
  readonly args: readonly string[];
}

/**
 * A `Main` whose sources are in `folders` of `source`, with the jars that `source`'s pom names.
 * @param mavenOptions what chooses among the pom's profiles.
 */
export async function buildJava(
  name: string,
  source: string,
  mavenOptions: readonly string[],
  folders: readonly string[],
  purpose: Purpose = "tests",
): Promise<BuiltProgram> {
  await requireTools("java", "javac", "mvn");
  const inputs = await Promise.all([source, ...folders.map((folder) => join(source, folder))].map(folderContents));
  const built = await buildOnce(name, inputs.flat(), async (out) => {
    const jars = ["dependency:copy-dependencies", "-DincludeScope=runtime", `-DoutputDirectory=${join(out, "lib")}`];
    await runCommand("mvn", ["-q", "-B", "-f", join(source, "pom.xml"), ...mavenOptions, ...jars]);
    const files = await Promise.all(folders.map((folder) => javaFiles(join(source, folder))));
    const classes = ["-d", join(out, "classes"), "-cp", join(out, "lib/*")];
    await runCommand("javac", ["-encoding", "UTF-8", ...classes, ...files.flat()]);
  });
  const classPath = `${join(built, "classes")}:${join(built, "lib/*")}`;
  return { command: "java", args: [...JAVA[purpose], "-cp", classPath, "Main"] };
}

async function javaFiles(folder: string): Promise<string[]> {
  return (await readdir(folder)).filter((file) => file.endsWith(".java")).map((file) => join(folder, file));
}

/** The Go program in `source`. */
export async function buildGo(source: string): Promise<BuiltProgram> {
  await requireTools("go");
  const built = await buildOnce("go", await folderContents(source), (out) =>
    runCommand("go", ["build", "-o", join(out, "peer"), "."], {
      cwd: source,
      // The checksum database does not know v4.0.0; go.sum pins it here.
      env: { GONOSUMDB: "github.com/aws/amazon-s3-encryption-client-go/v4" },
    }),
  );
  return { command: join(built, "peer"), args: [] };
}

/** A `peer.py` with what its `requirements.txt` names, in an environment of its own. */
export async function buildPython(name: string, source: string): Promise<BuiltProgram> {
  await requireTools("python3");
  const built = await buildOnce(name, await folderContents(source), async (venv) => {
    await runCommand("python3", ["-m", "venv", venv]);
    await runCommand(join(venv, "bin/pip"), ["install", "--quiet", "-r", join(source, "requirements.txt")]);
  });
  return { command: join(built, "bin/python"), args: [join(source, "peer.py")] };
}

/** A `peer.rb` that runs with the gems that are installed. */
export async function buildRuby(source: string): Promise<BuiltProgram> {
  await requireTools("ruby");
  const gems = ["-e", "require 'aws-sdk-s3'; require 'aws-sdk-kms'"];
  await runCommand("ruby", gems).catch(() => requireTools("ruby-aws-sdk-s3", "ruby-aws-sdk-kms"));
  return { command: "ruby", args: [join(source, "peer.rb")] };
}
