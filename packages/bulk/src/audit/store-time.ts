import { GetBucketVersioningCommand, type GetBucketVersioningCommandOutput, type S3Client } from "@aws-sdk/client-s3";
import type { Request } from "./stored-text.js";

/** Whether a bucket keeps versions, and the store's own clock, by the second; undefined where it does not tell. */
export async function versioningOf(
  client: S3Client,
  Bucket: string,
  request: Request,
): Promise<{ readonly Status: GetBucketVersioningCommandOutput["Status"]; readonly time: Date | undefined }> {
  const command = new GetBucketVersioningCommand({ Bucket });
  let time: Date | undefined;
  command.middlewareStack.add(
    (next) => async (args) => {
      const result = await next(args);
      time = dateOf(result.response);
      return result;
    },
    { step: "deserialize", priority: "low", name: "s3ecStoreTime", override: true },
  );
  const { Status } = await client.send(command, request);
  return { Status, time };
}

function dateOf(response: unknown): Date | undefined {
  const headers: unknown = typeof response === "object" && response !== null ? Reflect.get(response, "headers") : {};
  const text: unknown = typeof headers === "object" && headers !== null ? Reflect.get(headers, "date") : undefined;
  const time = typeof text === "string" ? Date.parse(text) : Number.NaN;
  return Number.isNaN(time) ? undefined : new Date(time);
}
