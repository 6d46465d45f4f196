import { truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { Writable } from "node:stream";
import { GetObjectCommand, S3Client, type S3ClientConfig } from "@aws-sdk/client-s3";
import { Upload } from "@aws-sdk/lib-storage";
import { EncryptedDownload, EncryptedUpload, S3EncryptionClient } from "@s3ec/client";
import { RawAesKeyring } from "@s3ec/keyring-raw-aes";
import { measure } from "./contest.js";
import { peakRss } from "./peak-rss.js";
import { KiB } from "./setting.js";
import { drain, streamOf } from "./streams.js";

/** What a process is to do once with a small object, and then with a huge one. */
export interface MemoryJob {
  readonly mode: "plain-upload" | "upload" | "file-upload" | "sized-upload" | "get" | "delayed" | "file" | "stream";
  readonly config: S3ClientConfig;
  readonly bucket: string;
  readonly folder: string;
  readonly length: number;
  /** Base64. */
  readonly wrappingKey: string;
}

export interface MemoryResult {
  /** Bytes. */
  readonly growth: number;
  readonly seconds: number;
}

process.once("message", async ({ mode, config, bucket, folder, length, wrappingKey }: MemoryJob) => {
  const client = new S3EncryptionClient({
    ...config,
    encryption: {
      keyring: new RawAesKeyring({ wrappingKey: Buffer.from(wrappingKey, "base64") }),
      spool: { directory: folder },
      enableDelayedAuthenticationMode: mode === "delayed",
    },
  });
  const plain = new S3Client(config);
  const params = { Bucket: bucket, Key: "small" };
  const transfer = async (Key: string, bytes: number): Promise<unknown> => {
    const object = { ...params, Key };
    switch (mode) {
      case "plain-upload":
        return new Upload({ client: plain, params: { ...object, Body: streamOf(bytes) } }).done();
      case "upload":
        return new EncryptedUpload({ client, params: { ...object, Body: streamOf(bytes) } }).done();
      case "file-upload":
        return new EncryptedUpload({ client, params: object, file: join(folder, Key) }).done();
      case "sized-upload":
        return new EncryptedUpload({
          client,
          params: { ...object, Body: streamOf(bytes), ContentLength: bytes },
        }).done();
      case "file":
        return new EncryptedDownload({ client, params: object, to: join(folder, "memory") }).done();
      case "stream":
        return new EncryptedDownload({ client, params: object, to: nowhere() }).done();
      default:
        return drain((await client.send(new GetObjectCommand(object))).Body, bytes);
    }
  };
  if (mode === "file-upload") {
    await sparse(join(folder, "small"), KiB);
    await sparse(join(folder, "huge"), length);
  }
  await transfer("small", KiB);
  const before = process.memoryUsage.rss();
  const { seconds } = await measure(() => transfer("huge", length));
  const growth = peakRss() - before;
  client.destroy();
  plain.destroy();
  process.send?.({ growth, seconds } satisfies MemoryResult);
});

/** A file that takes no room, to read from. */
async function sparse(path: string, length: number): Promise<void> {
  await writeFile(path, "");
  await truncate(path, length);
}

function nowhere(): Writable {
  return new Writable({ write: (_chunk, _encoding, done) => done() });
}
