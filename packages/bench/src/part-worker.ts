import { openSync, readSync } from "node:fs";
import { parentPort, workerData } from "node:worker_threads";
import { PartSealing } from "./part-sealing.js";

/** A part for another thread: its plaintext, or where it is in the file. */
export type PartJob = { readonly plaintext: ArrayBuffer } | { readonly position: number };

const { source, partLength }: { readonly source: string; readonly partLength: number } = workerData;
const sealing = new PartSealing();
const file = openSync(source, "r");
const buffer = Buffer.allocUnsafeSlow(partLength);

parentPort?.on("message", (job: PartJob) => {
  if ("plaintext" in job) {
    const { buffer: sealed } = sealing.seal(new Uint8Array(job.plaintext));
    parentPort?.postMessage(sealed, [sealed as ArrayBuffer, job.plaintext]);
    return;
  }
  // As a worker would that sends its parts by itself; nobody takes them.
  readSync(file, buffer, 0, partLength, job.position);
  sealing.seal(buffer);
  parentPort?.postMessage(undefined);
});
