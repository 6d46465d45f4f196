import { writeFile } from "node:fs/promises";
import type { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import {
  GetObjectCommand,
  type GetObjectCommandOutput,
  GetObjectTaggingCommand,
  HeadObjectCommand,
} from "@aws-sdk/client-s3";
import type { AuditedObject } from "@s3ec/bulk";
import { writeWholeFile } from "@s3ec/client";
import { S3EncryptionError } from "@s3ec/materials";
import type { ByteTarget } from "../byte-target.js";
import type { Downloaded, ObjectToGet } from "../download.js";
import { isServiceError } from "../service-message.js";
import { upload } from "../upload.js";
import type { OnBytes, TransferContext, TransferOutcome } from "./transfer-context.js";

/** What is stored there, or is that version of it, by itself. */
export async function stateOf(
  context: TransferContext,
  from: ObjectToGet,
  read: "get" | "getSource",
): Promise<Pick<AuditedObject, "state" | "problem">> {
  const { Bucket, Key, VersionId } = from;
  const beside = context.filesBeside(Bucket, read);
  if (VersionId === undefined) return await beside.stateOf({ Key });
  // A file beside it tells nothing of an older version.
  const { plain, parameters, signal } = context;
  const current = await plain
    .send(new HeadObjectCommand({ Bucket, Key, ...parameters[read] }), { abortSignal: signal })
    .catch((error: unknown) => {
      signal.throwIfAborted();
      if (!isServiceError(error)) throw error;
      return undefined;
    });
  return await beside.stateOf({ Key, VersionId, isLatest: current?.VersionId === VersionId });
}

/** Writes an object as it is to a stream, or to a file that appears once it is whole. */
export async function downloadPlain(
  { plain, signal }: TransferContext,
  address: ObjectToGet,
  target: ByteTarget,
  onBytes: OnBytes,
): Promise<Downloaded> {
  const { Body, ...answer } = await plain.send(new GetObjectCommand(address), { abortSignal: signal });
  const body = counted(Body as Readable, onBytes);
  if ("stream" in target) {
    await pipeline(body, target.stream, { signal });
    return answer;
  }
  await writeWholeFile(target.file, {
    length: answer.ContentLength,
    isProven: false,
    writeTo: (file) => writeFile(file, body, { signal }),
  });
  return answer;
}

/** Puts a plain object encrypted, with its headers, metadata and tags. */
export async function encryptPlain(
  { client, plain, call, parameters, signal }: TransferContext,
  from: ObjectToGet,
  to: { readonly Bucket: string; readonly Key: string },
  onBytes: OnBytes,
): Promise<Extract<TransferOutcome, { state: "done" }> & { readonly sourceTag: string }> {
  const { Body, ...head } = await plain.send(new GetObjectCommand({ ...from, ...parameters.getSource }), {
    abortSignal: signal,
  });
  const { ETag, ContentLength } = head;
  if (ETag === undefined) {
    throw new S3EncryptionError("unsupported-operation", "The store says no entity tag (ETag) of it.");
  }
  const { RequestPayer } = parameters.getSource;
  const tagged = { ...from, ...(RequestPayer && { RequestPayer }) };
  const { TagSet = [] } = (head.TagCount ?? 0) > 0 ? await plain.send(new GetObjectTaggingCommand(tagged)) : {};
  const tags = new URLSearchParams(TagSet.map(({ Key = "", Value = "" }): [string, string] => [Key, Value]));
  const kept = { ...headersOf(head), ...(tags.size === 0 ? {} : { Tagging: tags.toString() }) };
  const { length, answer } = await upload(
    client,
    { stream: Body as Readable },
    { ...kept, ...parameters.put(""), ...to },
    { call, signal, onProgress: onBytes, ...(ContentLength === undefined ? {} : { expectedSize: ContentLength }) },
  );
  return {
    state: "done",
    bytes: length,
    plain: "encrypted",
    sourceTag: ETag,
    ...(answer.ETag === undefined ? {} : { etag: answer.ETag }),
    ...(answer.VersionId === undefined ? {} : { versionId: answer.VersionId }),
  };
}

function headersOf(head: Omit<GetObjectCommandOutput, "Body">): Partial<Parameters<typeof upload>[2]> {
  const { Metadata, ContentType, CacheControl, ContentDisposition, ContentEncoding, ContentLanguage } = head;
  const { ExpiresString, StorageClass, WebsiteRedirectLocation } = head;
  const Expires = ExpiresString === undefined ? undefined : new Date(ExpiresString);
  const all = {
    Metadata,
    ContentType,
    CacheControl,
    ContentDisposition,
    ContentEncoding,
    ContentLanguage,
    StorageClass,
    WebsiteRedirectLocation,
    Expires: Expires === undefined || Number.isNaN(Expires.getTime()) ? undefined : Expires,
  };
  return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined));
}

async function* counted(body: AsyncIterable<Uint8Array>, onBytes: OnBytes): AsyncGenerator<Uint8Array> {
  let bytes = 0;
  for await (const chunk of body) {
    yield chunk;
    bytes += chunk.length;
    onBytes(bytes);
  }
}
