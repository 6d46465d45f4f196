import { PEER_PROGRAMS } from "./build-peer.js";
import { passed, runMatrix } from "./matrix.js";
import { startOurs } from "./ours.js";
import { type Peer, startPeer } from "./peer.js";
import { startKms, startS3 } from "./servers.js";
import { prepare } from "./surroundings.js";
import { writeFileSync } from "node:fs";

const only = process.argv.slice(2);
const [s3, kms] = await Promise.all([startS3(), startKms()]);
const peers: Peer[] = [];
for (const name of Object.keys(PEER_PROGRAMS)) {
  if (only.length === 0 || only.includes(name)) peers.push(await startPeer(name, { s3 }));
}
if (only.length === 0 || only.includes("ours")) peers.push(startOurs());
const started = Date.now();
const cells = await runMatrix(peers, await prepare(s3, kms));
for (const each of peers) await each.close();
await s3.close(); await kms.close();
writeFileSync("/tmp/spike/cells.json", JSON.stringify(cells));
const bad = cells.filter((cell) => !passed(cell));
console.log((Date.now() - started) / 1000, "s");
console.log(`${cells.length - bad.length} passed, ${bad.length} failed`);
