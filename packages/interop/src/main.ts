import { writeFile } from "node:fs/promises";
import { PEER_PROGRAMS } from "./build-peer.js";
import { type Cell, passed, runMatrix } from "./matrix.js";
import { startOurs } from "./ours.js";
import { type Peer, startPeer } from "./peer.js";
import { report } from "./report.js";
import { type Server, startKms, startS3 } from "./servers.js";
import { prepare } from "./surroundings.js";
import { MissingToolchainError } from "./toolchain.js";

const REPORT = new URL("../../../docs/interop.md", import.meta.url);
const inCi = (process.env.CI ?? "") !== "";

/** Peers named on the command line, `ours` among them; all of them when none is named. */
const wanted = process.argv.slice(2);
const names = [...Object.keys(PEER_PROGRAMS), "ours"].filter((name) => wanted.length === 0 || wanted.includes(name));

const running: (Peer | Server)[] = [];
const closeAll = (): Promise<unknown> => Promise.all(running.splice(0).map((each) => each.close()));
for (const signal of ["SIGINT", "SIGTERM"] as const) {
  process.once(signal, () => void closeAll().finally(() => process.exit(1)));
}
try {
  process.exitCode = await main();
} finally {
  await closeAll();
}

async function main(): Promise<number> {
  console.log(`Building and starting versitygw, moto and ${names.join(", ")}.`);
  const s3 = await startS3();
  running.push(s3);
  const kms = await startKms();
  running.push(kms);

  const peers: Peer[] = [];
  const missing: string[] = [];
  for (const name of names) {
    const peer = name === "ours" ? startOurs() : await startUnlessMissing(name, s3);
    if (peer instanceof MissingToolchainError) missing.push(`${name}: ${peer.message}`);
    else peers.push(peer);
  }
  running.push(...peers);

  const cells = await runMatrix(peers, await prepare(s3, kms));
  const text = report(cells);
  console.log(text);
  if (wanted.length === 0 && missing.length === 0) await writeFile(REPORT, text);
  else console.log("Not every peer ran, so docs/interop.md stays as it is.");
  return conclude(cells, missing);
}

async function startUnlessMissing(name: string, s3: Server): Promise<Peer | MissingToolchainError> {
  try {
    return await startPeer(name, s3);
  } catch (failure) {
    if (failure instanceof MissingToolchainError) return failure;
    throw failure;
  }
}

function conclude(cells: readonly Cell[], missing: readonly string[]): number {
  const unexpected = cells.filter((cell) => !passed(cell));
  for (const { object, reader, reading, expected, outcome, detail } of unexpected) {
    const what = reader === undefined ? "put" : `get by ${reader} (${reading})`;
    console.log(
      `UNEXPECTED ${what} ${JSON.stringify(object)}: ${outcome} ${detail}; expected ${expected.outcome}, ${expected.reason}`,
    );
  }
  for (const line of missing) console.log(`SKIPPED ${line}`);
  const failed = unexpected.length + (inCi ? missing.length : 0);
  console.log(`${cells.length - unexpected.length} passed, ${failed} failed`);
  return failed === 0 && cells.length > 0 ? 0 : 1;
}
