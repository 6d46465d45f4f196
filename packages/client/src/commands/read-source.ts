import {
  type CopyObjectCommandInput,
  GetObjectCommand,
  type HeadObjectCommandOutput,
  type S3Client,
} from "@aws-sdk/client-s3";
import type { ObjectKind, SiblingFile } from "@s3ec/materials";
import type { CallOptions } from "../call-options.js";
import { siblingRules, suffixesBeside } from "../files-beside.js";
import type { ResolvedOptions } from "../options.js";
import { BesideObject } from "../read/beside-object.js";
import { filesToCopy } from "./copied-files.js";
import { filesOfVersion, readNamedVersion } from "./copied-version.js";
import { headOfSource, type SourceInput, tagsOfSource } from "./copy-source.js";
import { lookingStore } from "./looking-store.js";

/** What is copied: the object as S3 showed it, and the text of its files. */
export interface Copied {
  readonly head: HeadObjectCommandOutput;
  readonly kind: ObjectKind;
  readonly files: readonly SiblingFile[];
  /** The object tags that S3 copies with it, where a file has to be given them. */
  readonly tagging: string | undefined;
}

/**
 * Reads the files, and then looks at the object: had that been replaced meanwhile, its files would have been, too.
 *
 * @param client one that does not encrypt
 */
export async function readSource(
  options: ResolvedOptions,
  call: CallOptions,
  input: CopyObjectCommandInput,
  source: SourceInput,
  client: S3Client,
): Promise<Copied> {
  const { abortSignal } = call;
  const suffixes = suffixesBeside(options, input, source.Key);
  const store = lookingStore(client, source, options, abortSignal);
  const named = await readNamedVersion(options, call, store, suffixes);
  // Of an older version, only what is on it can tell which version of a file is its own.
  const current = source.VersionId === undefined ? await store.readAll(suffixes) : new Map();
  const request = abortSignal === undefined ? {} : { abortSignal };
  const head = await headOfSource(client, source, input, request);
  const { Metadata: metadata = {} } = head;
  const kind = siblingRules(options).kindOf(metadata);
  const object = { bucket: source.Bucket, key: source.Key, metadata, kind };
  const beside = new BesideObject(source, {
    get: (file) => client.send(new GetObjectCommand(file), request),
    client: () => client,
    signal: abortSignal,
  });
  const found =
    source.VersionId === undefined
      ? new Map([...current, ...named])
      : new Map([...(await filesOfVersion(options, call, object, { head, store, beside, suffixes, named })), ...named]);
  const files = await filesToCopy(options, call, object, found);
  const hasTags = files.length > 0 && input.TaggingDirective !== "REPLACE" && (head.TagCount ?? 0) > 0;
  return { head, kind, files, tagging: hasTags ? await tagsOfSource(client, source, request) : undefined };
}
