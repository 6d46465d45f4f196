import { createHash } from "node:crypto";
import type { Bucket } from "../store/bucket.js";
import { wholeObject, wholeSecond } from "./objects.js";

/** An object that is stored without a request. */
export interface SeededObject {
  /** What it holds. */
  readonly body: Uint8Array | string;
  /** Names without `x-amz-meta-`. Characters that are not ASCII come back as S3 returns a client's UTF-8. */
  readonly metadata?: Readonly<Record<string, string>>;
  /** Default `binary/octet-stream`. */
  readonly contentType?: string;
  /** Further headers, as they are answered, such as `x-amz-missing-meta`. */
  readonly headers?: Readonly<Record<string, string>>;
  /** When it was stored, by the second. Default: now. */
  readonly modified?: Date;
}

/** Stores an object that no client could or would send: past limits, or written by somebody else. */
export async function putSeededObject(
  bucket: Bucket,
  key: string,
  { body, metadata = {}, contentType = "binary/octet-stream", headers = {}, modified }: SeededObject,
): Promise<void> {
  const bytes = Buffer.from(body);
  const { file, writer } = await bucket.createDataFile();
  writer.write(bytes);
  await writer.finish();
  const pairs = Object.entries(metadata).map(([name, value]) => [
    name.toLowerCase(),
    Buffer.from(value).toString("latin1"),
  ]);
  const record = {
    headers: { "content-type": contentType, ...headers },
    metadata: Object.fromEntries(pairs),
    ...wholeObject(key, file, {
      length: bytes.length,
      tag: createHash("md5").update(bytes).digest(),
      checksum: undefined,
    }),
    ...(modified && { modified: wholeSecond(modified) }),
  };
  await bucket.put(record, () => {});
}
