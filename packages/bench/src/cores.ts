import { createCipheriv, randomBytes } from "node:crypto";
import { type FileHandle, open } from "node:fs/promises";
import { join } from "node:path";
import { Worker } from "node:worker_threads";
import { contest, type Run } from "./contest.js";
import { PartSealing } from "./part-sealing.js";
import type { PartJob } from "./part-worker.js";
import { megabytesPerSecond, ratio, type Table } from "./report.js";
import { GiB, MiB, type Setting, sizeName } from "./setting.js";
import { writeTestFile } from "./streams.js";

const PART = 4 * MiB;
/** Parts that a worker has at a time: one to go on with while the other one is handed over. */
const AT_ONCE = 2;

/** What encryption costs by itself, and whether other threads take it off the one that serves the sockets. */
export async function coreTables(setting: Setting): Promise<readonly Table[]> {
  return [await primitiveTable(setting), await workerTable(setting)];
}

/** AES-256-GCM and its hash alone, in pieces as they come from sockets and files. */
async function primitiveTable({ sizes: { large, rounds } }: Setting): Promise<Table> {
  const key = randomBytes(32);
  const rows: string[][] = [];
  for (const length of [16 * 1024, 256 * 1024]) {
    const piece = randomBytes(length);
    const cipher = () => createCipheriv("aes-256-gcm", key, randomBytes(12));
    const all = (work: (bytes: Uint8Array) => unknown) => async (): Promise<void> => {
      for (let done = 0; done < large; done += length) work(piece);
    };
    const runs = await contest(rounds, {
      hashed: () => {
        const hash = cipher();
        return all((bytes) => hash.setAAD(bytes))();
      },
      encrypted: () => {
        const encryption = cipher();
        return all((bytes) => encryption.update(bytes))();
      },
    });
    rows.push([`hash without an output, pieces of ${length / 1024} KiB`, ...figures(runs.hashed, large)]);
    rows.push([`encrypt and hash, pieces of ${length / 1024} KiB`, ...figures(runs.encrypted, large)]);
  }
  return { title: "AES-256-GCM of `node:crypto` alone", columns: ["", "throughput", "CPU seconds a GiB"], rows };
}

/** Parts of a file, encrypted for nobody: with a server on the same cores, what threads gain is what it loses. */
async function workerTable({ sizes, folder }: Setting): Promise<Table> {
  const { large, rounds } = sizes;
  const source = join(folder, "source");
  await writeTestFile(source, large);
  const file = await open(source);
  const workerData = { source, partLength: PART };
  const workers = Array.from({ length: 2 }, () => new PartWorker(workerData));
  try {
    const first = workers.slice(0, 1);
    const runs = await contest(rounds, {
      here: () => sealHere(file, large),
      handed: () => byWorkers(first, large, (position) => handedOver(file, position)),
      both: () => byWorkers(workers, large, (position) => handedOver(file, position)),
      reading: () => byWorkers(workers, large, async (position) => ({ position })),
    });
    const row = (name: string, run: Run): string[] => [
      name,
      ...figures(run, large),
      ratio(runs.here.seconds / run.seconds),
    ];
    return {
      title: `Parts of a file of ${sizeName(large)}, read and encrypted, in worker threads`,
      columns: ["", "throughput", "CPU seconds a GiB", "ratio"],
      rows: [
        row("on the main thread", runs.here),
        row("1 worker, buffers handed over", runs.handed),
        row("2 workers, buffers handed over", runs.both),
        row("2 workers that read the file themselves", runs.reading),
      ],
      note: "Nobody takes what was encrypted: with a server on the same cores, what threads gain is what it loses.",
    };
  } finally {
    for (const worker of workers) await worker.end();
    await file.close();
  }
}

/** Answers in the order in which it was asked. */
class PartWorker {
  readonly #worker: Worker;
  readonly #asked: (() => void)[] = [];

  constructor(workerData: object) {
    this.#worker = new Worker(new URL("part-worker.js", import.meta.url), { workerData });
    this.#worker.on("message", () => this.#asked.shift()?.());
  }

  seal(job: PartJob): Promise<void> {
    this.#worker.postMessage(job, "plaintext" in job ? [job.plaintext] : []);
    return new Promise((resolve) => this.#asked.push(resolve));
  }

  async end(): Promise<void> {
    await this.#worker.terminate();
  }
}

async function sealHere(file: FileHandle, length: number): Promise<void> {
  const sealing = new PartSealing();
  const buffers = [Buffer.allocUnsafeSlow(MiB), Buffer.allocUnsafeSlow(MiB)] as const;
  let reading = file.read(buffers[0], 0, MiB, 0);
  for (let position = 0; position < length; position += MiB) {
    const { buffer } = await reading;
    const next = buffer === buffers[0] ? buffers[1] : buffers[0];
    reading = file.read(next, 0, MiB, position + MiB);
    sealing.seal(buffer);
  }
  await reading;
}

async function handedOver(file: FileHandle, position: number): Promise<PartJob> {
  const plaintext = new ArrayBuffer(PART);
  await file.read(new Uint8Array(plaintext), 0, PART, position);
  return { plaintext };
}

async function byWorkers(
  workers: readonly PartWorker[],
  length: number,
  jobAt: (position: number) => Promise<PartJob>,
): Promise<void> {
  let next = 0;
  const give = async (worker: PartWorker): Promise<void> => {
    for (let position = next; position < length; position = next) {
      next += PART;
      await worker.seal(await jobAt(position));
    }
  };
  await Promise.all(workers.flatMap((worker) => Array.from({ length: AT_ONCE }, () => give(worker))));
}

function figures({ seconds, cpuSeconds }: Run, length: number): string[] {
  return [megabytesPerSecond(length, seconds), ((cpuSeconds * GiB) / length).toFixed(2)];
}
