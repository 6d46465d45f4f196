import { HeadObjectCommand, type HeadObjectCommandOutput, type S3Client } from "@aws-sdk/client-s3";
import { httpStatusOf } from "@s3ec/client";
import { DEFAULT_INSTRUCTION_FILE_SUFFIX, DOTNET_V1_SUFFIX } from "@s3ec/envelope";
import type { Address, Request } from "./stored-text.js";

/** The object that a file stands beside, and what follows its key in the file's. */
export interface FileOwner {
  readonly key: string;
  readonly suffix: string;
  readonly head: HeadObjectCommandOutput;
}

/** A suffix may hold dots of its own, and an object's key as well. */
const MAX_CANDIDATES = 8;

/** The object beside which this key is a file; undefined where there is none. S3's own errors where that may not be asked. */
export async function ownerOf(
  client: S3Client,
  { Bucket, Key }: Address,
  suffixes: readonly string[],
  request: Request,
): Promise<FileOwner | undefined> {
  for (const suffix of suffixesOf(Key, suffixes)) {
    const key = Key.slice(0, Key.length - suffix.length);
    try {
      const head = await client.send(new HeadObjectCommand({ Bucket, Key: key }), request);
      return { key, suffix, head };
    } catch (error) {
      if (httpStatusOf(error) !== 404) throw error;
    }
  }
  return undefined;
}

/** What a key may end with as a file: a known suffix, or what begins with one of its dots, the shortest first. */
export function suffixesOf(key: string, known: readonly string[]): readonly string[] {
  const named = [...known, DEFAULT_INSTRUCTION_FILE_SUFFIX, DOTNET_V1_SUFFIX].filter((suffix) => key.endsWith(suffix));
  const dots = [...key.matchAll(/\./g)].map(({ index }) => key.slice(index)).reverse();
  const longer = [...new Set([...named, ...dots])].filter((suffix) => suffix.length < key.length);
  return longer.slice(0, MAX_CANDIDATES);
}
