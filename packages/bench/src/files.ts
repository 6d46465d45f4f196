import { createReadStream, createWriteStream } from "node:fs";
import { open, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { GetObjectCommand, PutObjectCommand, type S3Client } from "@aws-sdk/client-s3";
import { Upload } from "@aws-sdk/lib-storage";
import { EncryptedDownload, EncryptedUpload } from "@s3ec/client";
import { BUCKET } from "./bench-server.js";
import { contest, type Run } from "./contest.js";
import { megabytesPerSecond, ratio, type Table } from "./report.js";
import { GiB, KiB, MiB, type Setting, sizeName } from "./setting.js";
import { streamOf, writeTestFile } from "./streams.js";

const PLAIN = { Bucket: BUCKET, Key: "plain" };
const OURS = { Bucket: BUCKET, Key: "ours" };

/** Files up: what users of the plain SDK write today, against ours. */
export async function uploadTable({ sizes, plain, encrypting, folder }: Setting): Promise<Table> {
  const source = join(folder, "source");
  await writeTestFile(source, sizes.large);
  const up = await contest(sizes.rounds, {
    plain: () => new Upload({ client: plain, params: { ...PLAIN, Body: createReadStream(source) } }).done(),
    ours: () => new EncryptedUpload({ client: encrypting, params: OURS, file: source }).done(),
  });
  return tableOf("Uploads of files", sizes.large, [
    ["`Upload` over `createReadStream`, and `EncryptedUpload`", up.plain, up.ours],
  ]);
}

/** Files down: large ones, and as many small ones as tell. */
export async function downloadTables(setting: Setting): Promise<readonly Table[]> {
  return [await downloadTable(setting), await smallDownloadTable(setting)];
}

async function smallDownloadTable({ sizes, plain, encrypting, folder }: Setting): Promise<Table> {
  const count = 300;
  const target = join(folder, "small");
  const Body = Buffer.alloc(KiB, 1);
  await plain.send(new PutObjectCommand({ ...PLAIN, Body }));
  await encrypting.send(new PutObjectCommand({ ...OURS, Body }));
  const repeated = (work: () => Promise<unknown>) => async (): Promise<void> => {
    for (let left = count; left > 0; left--) await work();
  };
  const down = await contest(sizes.rounds, {
    plain: repeated(async () => {
      const { Body } = await plain.send(new GetObjectCommand(PLAIN));
      await writeFile(target, (await Body?.transformToByteArray()) ?? "");
    }),
    ours: repeated(() => new EncryptedDownload({ client: encrypting, params: OURS, to: target }).done()),
  });
  const each = ({ seconds }: Run): string => `${(count / seconds).toFixed(0)} a second`;
  return {
    title: `Downloads to files of ${sizeName(KiB)}`,
    columns: ["", "plain SDK", "ours", "ratio"],
    rows: [
      [
        "get and `writeFile`, and `EncryptedDownload`",
        each(down.plain),
        each(down.ours),
        ratio(down.plain.seconds / down.ours.seconds),
      ],
    ],
  };
}

async function downloadTable({ sizes, plain, encrypting, folder }: Setting): Promise<Table> {
  const { large, rounds } = sizes;
  const target = join(folder, "target");
  await plain.send(new PutObjectCommand({ ...PLAIN, Body: streamOf(large), ContentLength: large }));
  await encrypting.send(new PutObjectCommand({ ...OURS, Body: streamOf(large), ContentLength: large }));
  const down = await contest(rounds, {
    plain: async () => {
      const { Body } = await plain.send(new GetObjectCommand(PLAIN));
      if (!(Body instanceof Readable)) throw new Error("Not a Node stream.");
      await pipeline(Body, createWriteStream(target));
    },
    ranges: () => plainRanges(plain, PLAIN, large, target),
    ours: () => new EncryptedDownload({ client: encrypting, params: OURS, to: target }).done(),
  });
  return tableOf("Downloads to files", large, [
    ["`pipeline` into `createWriteStream`, and `EncryptedDownload`", down.plain, down.ours],
    ["8 parallel ranges of 8 MiB, and `EncryptedDownload`", down.ranges, down.ours],
  ]);
}

function tableOf(title: string, length: number, rows: readonly (readonly [string, Run, Run])[]): Table {
  const speed = ({ seconds }: Run): string => megabytesPerSecond(length, seconds);
  const cpu = ({ cpuSeconds }: Run): string => ((cpuSeconds * GiB) / length).toFixed(2);
  return {
    title: `${title} of ${sizeName(length)}`,
    columns: ["", "plain SDK", "ours", "ratio", "CPU s a GiB, plain", "ours"],
    rows: rows.map(([name, theirs, ours]) => [
      name,
      speed(theirs),
      speed(ours),
      ratio(theirs.seconds / ours.seconds),
      cpu(theirs),
      cpu(ours),
    ]),
  };
}

/** Ranges side by side, each written where it belongs as it comes: nothing is decrypted, so nothing has to wait. */
export async function plainRanges(
  client: S3Client,
  object: { readonly Bucket: string; readonly Key: string },
  length: number,
  target: string,
): Promise<void> {
  const partSize = 8 * MiB;
  const file = await open(target, "w");
  let next = 0;
  const worker = async (): Promise<void> => {
    while (next < length) {
      const first = next;
      next += partSize;
      const Range = `bytes=${first}-${Math.min(next, length) - 1}`;
      const { Body } = await client.send(new GetObjectCommand({ ...object, Range }));
      let position = first;
      for await (const chunk of Body as AsyncIterable<Uint8Array>) {
        await file.write(chunk, 0, chunk.length, position);
        position += chunk.length;
      }
    }
  };
  await Promise.all(Array.from({ length: 8 }, worker));
  await file.close();
}
