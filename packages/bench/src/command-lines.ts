import { mkdir, rm, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { MissingToolchainError, requireTools, Tool } from "@s3ec/interop";
import { BUCKET } from "./bench-server.js";
import { contest, type Run } from "./contest.js";
import { ratio, type Table } from "./report.js";
import { KiB, type Setting, sizeName } from "./setting.js";
import { writeTestFile } from "./streams.js";

const COUNT = 2000;
const SMALL = 3 * KiB;

/** `aws s3` and `s3ec` as processes, from their start to their end; nothing where there is no `aws`. */
export async function commandLineTables({ server, sizes, folder }: Setting): Promise<readonly Table[]> {
  try {
    await requireTools("aws");
  } catch (failure) {
    if (failure instanceof MissingToolchainError) return [];
    throw failure;
  }
  const endpoint = String(server.config.endpoint);
  const aws = new Tool("aws", join(folder, "aws"), endpoint);
  const ours = new Tool("s3ec", join(folder, "s3ec"), endpoint);
  for (const tool of [aws, ours]) await fill(tool.folder, sizes.large);
  let run = 0;
  const both = async (aLine: string, ourLine = aLine): Promise<Record<"aws" | "ours", Run>> => {
    run += 1;
    const done = async (tool: Tool, line: string): Promise<void> => {
      await rm(join(tool.folder, "down"), { recursive: true, force: true });
      const { code, stderr } = await tool.run(line);
      if (code !== 0) throw new Error(`${tool.name} ${line} ended with ${code}: ${stderr}`);
    };
    // Each time somewhere else, so that there is something to do.
    let [theirs, own] = [0, 0];
    const numbered = (line: string, number: number): string => line.replace("$N", `${run}-${number}`);
    return await contest(sizes.rounds, {
      aws: () => done(aws, numbered(aLine, theirs++)),
      ours: () => done(ours, numbered(ourLine, own++)),
    });
  };
  const up = await both(`sync small s3://${BUCKET}/$B/up-$N`);
  await both(`sync small s3://${BUCKET}/$B/same`);
  const again = await both(`sync small s3://${BUCKET}/$B/same`);
  const trusting = await both(`sync small s3://${BUCKET}/$B/same`, `sync small s3://${BUCKET}/$B/same --trust-listing`);
  const down = await both(`sync s3://${BUCKET}/$B/same down`);
  const largeUp = await both(`cp large s3://${BUCKET}/$B/large`);
  const largeDown = await both(`cp s3://${BUCKET}/$B/large down/large`);
  const row = (name: string, { aws: theirs, ours: own }: Record<"aws" | "ours", Run>): string[] => [
    name,
    `${theirs.seconds.toFixed(1)} s`,
    `${own.seconds.toFixed(1)} s`,
    ratio(own.seconds / theirs.seconds),
  ];
  return [
    {
      title: "`aws s3` and `s3ec`",
      columns: ["", "`aws s3`", "`s3ec`", "ratio"],
      rows: [
        row(`sync up, ${COUNT} files of ${sizeName(SMALL)}`, up),
        row("sync up again, nothing to do, a HEAD for each by `s3ec`", again),
        row("the same with `--trust-listing`", trusting),
        row("sync down", down),
        row(`cp up, ${sizeName(sizes.large)}`, largeUp),
        row(`cp down, ${sizeName(sizes.large)}`, largeDown),
      ],
      note: "Processes, from start to end, which encrypt and authenticate on one side; with the server on the same cores.",
    },
  ];
}

async function fill(folder: string, large: number): Promise<void> {
  const before = new Date(Date.now() - 60_000);
  await mkdir(join(folder, "small"), { recursive: true });
  for (let number = 0; number < COUNT; number += 1) {
    const path = join(folder, "small", String(number));
    await writeFile(path, Buffer.alloc(SMALL, number));
    await utimes(path, before, before);
  }
  await writeTestFile(join(folder, "large"), large);
  // Of this run only; it protects nothing.
  await writeFile(join(folder, "app.key"), Buffer.alloc(32, 200), { mode: 0o600 });
  const keyring = { type: "raw-aes", wrappingKey: { file: "app.key", encoding: "bytes" } };
  await writeFile(join(folder, "s3ec.config.json"), JSON.stringify({ keyring }));
}
