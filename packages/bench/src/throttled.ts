import { createReadStream } from "node:fs";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { GetObjectCommand, PutObjectCommand, type S3Client } from "@aws-sdk/client-s3";
import { Upload } from "@aws-sdk/lib-storage";
import { EncryptedDownload, EncryptedUpload } from "@s3ec/client";
import { BUCKET } from "./bench-server.js";
import { measure, median } from "./contest.js";
import { plainRanges } from "./files.js";
import { megabytesPerSecond, ratio, type Table } from "./report.js";
import { type Setting, sizeName } from "./setting.js";
import { drain, streamOf, writeTestFile } from "./streams.js";

/** Bytes a second of one connection to S3 within a region, as it is often seen. */
const USUAL = 90e6;

/** Connections limited as real ones are: what a get costs over one, and whether more of them are put to use. */
export async function throttledTables(setting: Setting): Promise<readonly Table[]> {
  return [await getTable(setting), await connectionsTable(setting)];
}

/** One get at a time, so that it is the connection that limits. */
async function getTable({ server, sizes, plain, encrypting, delayed }: Setting): Promise<Table> {
  const length = sizes.large / 4;
  const seconds = async (client: S3Client, Key: string): Promise<number> => {
    const runs: number[] = [];
    for (let round = 0; round < sizes.rounds; round++) {
      const run = await measure(async () => {
        // What is verified first may have come whole by the time that it is answered.
        const { Body } = await client.send(new GetObjectCommand({ Bucket: BUCKET, Key }));
        await drain(Body, length);
      });
      runs.push(run.seconds);
    }
    return median(runs);
  };
  const store = async (client: S3Client, Key: string): Promise<void> => {
    await client.send(new PutObjectCommand({ Bucket: BUCKET, Key, Body: streamOf(length), ContentLength: length }));
  };
  await store(plain, "plain");
  await store(encrypting, "ours");
  return await server.during({ throttleBytesPerSecond: USUAL }, async () => {
    const theirs = await seconds(plain, "plain");
    const row = (name: string, ours: number): string[] => {
      const speeds = [theirs, ours].map((time) => megabytesPerSecond(length, time));
      return [`get ${sizeName(length)}, ${name}`, ...speeds, ratio(theirs / ours)];
    };
    return {
      title: `One connection of at most ${megabytesPerSecond(USUAL, 1)}`,
      columns: ["", "plain SDK", "ours", "ratio"],
      rows: [
        row("verified first", await seconds(encrypting, "ours")),
        row("delayed authentication", await seconds(delayed, "ours")),
      ],
    };
  });
}

async function connectionsTable(setting: Setting): Promise<Table> {
  const { large } = setting.sizes;
  // Eight of the second kind together stay within what two cores can do for client and server.
  const rows = [...(await throttledRows(setting, large, USUAL)), ...(await throttledRows(setting, large / 4, 20e6))];
  return {
    title: "Limited connections",
    columns: ["", "1 connection", "8 connections", "ratio", "plain SDK, 8 connections", "ours to it"],
    rows,
  };
}

async function throttledRows(
  { server, folder, plain, encrypting }: Setting,
  length: number,
  throttleBytesPerSecond: number,
): Promise<string[][]> {
  const source = join(folder, "source");
  const target = join(folder, "target");
  const params = { Bucket: BUCKET, Key: "throttled" };
  await writeTestFile(source, length);
  const seconds = (queueSize: number, work: (queueSize: number) => Promise<unknown>): Promise<number> =>
    server.during({ throttleBytesPerSecond }, async () => (await measure(() => work(queueSize))).seconds);
  const rows: string[][] = [];
  const theirs = { ...params, Key: "plain-throttled" };
  type Work = (queueSize: number) => Promise<unknown>;
  const pairs: [string, Work, Work][] = [
    [
      "upload",
      (queueSize) => new EncryptedUpload({ client: encrypting, params, file: source, queueSize }).done(),
      (queueSize) =>
        new Upload({ client: plain, params: { ...theirs, Body: createReadStream(source) }, queueSize }).done(),
    ],
    [
      "download",
      (queueSize) => new EncryptedDownload({ client: encrypting, params, to: target, queueSize }).done(),
      () => plainRanges(plain, theirs, length, target),
    ],
  ];
  for (const [name, ours, plainly] of pairs) {
    const one = await seconds(1, ours);
    const eight = await seconds(8, ours);
    const plainEight = await seconds(8, plainly);
    const [slow, fast, beside] = [one, eight, plainEight].map((time) => megabytesPerSecond(length, time));
    const limit = megabytesPerSecond(throttleBytesPerSecond, 1);
    const title = `${name} ${sizeName(length)}, at most ${limit} each`;
    rows.push([title, slow ?? "", fast ?? "", ratio(one / eight), beside ?? "", ratio(plainEight / eight)]);
  }
  await Promise.all([rm(source), rm(target)]);
  return rows;
}
