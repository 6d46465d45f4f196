import {
  type CopyObjectCommandInput,
  GetObjectLegalHoldCommand,
  GetObjectRetentionCommand,
  type S3Client,
} from "@aws-sdk/client-s3";
import { httpStatusOf, isMissing } from "../s3-errors.js";
import type { AllowedLosses } from "./losses.js";
import type { SeenObject, StoredAddress } from "./seen-object.js";

type Lock = Pick<
  CopyObjectCommandInput,
  | "ObjectLockEventHold"
  | "ObjectLockEventHoldDurationDays"
  | "ObjectLockEventHoldDurationYears"
  | "ObjectLockLegalHoldStatus"
  | "ObjectLockMode"
  | "ObjectLockRetainUntilDate"
>;

interface Request {
  readonly abortSignal?: AbortSignal;
}

/**
 * How an object is locked, as a copy says it. Whoever may not read that is shown an object without a lock: what HEAD does not
 * say is asked for, and a refusal (403) is not taken for "none".
 */
export async function lockOf(
  client: S3Client,
  address: StoredAddress,
  { head, date }: Pick<SeenObject, "head" | "date">,
  losses: AllowedLosses,
  request: Request,
): Promise<Lock> {
  const asked = whereOf(address);
  const retention =
    head.ObjectLockMode === undefined
      ? await unlessNone(() => client.send(new GetObjectRetentionCommand(asked), request), losses)
      : { Retention: { Mode: head.ObjectLockMode, RetainUntilDate: head.ObjectLockRetainUntilDate } };
  const hold =
    head.ObjectLockLegalHoldStatus === undefined
      ? await unlessNone(() => client.send(new GetObjectLegalHoldCommand(asked), request), losses)
      : { LegalHold: { Status: head.ObjectLockLegalHoldStatus } };
  const { Mode, RetainUntilDate } = retention?.Retention ?? {};
  const status = hold?.LegalHold?.Status;
  return {
    ...(Mode === undefined || RetainUntilDate === undefined || isOver(RetainUntilDate, date)
      ? {}
      : { ObjectLockMode: Mode, ObjectLockRetainUntilDate: RetainUntilDate }),
    ...(status === "ON" ? { ObjectLockLegalHoldStatus: status } : {}),
    // Shown to whoever may read the retention.
    ...(head.ObjectLockEventHold === "ON"
      ? {
          ObjectLockEventHold: head.ObjectLockEventHold,
          ObjectLockEventHoldDurationDays: head.ObjectLockEventHoldDurationDays,
          ObjectLockEventHoldDurationYears: head.ObjectLockEventHoldDurationYears,
        }
      : {}),
  };
}

/**
 * A retention that is over cannot be said any more, and holds nothing. By the store's own clock: one that runs ahead here
 * would take a lock that still holds for one that is over.
 */
function isOver(until: Date, storesDate: Date | undefined): boolean {
  return until.getTime() <= (storesDate ?? new Date()).getTime();
}

/** The requests that take no key of the customer's. */
export function whereOf({
  Bucket,
  Key,
  ExpectedBucketOwner,
  RequestPayer,
}: StoredAddress): Pick<StoredAddress, "Bucket" | "Key" | "ExpectedBucketOwner" | "RequestPayer"> {
  return { Bucket, Key, ExpectedBucketOwner, RequestPayer };
}

/** Undefined where there is none: the object has no lock, the bucket keeps none (400), or the store knows none (501). */
async function unlessNone<Answer>(ask: () => Promise<Answer>, losses: AllowedLosses): Promise<Answer | undefined> {
  try {
    return await ask();
  } catch (error) {
    const status = httpStatusOf(error) ?? 0;
    if (status === 403) {
      losses.accept(
        "lock",
        "Whether the object is locked may not be read, and a copy without its lock could be deleted: allow s3:GetObjectRetention and s3:GetObjectLegalHold.",
      );
      return undefined;
    }
    if ([400, 404, 405, 501].includes(status) && !isMissing(error)) return undefined;
    throw error;
  }
}
