import { createReadStream, createWriteStream } from "node:fs";
import { open, rm } from "node:fs/promises";
import { join } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { GetObjectCommand, type S3Client } from "@aws-sdk/client-s3";
import { Upload } from "@aws-sdk/lib-storage";
import { EncryptedDownload, EncryptedUpload } from "@s3ec/client";
import { BUCKET } from "./bench-server.js";
import { contest } from "./contest.js";
import { megabytesPerSecond, ratio, type Table } from "./report.js";
import { MiB, type Setting, sizeName } from "./setting.js";
import { writeTestFile } from "./streams.js";

/** Files up and down: what users of the plain SDK write today, against ours. */
export async function fileTable(setting: Setting): Promise<Table> {
  const { large, rounds } = setting.sizes;
  const { plain, encrypting, folder } = setting;
  const source = join(folder, "source");
  const target = join(folder, "target");
  await writeTestFile(source, large);
  const stored = { Bucket: BUCKET, Key: "plain" };
  const encrypted = { Bucket: BUCKET, Key: "ours" };
  const up = await contest(rounds, {
    plain: () => new Upload({ client: plain, params: { ...stored, Body: createReadStream(source) } }).done(),
    ours: () => new EncryptedUpload({ client: encrypting, params: encrypted, file: source }).done(),
  });
  const down = await contest(rounds, {
    plain: async () => {
      const { Body } = await plain.send(new GetObjectCommand(stored));
      if (!(Body instanceof Readable)) throw new Error("Not a Node stream.");
      await pipeline(Body, createWriteStream(target));
    },
    ranges: () => plainRanges(plain, stored, large, target),
    ours: () => new EncryptedDownload({ client: encrypting, params: encrypted, to: target }).done(),
  });
  await Promise.all([rm(source), rm(target)]);
  const speed = (run: { readonly seconds: number }): string => megabytesPerSecond(large, run.seconds);
  const size = sizeName(large);
  return {
    title: "Files",
    columns: ["", "plain SDK", "ours", "ratio"],
    rows: [
      [`upload ${size}: \`Upload\` over \`createReadStream\` against \`EncryptedUpload\``, up.plain, up.ours] as const,
      [
        `download ${size}: \`pipeline\` into \`createWriteStream\` against \`EncryptedDownload\``,
        down.plain,
        down.ours,
      ] as const,
      [`download ${size}: 8 parallel ranges of 8 MiB against \`EncryptedDownload\``, down.ranges, down.ours] as const,
    ].map(([name, theirs, ours]) => [name, speed(theirs), speed(ours), ratio(theirs.seconds / ours.seconds)]),
  };
}

/** Ranges side by side, each written where it belongs as it comes: nothing is decrypted, so nothing has to wait. */
async function plainRanges(
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
