import {
  type GetObjectCommandInput,
  ListObjectsV2Command,
  ListObjectVersionsCommand,
  type ListObjectVersionsCommandInput,
  type ObjectVersion,
  type S3Client,
} from "@aws-sdk/client-s3";

/** Enough to recognise the right one among. */
const MAX_SIBLINGS = 20;
/** Milliseconds that a better sentence in a refusal may take; it is refused in any case. */
const PATIENCE = 3000;
/** Pages of 1,000 versions of one file; whoever writes it more often has to name one. */
const MAX_PAGES = 10;

/** What S3 lists beside an object that is to be read. */
export class BesideObject {
  readonly #client: () => S3Client;
  readonly #object: GetObjectCommandInput;
  readonly #request: { abortSignal?: AbortSignal };

  /** @param client one that does not encrypt */
  constructor(client: () => S3Client, object: GetObjectCommandInput, signal: AbortSignal | undefined) {
    this.#client = client;
    this.#object = object;
    this.#request = signal === undefined ? {} : { abortSignal: signal };
  }

  /** What follows the object's key in those of its siblings `<key>.*`; undefined where they may not be listed. */
  async suffixes(): Promise<string[] | undefined> {
    const { Key = "" } = this.#object;
    const input = { ...this.#owner(), Prefix: `${Key}.`, MaxKeys: MAX_SIBLINGS };
    const { abortSignal } = this.#request;
    const patience = AbortSignal.timeout(PATIENCE);
    const request = { abortSignal: abortSignal === undefined ? patience : AbortSignal.any([abortSignal, patience]) };
    try {
      const { Contents = [] } = await this.#client().send(new ListObjectsV2Command(input), request);
      return Contents.flatMap((entry) => (entry.Key?.startsWith(input.Prefix) ? [entry.Key.slice(Key.length)] : []));
    } catch {
      // Only a better sentence would have come of it.
      return undefined;
    }
  }

  /**
   * The versions of a file that are nearest in time to the object's, nearest first; undefined where they may not be
   * listed. S3 tells times by the second.
   */
  async versionsNear(file: string, time: Date | undefined, most: number): Promise<string[] | undefined> {
    let versions: ObjectVersion[];
    try {
      versions = await this.#versionsOf(file);
    } catch (error) {
      if (isForbidden(error)) return undefined;
      throw error;
    }
    const distance = ({ LastModified }: ObjectVersion): number =>
      time === undefined || LastModified === undefined ? 0 : Math.abs(LastModified.getTime() - time.getTime());
    return versions
      .sort((a, b) => distance(a) - distance(b))
      .flatMap(({ VersionId }) => (VersionId === undefined ? [] : [VersionId]))
      .slice(0, most);
  }

  async #versionsOf(file: string): Promise<ObjectVersion[]> {
    const found: ObjectVersion[] = [];
    let input: ListObjectVersionsCommandInput = { ...this.#owner(), Prefix: file };
    for (let page = 0; page < MAX_PAGES; page++) {
      const output = await this.#client().send(new ListObjectVersionsCommand(input), this.#request);
      found.push(...(output.Versions ?? []).filter(({ Key }) => Key === file));
      // The file itself is listed before what its key begins.
      if (output.IsTruncated !== true || output.NextKeyMarker !== file) break;
      input = { ...input, KeyMarker: output.NextKeyMarker, VersionIdMarker: output.NextVersionIdMarker };
    }
    return found;
  }

  #owner(): Pick<GetObjectCommandInput, "Bucket" | "ExpectedBucketOwner" | "RequestPayer"> {
    const { Bucket, ExpectedBucketOwner, RequestPayer } = this.#object;
    return { Bucket, ExpectedBucketOwner, RequestPayer };
  }
}

/** A store that has no such operation says so with 501 or 405. */
function isForbidden(error: unknown): boolean {
  if (!(error instanceof Error) || !("$metadata" in error)) return false;
  const { httpStatusCode } = error.$metadata as { readonly httpStatusCode?: number };
  return httpStatusCode === 403 || httpStatusCode === 405 || httpStatusCode === 501;
}
