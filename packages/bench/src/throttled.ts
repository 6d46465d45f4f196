import { rm } from "node:fs/promises";
import { join } from "node:path";
import { EncryptedDownload, EncryptedUpload } from "@s3ec/client";
import { BUCKET } from "./bench-server.js";
import { measure } from "./contest.js";
import { megabytesPerSecond, ratio, type Table } from "./report.js";
import { type Setting, sizeName } from "./setting.js";
import { writeTestFile } from "./streams.js";

/** Connections limited as real ones are: whether more of them are put to use. */
export async function throttledTable(setting: Setting): Promise<Table> {
  const { large } = setting.sizes;
  // Eight of the second kind together stay within what two cores can do for client and server.
  const rows = [...(await throttledRows(setting, large, 90e6)), ...(await throttledRows(setting, large / 4, 20e6))];
  return {
    title: "Limited connections",
    columns: ["", "1 connection", "8 connections", "ratio"],
    rows,
  };
}

async function throttledRows(
  { server, folder, encrypting }: Setting,
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
  for (const [name, work] of [
    ["upload", (queueSize) => new EncryptedUpload({ client: encrypting, params, file: source, queueSize }).done()],
    ["download", (queueSize) => new EncryptedDownload({ client: encrypting, params, to: target, queueSize }).done()],
  ] satisfies [string, (queueSize: number) => Promise<unknown>][]) {
    const one = await seconds(1, work);
    const eight = await seconds(8, work);
    const speeds = [one, eight].map((time) => megabytesPerSecond(length, time));
    const limit = megabytesPerSecond(throttleBytesPerSecond, 1);
    rows.push([`${name} ${sizeName(length)}, at most ${limit} each`, ...speeds, ratio(one / eight)]);
  }
  await Promise.all([rm(source), rm(target)]);
  return rows;
}
