import { type CopyObjectCommandInput, GetObjectAclCommand, type Grant, type S3Client } from "@aws-sdk/client-s3";
import { httpStatusOf } from "../s3-errors.js";
import type { AllowedLosses } from "./losses.js";
import type { StoredAddress } from "./seen-object.js";
import { whereOf } from "./stored-lock.js";

type Grants = Pick<CopyObjectCommandInput, "GrantFullControl" | "GrantRead" | "GrantReadACP" | "GrantWriteACP">;

interface Request {
  readonly abortSignal?: AbortSignal;
}

/** The permissions that an object's list can give; `WRITE` means nothing to an object, and no request can say it. */
const HEADER_OF = {
  FULL_CONTROL: "GrantFullControl",
  READ: "GrantRead",
  READ_ACP: "GrantReadACP",
  WRITE_ACP: "GrantWriteACP",
} as const satisfies Readonly<Record<string, keyof Grants>>;

/**
 * An object's access control list, as a copy says it: nothing where only its owner is in it, as in all buckets that keep no
 * such lists, whose S3 would refuse it.
 */
export async function grantsOf(
  client: S3Client,
  address: StoredAddress,
  losses: AllowedLosses,
  request: Request,
): Promise<{ readonly grants: Grants; readonly owner: string | undefined }> {
  let grants: readonly Grant[];
  let owner: string | undefined;
  try {
    ({ grants, owner } = await listOf(client, address, request));
  } catch (error) {
    const status = httpStatusOf(error) ?? 0;
    if (status === 403) {
      losses.accept(
        "acl",
        "The object's access control list may not be read, and a copy of it would have none: allow s3:GetObjectAcl.",
      );
      return NONE;
    }
    // A store without such lists.
    if (status === 405 || status === 501) return NONE;
    throw error;
  }
  const isOwners = ({ Grantee, Permission }: Grant): boolean =>
    Permission === "FULL_CONTROL" && Grantee?.URI === undefined && (Grantee?.ID ?? "") === (owner ?? "");
  if (grants.every(isOwners)) return { grants: {}, owner };
  const headers: Partial<Record<keyof Grants, string>> = {};
  for (const [permission, name] of Object.entries(HEADER_OF)) {
    const given = grants.filter(({ Permission }) => Permission === permission).map(granteeOf);
    if (given.length > 0) headers[name] = given.join(", ");
  }
  return { grants: headers, owner };
}

const NONE = { grants: {}, owner: undefined } as const;

/** Whether an object that was written again has another owner: as of a bucket with lists, where another account wrote it before. */
export async function hasAnotherOwner(
  client: S3Client,
  address: StoredAddress,
  before: string | undefined,
  request: Request,
): Promise<boolean> {
  if (before === undefined) return false;
  // It is written: what cannot be asked any more is no failure.
  const { owner } = await listOf(client, address, request).catch(() => NONE);
  return owner !== undefined && owner !== before;
}

async function listOf(
  client: S3Client,
  address: StoredAddress,
  request: Request,
): Promise<{ readonly grants: readonly Grant[]; readonly owner: string | undefined }> {
  const { Grants = [], Owner } = await client.send(new GetObjectAclCommand(whereOf(address)), request);
  return { grants: Grants, owner: Owner?.ID };
}

function granteeOf({ Grantee: { ID, URI, EmailAddress } = {} as NonNullable<Grant["Grantee"]> }: Grant): string {
  if (URI !== undefined) return `uri="${URI}"`;
  return ID === undefined ? `emailAddress="${EmailAddress}"` : `id="${ID}"`;
}
