import { rm } from "node:fs/promises";
import { join } from "node:path";
import { EncryptedDownload, EncryptedUpload } from "@s3ec/client";
import { BUCKET } from "./bench-server.js";
import { measure } from "./contest.js";
import { megabytesPerSecond, ratio, type Table } from "./report.js";
import { type Setting, sizeName } from "./setting.js";
import { writeTestFile } from "./streams.js";

const BYTES_PER_SECOND = 90e6;

/** Connections limited as real ones are: whether more of them are put to use. */
export async function throttledTable({ server, sizes, folder, encrypting }: Setting): Promise<Table> {
  const source = join(folder, "source");
  const target = join(folder, "target");
  const params = { Bucket: BUCKET, Key: "throttled" };
  await writeTestFile(source, sizes.large);
  const seconds = (queueSize: number, work: (queueSize: number) => Promise<unknown>): Promise<number> =>
    server.during({ throttleBytesPerSecond: BYTES_PER_SECOND }, async () => {
      return (await measure(() => work(queueSize))).seconds;
    });
  const rows: string[][] = [];
  for (const [name, work] of [
    ["upload", (queueSize) => new EncryptedUpload({ client: encrypting, params, file: source, queueSize }).done()],
    ["download", (queueSize) => new EncryptedDownload({ client: encrypting, params, to: target, queueSize }).done()],
  ] satisfies [string, (queueSize: number) => Promise<unknown>][]) {
    const one = await seconds(1, work);
    const eight = await seconds(8, work);
    const speeds = [one, eight].map((time) => megabytesPerSecond(sizes.large, time));
    rows.push([`${name} ${sizeName(sizes.large)}`, ...speeds, ratio(one / eight)]);
  }
  await Promise.all([rm(source), rm(target)]);
  return {
    title: "Connections limited to 90 MB/s",
    columns: ["", "1 connection", "8 connections", "ratio"],
    rows,
  };
}
