import { randomBytes } from "node:crypto";
import { mkdir, mkdtemp, readdir, readFile, rm, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join, relative } from "node:path";
import { type DevServer, startDevServer } from "@s3ec/dev-server";
import { requireTools } from "../build/toolchain.js";
import type { Judged } from "../peers/verdict.js";
import { Tool, type ToolName } from "./tool.js";

interface Check extends Judged {
  readonly check: string;
}

const FILES = ["a.txt", "b/c.txt", "b/d.bin", "b/with space.txt", "b/ü🦆.txt", "b-x/e.txt", "empty.txt"];

/** Command lines that scripts are made of: `$B` is the tool's own bucket. Both have to end alike, print alike and do alike. */
const LINES: readonly (readonly [line: string, aws: number, ours: number])[] = [
  ["cp tree/a.txt s3://$B/one/", 0, 0],
  ["cp tree/a.txt s3://$B/one/renamed.txt --content-type text/x --metadata a=1,b=2 --cache-control no-store", 0, 0],
  ["cp s3://$B/one/a.txt down/", 0, 0],
  ["cp s3://$B/one/renamed.txt down/deep/er.txt", 0, 0],
  ["cp s3://$B/one/a.txt s3://$B/copied.txt", 0, 0],
  ["cp tree s3://$B/t --recursive", 0, 0],
  ["cp tree s3://$B/u/ --recursive --exclude * --include *.txt --exclude b/c*", 0, 0],
  ["cp s3://$B/t all --recursive --exclude b/*", 0, 0],
  ["cp s3://$B/t s3://$B/v --recursive --include x --exclude *.bin", 0, 0],
  ["cp tree s3://$B/never --recursive --dryrun", 0, 0],
  ["cp s3://$B/nothing down/nothing", 1, 7],
  ["cp nowhere s3://$B/nowhere", 255, 7],
  ["cp tree/a.txt", 2, 2],
  ["mv s3://$B/copied.txt s3://$B/moved.txt", 0, 0],
  ["mv s3://$B/moved.txt s3://$B/moved.txt", 255, 2],
  ["mv s3://$B/v moved --recursive", 0, 0],
  ["sync tree s3://$B/t", 0, 0],
  ["sync tree s3://$B/s --exclude *.bin", 0, 0],
  ["sync tree s3://$B/s", 0, 0],
  ["sync s3://$B/s synced", 0, 0],
  ["sync s3://$B/s synced", 0, 0],
  ["sync s3://$B/s synced --exact-timestamps", 0, 0],
  ["sync s3://$B/u s3://$B/s --delete --dryrun", 0, 0],
  ["sync s3://$B/u s3://$B/s --delete --size-only", 0, 0],
  ["sync s3://$B/s synced --delete", 0, 0],
  ["sync s3://$B/s synced --delete --quiet", 0, 0],
  ["ls s3://$B/nothing", 1, 1],
  ["rm s3://$B/one/a.txt", 0, 0],
  ["rm s3://$B/u --recursive --exclude b/* --dryrun", 0, 0],
  ["rm s3://$B/u --recursive --exclude b/*", 0, 0],
  ["rm s3://$B/ --recursive --only-show-errors", 0, 0],
];

/** Byte by byte, of objects that are not encrypted, whose sizes both say alike. */
const LISTINGS = [
  "ls s3://plain",
  "ls s3://plain/b",
  "ls s3://plain/b/",
  "ls s3://plain --recursive",
  "ls s3://plain --recursive --human-readable --summarize",
  "ls s3://plain/b/ --summarize",
  "ls",
];

/**
 * `aws s3` and `s3ec` beside each other: the same command lines, on the same server, end with the documented codes, print the
 * same lines, and leave the same files. Throws a `MissingToolchainError` where there is no `aws`.
 */
export async function besideAws(): Promise<readonly Check[]> {
  await requireTools("aws");
  const server = await startDevServer({ buckets: ["aws", "s3ec", "plain"] });
  const folder = await mkdtemp(join(tmpdir(), "s3ec-beside-aws-"));
  try {
    const aws = new Tool("aws", join(folder, "aws"), server.endpoint);
    const ours = new Tool("s3ec", join(folder, "s3ec"), server.endpoint);
    for (const tool of [aws, ours]) await fill(tool.folder);
    const checks: Check[] = [];
    for (const [line, awsCode, ourCode] of LINES) checks.push(await compared(line, [aws, awsCode], [ours, ourCode]));
    await putPlain(server);
    for (const line of LISTINGS) {
      const [theirs, own] = [await aws.run(line), await ours.run(line === "ls" ? line : `${line} --exact`)];
      checks.push(judged(line, theirs.stdout === own.stdout ? "" : `${theirs.stdout}\nand ours\n${own.stdout}`));
    }
    return checks;
  } finally {
    await server.close();
    await rm(folder, { recursive: true, force: true });
  }
}

async function compared(
  line: string,
  [aws, awsCode]: readonly [Tool, number],
  [ours, ourCode]: readonly [Tool, number],
): Promise<Check> {
  const [theirs, own] = [await aws.run(line), await ours.run(line)];
  const [left, right] = [await treeOf(aws.folder), await treeOf(ours.folder)];
  const codes = theirs.code === awsCode && own.code === ourCode;
  const lines = sorted(theirs.stdout, "aws") === sorted(own.stdout, "s3ec");
  const problems = [
    ...(codes ? [] : [`ended with ${theirs.code} and ours with ${own.code} (${own.stderr})`]),
    ...(lines ? [] : [`printed ${theirs.stdout} and ours ${own.stdout}`]),
    ...(left === right ? [] : [`left ${left} and ours ${right}`]),
  ];
  return judged(line, problems.join("; "));
}

/** `aws` prints what is done first, ours what comes first. */
function sorted(text: string, bucket: ToolName): string {
  return text.replaceAll(`s3://${bucket}/`, "s3://B/").split("\n").sort().join("\n");
}

async function treeOf(folder: string): Promise<string> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  const all = await Promise.all(
    files.map(async (path) => `${relative(folder, path)}=${(await readFile(path)).toString("base64")}`),
  );
  return all
    .filter((line) => !/^(?:app\.key|s3ec\.config\.json)=/.test(line))
    .sort()
    .join(" ");
}

async function fill(folder: string): Promise<void> {
  // A second is what times are compared by.
  const before = new Date(Date.now() - 60_000);
  for (const name of FILES) {
    const path = join(folder, "tree", name);
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, name === "empty.txt" ? "" : `content of ${name}`);
    await utimes(path, before, before);
  }
  // Of this run only; it protects nothing.
  await writeFile(join(folder, "app.key"), randomBytes(32), { mode: 0o600 });
  const keyring = { type: "raw-aes", wrappingKey: { file: "app.key", encoding: "bytes" } };
  await writeFile(join(folder, "s3ec.config.json"), JSON.stringify({ keyring }));
}

async function putPlain(server: DevServer): Promise<void> {
  for (const [index, name] of FILES.entries()) {
    await server.putRawObject("plain", name, { body: Buffer.alloc(index * 1300) });
  }
}

function judged(check: string, detail: string): Check {
  return {
    check,
    expected: { outcome: "ok", reason: "docs/from-aws-s3.md" },
    outcome: detail === "" ? "ok" : "refused",
    detail,
  };
}
