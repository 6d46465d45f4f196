import type { HeadObjectCommandOutput } from "@aws-sdk/client-s3";
import { HeadObjectCommand } from "@aws-sdk/client-s3";
import { requireBucket } from "@s3ec/bulk";
import { httpStatusOf, type KeepOptions, plainClientOf } from "@s3ec/client";
import type { Connection } from "../connection.js";
import type { Target } from "../event.js";
import type { Settings } from "../settings.js";

/** An object, and what is to be done to it with what. */
export interface ObjectTask {
  readonly target: Target;
  readonly settings: Settings;
  readonly connection: Connection;
  /** Ends what cannot be done before the invocation's time ends. */
  readonly signal: AbortSignal;
}

/** What stands there, by one HEAD; undefined for nothing, or a delete marker. */
export async function headOf({ connection, target, signal }: ObjectTask): Promise<HeadObjectCommandOutput | undefined> {
  const client = plainClientOf(connection.client);
  const request = { abortSignal: signal };
  try {
    return await client.send(new HeadObjectCommand(target), request);
  } catch (error) {
    const status = httpStatusOf(error);
    if (status === 404) await requireBucket(client, target.Bucket, request);
    // 405 for a delete marker that is named by its version.
    if (status === 404 || status === 405) return undefined;
    throw error;
  }
}

/** What the client's functions are told of reading. */
export function reading({ settings: { context, suffix } }: ObjectTask): {
  readonly encryptionContext?: Readonly<Record<string, string>>;
  readonly instructionFileSuffix?: string;
} {
  return {
    ...(context === undefined ? {} : { encryptionContext: context }),
    ...(suffix === undefined ? {} : { instructionFileSuffix: suffix }),
  };
}

/** What they are told of writing it again. */
export function keeping({ settings }: ObjectTask): KeepOptions {
  const { allowLoss, checksTarget, settleTime } = settings;
  return {
    allowLoss,
    ...(checksTarget === undefined ? {} : { checksTarget }),
    ...(settleTime === undefined ? {} : { settleTime }),
  };
}
