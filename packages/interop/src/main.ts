import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { MissingToolchainError } from "./build/toolchain.js";
import { besideAws } from "./command-line/beside-aws.js";
import { runBatchJobs } from "./lambda/batch-jobs.js";
import { checkTemplate } from "./lambda/checked-template.js";
import { coldStarts } from "./lambda/cold-start.js";
import { MESSAGE_CLIENT_NAMES } from "./messages/message-job.js";
import { runMessageMatrix } from "./messages/message-matrix.js";
import { startMessageOurs } from "./messages/message-ours.js";
import { startMessagePeer } from "./messages/message-peer.js";
import { prepareMessages } from "./messages/message-surroundings.js";
import type { ObjectPeer } from "./objects/job.js";
import { type Cell, runMatrix } from "./objects/matrix.js";
import { PEER_PROGRAMS, startObjectPeer } from "./objects/object-peers.js";
import { startOurs } from "./objects/ours.js";
import { startOursPkcs11 } from "./objects/ours-pkcs11.js";
import { type RewrapCell, runRewraps } from "./objects/rewraps.js";
import { prepare } from "./objects/surroundings.js";
import { writtenAnew } from "./objects/written-anew.js";
import { type Judged, passed } from "./peers/verdict.js";
import { messageReport } from "./report/message-report.js";
import { report } from "./report/object-report.js";
import { rewrapReport } from "./report/rewrap-report.js";
import { type Server, startKms, startS3 } from "./servers/servers.js";

const REPORT = new URL("../../../docs/interop.md", import.meta.url);
const inCi = (process.env.CI ?? "") !== "";

/** Peers named on the command line, ours among them; all of them when none is named. */
const wanted = process.argv.slice(2);
/** Beside peers: leave out who reads what as it was written. */
const isOnlyRewraps = wanted.includes("rewraps");
const isWanted = (name: string): boolean => wanted.every((other) => other === "rewraps") || wanted.includes(name);
const objectPeers = [...Object.keys(PEER_PROGRAMS), "ours", "ours-pkcs11"].filter(isWanted);
const messagePeers = MESSAGE_CLIENT_NAMES.filter(isWanted);

const missing: string[] = [];
const running: { close(): Promise<void> }[] = [];
const closeAll = (): Promise<unknown> => Promise.all(running.splice(0).map((each) => each.close()));
for (const signal of ["SIGINT", "SIGTERM"] as const) {
  process.once(signal, () => void closeAll().finally(() => process.exit(1)));
}
try {
  if (wanted.join() === "cold-start") console.log(await coldStarts());
  else process.exitCode = await main();
} finally {
  await closeAll();
}

async function main(): Promise<number> {
  console.log(`Building and starting the servers and ${[...objectPeers, ...messagePeers].join(", ")}.`);
  const kms = await keepRunning(startKms());
  const objects = objectPeers.length === 0 ? { plain: [], rewrapped: [] } : await objectCells(kms);
  const messages = messagePeers.length === 0 ? [] : await messageCells(kms);
  const anew = isWanted("written-anew") ? await writtenAnew(await keepRunning(startS3())) : [];
  const lambda = isWanted("batch") ? await batchChecks() : [];
  const lines = isWanted("aws-cli") ? await commandLines() : [];
  const text = [
    ...(objects.plain.length === 0 ? [] : [report(objects.plain)]),
    ...(objects.rewrapped.length === 0 ? [] : [rewrapReport(objects.rewrapped)]),
    ...(messages.length === 0 ? [] : [messageReport(messages)]),
  ];
  console.log(text.join(""));
  if (wanted.length === 0 && missing.length === 0) await writeFile(REPORT, text.join(""));
  else console.log("Not every peer ran, so docs/interop.md stays as it is.");
  return conclude([...objects.plain, ...objects.rewrapped, ...messages, ...anew, ...lambda, ...lines]);
}

async function commandLines(): Promise<readonly Judged[]> {
  try {
    return await besideAws();
  } catch (failure) {
    if (!(failure instanceof MissingToolchainError)) throw failure;
    missing.push(`aws-cli: ${failure.message}`);
    return [];
  }
}

async function objectCells(kms: Server): Promise<{ readonly plain: Cell[]; readonly rewrapped: RewrapCell[] }> {
  const s3 = await keepRunning(startS3());
  const peers = await startAll(objectPeers, (name) => startPeer(name, s3));
  const folder = await mkdtemp(join(tmpdir(), "s3ec-keystores-"));
  try {
    const surroundings = await prepare(s3, kms, folder);
    const plain = isOnlyRewraps ? [] : await runMatrix(peers, surroundings);
    return { plain, rewrapped: await runRewraps(peers, surroundings) };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function startPeer(name: string, s3: Server): Promise<ObjectPeer> {
  if (name === "ours") return startOurs();
  if (name === "ours-pkcs11") return startOursPkcs11();
  return await startObjectPeer(name, s3);
}

async function messageCells(kms: Server): ReturnType<typeof runMessageMatrix> {
  const peers = await startAll(messagePeers, async (name) =>
    name === "ours" ? startMessageOurs() : startMessagePeer(name),
  );
  const folder = await mkdtemp(join(tmpdir(), "s3ec-messages-"));
  try {
    return await runMessageMatrix(peers, await prepareMessages(kms, folder));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function batchChecks(): Promise<Judged[]> {
  const checks: Judged[] = [];
  for (const [name, run] of [
    ["batch", runBatchJobs],
    ["cfn-lint", async () => [await checkTemplate()]],
  ] as const) {
    try {
      checks.push(...(await run()));
    } catch (failure) {
      if (!(failure instanceof MissingToolchainError)) throw failure;
      missing.push(`${name}: ${failure.message}`);
    }
  }
  return checks;
}

async function keepRunning<Closable extends { close(): Promise<void> }>(
  starting: Promise<Closable>,
): Promise<Closable> {
  const started = await starting;
  running.push(started);
  return started;
}

/** Those whose language is installed; the others are noted as missing. */
async function startAll<Name extends string, Started extends { close(): Promise<void> }>(
  names: readonly Name[],
  start: (name: Name) => Promise<Started>,
): Promise<Started[]> {
  const started: Started[] = [];
  for (const name of names) {
    try {
      started.push(await keepRunning(start(name)));
    } catch (failure) {
      if (!(failure instanceof MissingToolchainError)) throw failure;
      missing.push(`${name}: ${failure.message}`);
    }
  }
  return started;
}

function conclude(cells: readonly Judged[]): number {
  const unexpected = cells.filter((cell) => !passed(cell));
  for (const { expected, outcome, detail, ...what } of unexpected) {
    console.log(
      `UNEXPECTED ${JSON.stringify(what)}: ${outcome} ${detail}; expected ${expected.outcome}, ${expected.reason}`,
    );
  }
  for (const line of missing) console.log(`SKIPPED ${line}`);
  const failed = unexpected.length + (inCi ? missing.length : 0);
  console.log(`${cells.length - unexpected.length} passed, ${failed} failed`);
  return failed === 0 && cells.length > 0 ? 0 : 1;
}
