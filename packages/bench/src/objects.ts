import { GetObjectCommand, PutObjectCommand, type S3Client } from "@aws-sdk/client-s3";
import { BUCKET } from "./bench-server.js";
import { contest, type Run } from "./contest.js";
import { megabytesPerSecond, ratio, type Table } from "./report.js";
import { GiB, MiB, type Setting, sizeName } from "./setting.js";
import { drain, streamOf } from "./streams.js";

/** Up to here a body is a buffer, and one run is many of them. */
const SMALL = MiB;

/** Puts and gets of each size, ours against the plain SDK's; and the CPU time that the largest took. */
export async function objectTables(setting: Setting): Promise<Table[]> {
  const rows: string[][] = [];
  const cpu: string[][] = [];
  for (const size of setting.sizes.objects) {
    const puts = await contest(setting.sizes.rounds, {
      plain: () => put(setting.plain, "plain", size),
      ours: () => put(setting.encrypting, "ours", size),
    });
    rows.push(row(`put ${sizeName(size)}`, size, puts.plain, puts.ours));
    const gets = await contest(setting.sizes.rounds, {
      plain: () => get(setting.plain, "plain", size),
      ours: () => get(setting.encrypting, "ours", size),
      delayed: () => get(setting.delayed, "ours", size),
    });
    rows.push(row(`get ${sizeName(size)}, verified first`, size, gets.plain, gets.ours));
    rows.push(row(`get ${sizeName(size)}, delayed authentication`, size, gets.plain, gets.delayed));
    if (size > SMALL) {
      const perGiB = (run: Run): string => ((run.cpuSeconds * GiB) / size).toFixed(2);
      cpu.push([`put ${sizeName(size)}`, perGiB(puts.plain), perGiB(puts.ours)]);
      cpu.push([`get ${sizeName(size)}, verified first`, perGiB(gets.plain), perGiB(gets.ours)]);
      cpu.push([`get ${sizeName(size)}, delayed authentication`, perGiB(gets.plain), perGiB(gets.delayed)]);
    }
  }
  return [
    { title: "Put and get", columns: ["", "plain SDK", "ours", "ratio"], rows },
    { title: "CPU seconds of the client's process, per GiB", columns: ["", "plain SDK", "ours"], rows: cpu },
  ];
}

function repetitions(size: number): number {
  return size > SMALL ? 1 : size === SMALL ? 50 : 200;
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
