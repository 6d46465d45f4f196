import {
  HeadObjectCommand,
  type HeadObjectCommandInput,
  type HeadObjectCommandOutput,
  type S3Client,
} from "@aws-sdk/client-s3";

/** What is said of all of them beside their keys. */
export type HeadOfMany = Omit<HeadObjectCommandInput, "Key">;

/**
 * Asks for many objects of one bucket by HEAD. The SDK puts its middleware together anew for each command that is sent, which takes a
 * third of a HEAD; here that is done once, as its option `cacheMiddleware` would, which leaves no way to abort. What it
 * finds out on the way, such as a region, is shared then, too: hence one bucket.
 */
export function manyHeads(
  client: S3Client,
  input: HeadOfMany,
  abortSignal: AbortSignal,
): (key: string) => Promise<HeadObjectCommandOutput> {
  let handler: ReturnType<HeadObjectCommand["resolveMiddleware"]> | undefined;
  return async (Key) => {
    const command = new HeadObjectCommand({ ...input, Key });
    handler ??= command.resolveMiddleware(client.middlewareStack, client.config, { abortSignal });
    return (await handler(command)).output;
  };
}
