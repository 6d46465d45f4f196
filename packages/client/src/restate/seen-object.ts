import { GetObjectCommand, HeadObjectCommand, type HeadObjectCommandOutput, type S3Client } from "@aws-sdk/client-s3";
import { httpStatusOf } from "../s3-errors.js";
import { letGoOfBody } from "../streams.js";

/** Which object, and what every request about it has to say. */
export interface StoredAddress {
  readonly Bucket: string;
  readonly Key: string;
  readonly ExpectedBucketOwner?: string | undefined;
  readonly RequestPayer?: "requester" | undefined;
  readonly SSECustomerAlgorithm?: string | undefined;
  readonly SSECustomerKey?: string | undefined;
  readonly SSECustomerKeyMD5?: string | undefined;
}

/** An object, or the version of it that is named. */
export type StoredVersion = StoredAddress & { readonly VersionId?: string | undefined };

/** An object as S3 described it, and what the answer says of the store. */
export interface SeenObject {
  readonly head: HeadObjectCommandOutput;
  /** The store's own clock, by the second; undefined where it does not tell. */
  readonly date: Date | undefined;
  /** Whether the answer came from an endpoint of AWS, whose S3 is known to check conditions on the target of a copy. */
  readonly isAws: boolean;
}

interface Request {
  readonly abortSignal?: AbortSignal;
}

/** Endpoints of AWS in all of its partitions. */
const AWS_ENDPOINT =
  /\.(?:amazonaws\.(?:com|com\.cn|eu)|api\.(?:aws|amazonwebservices\.com\.cn)|c2s\.ic\.gov|sc2s\.sgov\.gov|csp\.hci\.ic\.gov|cloud\.adc-e\.uk)$/;

/**
 * Looks at an object, also at its checksum's algorithm.
 *
 * @param client one that does not encrypt
 */
export async function lookAt(client: S3Client, address: StoredVersion, request: Request = {}): Promise<SeenObject> {
  const command = new HeadObjectCommand({ ...address, ChecksumMode: "ENABLED" });
  let answered: Pick<SeenObject, "date" | "isAws"> = { date: undefined, isAws: false };
  command.middlewareStack.add(
    (next) => async (args) => {
      const result = await next(args);
      answered = { date: dateOf(result.response), isAws: AWS_ENDPOINT.test(hostOf(args.request)) };
      return result;
    },
    { step: "deserialize", priority: "low", name: "s3EncryptionSeenObject", override: true },
  );
  try {
    return { head: await headOf(client, command, request), ...answered };
  } catch (error) {
    if (![400, 403, 404].includes(httpStatusOf(error) ?? 0)) throw error;
    // A HEAD has no words for what is wrong.
    const { Body } = await client.send(new GetObjectCommand({ ...address, Range: "bytes=0-0" }), request);
    letGoOfBody(Body);
    throw error;
  }
}

function hostOf(request: unknown): string {
  const host: unknown = typeof request === "object" && request !== null ? Reflect.get(request, "hostname") : undefined;
  return typeof host === "string" ? host : "";
}

/** The SDK assigns to it what S3 has said of it, and an object keeps no text there: whatever writes it again would lose it. */
const UNKEPT = "__proto__";

/** What S3 answers, with the user metadata that the SDK leaves out. */
export async function headOf(
  client: S3Client,
  command: HeadObjectCommand,
  request: Request = {},
): Promise<HeadObjectCommandOutput> {
  let unkept: string | undefined;
  command.middlewareStack.add(
    (next) => async (args) => {
      const result = await next(args);
      unkept = headerOf(result.response, `x-amz-meta-${UNKEPT}`);
      return result;
    },
    { step: "deserialize", priority: "low", name: "s3EncryptionUnkeptMetadata", override: true },
  );
  const head = await client.send(command, request);
  if (unkept === undefined) return head;
  return { ...head, Metadata: Object.fromEntries([...Object.entries(head.Metadata ?? {}), [UNKEPT, unkept]]) };
}

function dateOf(response: unknown): Date | undefined {
  const time = Date.parse(headerOf(response, "date") ?? "");
  return Number.isNaN(time) ? undefined : new Date(time);
}

function headerOf(response: unknown, name: string): string | undefined {
  if (typeof response !== "object" || response === null) return undefined;
  const headers: unknown = Reflect.get(response, "headers");
  const text: unknown = typeof headers === "object" && headers !== null ? Reflect.get(headers, name) : undefined;
  return typeof text === "string" ? text : undefined;
}
