import { GetObjectCommand, PutObjectCommand, type S3Client } from "@aws-sdk/client-s3";
import { BUCKET } from "./bench-server.js";
import { contest, type Run } from "./contest.js";
import { megabytesPerSecond, ratio, type Table } from "./report.js";
import { GiB, MiB, type Setting, sizeName } from "./setting.js";
import { drain, streamOf } from "./streams.js";

/** Up to here a body is a buffer, and one run is many of them. */
const SMALL = MiB;

/** Larger objects wait in a file for their authentication, unless `bufferSize` says otherwise. */
const DEFAULT_BUFFER = 64 * MiB;

/** Puts and gets of each size, ours against the plain SDK's; and the CPU time that the large ones took. */
export async function objectTables(setting: Setting): Promise<Table[]> {
  const rows: string[][] = [];
  const cpu: string[][] = [];
  for (const size of setting.sizes.objects) {
    const compare = (name: string, plain: Run, ours: Run): void => {
      rows.push(row(name, size, plain, ours));
      const perGiB = (run: Run): string => ((run.cpuSeconds * GiB) / size).toFixed(2);
      if (size > SMALL) cpu.push([name, perGiB(plain), perGiB(ours)]);
    };
    const puts = await contest(setting.sizes.rounds, {
      plain: () => put(setting.plain, "plain", size),
      ours: () => put(setting.encrypting, "ours", size),
    });
    compare(`put ${sizeName(size)}`, puts.plain, puts.ours);
    const gets = await contest(setting.sizes.rounds, {
      plain: () => get(setting.plain, "plain", size),
      ours: () => get(setting.encrypting, "ours", size),
      buffering: () => get(setting.buffering, "ours", size),
      delayed: () => get(setting.delayed, "ours", size),
    });
    const name = `get ${sizeName(size)}`;
    if (size > DEFAULT_BUFFER) {
      compare(`${name}, verified first in a temporary file`, gets.plain, gets.ours);
      compare(`${name}, verified first in memory (\`bufferSize\`)`, gets.plain, gets.buffering);
    } else {
      compare(`${name}, verified first`, gets.plain, gets.ours);
    }
    compare(`${name}, delayed authentication`, gets.plain, gets.delayed);
    if (size < SMALL) {
      const cached = await contest(setting.sizes.rounds, {
        plainPut: () => put(setting.plain, "plain", size),
        put: () => put(setting.caching, "cached", size),
        plainGet: () => get(setting.plain, "plain", size),
        get: () => get(setting.caching, "cached", size),
      });
      compare(`put ${sizeName(size)}, caching manager`, cached.plainPut, cached.put);
      compare(`${name}, verified first, caching manager`, cached.plainGet, cached.get);
    }
  }
  return [
    { title: "Put and get", columns: ["", "plain SDK", "ours", "ratio"], rows },
    { title: "CPU seconds of the client's process, per GiB", columns: ["", "plain SDK", "ours"], rows: cpu },
  ];
}

function repetitions(size: number): number {
  return size > SMALL ? 1 : size === SMALL ? 100 : 500;
}

async function put(client: S3Client, key: string, size: number): Promise<void> {
  for (let count = repetitions(size); count > 0; count--) {
    const Body = size > SMALL ? streamOf(size) : Buffer.alloc(size, count);
    await client.send(new PutObjectCommand({ Bucket: BUCKET, Key: key, Body, ContentLength: size }));
  }
}

async function get(client: S3Client, key: string, size: number): Promise<void> {
  for (let count = repetitions(size); count > 0; count--) {
    const { Body } = await client.send(new GetObjectCommand({ Bucket: BUCKET, Key: key }));
    await drain(Body, size);
  }
}

function row(name: string, size: number, plain: Run, ours: Run): string[] {
  const speed = ({ seconds }: Run): string =>
    size < SMALL
      ? `${(repetitions(size) / seconds).toFixed(0)} a second`
      : megabytesPerSecond(size * repetitions(size), seconds);
  return [name, speed(plain), speed(ours), ratio(plain.seconds / ours.seconds)];
}
