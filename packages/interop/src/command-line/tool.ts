import { spawn } from "node:child_process";
import { mkdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

export type ToolName = "aws" | "s3ec";

export interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

const S3EC: string = join(dirname(fileURLToPath(import.meta.resolve("@s3ec/cli"))), "bin.js");

/** One of the two command lines, with a folder and a bucket of its own. */
export class Tool {
  readonly name: ToolName;
  readonly folder: string;
  readonly #endpoint: string;

  constructor(name: ToolName, folder: string, endpoint: string) {
    this.name = name;
    this.folder = folder;
    this.#endpoint = endpoint;
    mkdirSync(folder, { recursive: true });
  }

  /** Runs what stands behind `aws s3` or `s3ec`; words are cut at blanks, and `$B` is the bucket. */
  run(line: string): Promise<Ended> {
    const words = [...line.split(" ").map((word) => word.replace("$B", this.name)), "--endpoint-url", this.#endpoint];
    const isTransfer = /^(?:cp|mv|sync) /.test(line);
    const quiet = isTransfer ? ["--no-progress"] : [];
    const [command, args] =
      this.name === "aws" ? ["aws", ["s3", ...words, ...quiet]] : [process.execPath, [S3EC, ...words, ...quiet]];
    return ended(command, args, this.folder);
  }
}

function ended(command: string, args: readonly string[], cwd: string): Promise<Ended> {
  const ca = process.env.NODE_EXTRA_CA_CERTS;
  const env = {
    ...process.env,
    // What node believes beside others, and python by this alone.
    ...(ca === undefined ? {} : { AWS_CA_BUNDLE: ca }),
    AWS_ACCESS_KEY_ID: "test",
    AWS_SECRET_ACCESS_KEY: "test",
    AWS_REGION: "us-west-2",
    AWS_DEFAULT_REGION: "us-west-2",
    AWS_EC2_METADATA_DISABLED: "true",
    LC_ALL: "C.UTF-8",
  };
  const child = spawn(command, args, { cwd, env, stdio: ["ignore", "pipe", "pipe"] });
  const texts = { stdout: "", stderr: "" };
  for (const name of ["stdout", "stderr"] as const) {
    child[name].setEncoding("utf8").on("data", (text: string) => {
      texts[name] += text;
    });
  }
  return new Promise((resolve, reject) => {
    child.on("error", reject).on("close", (code) => resolve({ code, ...texts }));
  });
}
