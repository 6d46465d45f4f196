import { randomUUID } from "node:crypto";
import { open, rename, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { GetObjectCommand, type GetObjectCommandOutput, GetObjectTaggingCommand } from "@aws-sdk/client-s3";
import { S3EncryptionError } from "@s3ec/materials";
import type { ByteTarget } from "../byte-target.js";
import type { Downloaded, ObjectToGet } from "../download.js";
import { upload } from "../upload.js";
import { FilesBeside } from "./files-beside.js";
import type { OnBytes, TransferContext, TransferOutcome } from "./transfer-context.js";

/** Whether an object that no format was found of is none of an encryption client's, nor a file beside one. */
export async function isPlainObject(
  { plain, suffixes, signal }: TransferContext,
  { Bucket, Key }: ObjectToGet,
): Promise<boolean> {
  const { state } = await new FilesBeside(plain, Bucket, { suffixes, abortSignal: signal }).stateOf({ Key });
  return state === "plain";
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
  const partial = join(dirname(target.file), `.s3ec-${randomUUID()}`);
  try {
    await using file = await open(partial, "wx");
    await writeFile(file, body, { signal });
    await file.sync();
    await rename(partial, target.file);
    return answer;
  } catch (error) {
    await rm(partial, { force: true });
    throw error;
  }
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
  const { TagSet = [] } = (head.TagCount ?? 0) > 0 ? await plain.send(new GetObjectTaggingCommand(from)) : {};
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
