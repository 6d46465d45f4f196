import type { S3Client } from "@aws-sdk/client-s3";
import { recipientOfAnnotation } from "@s3ec/envelope";
import { type AnnotatedObject, AnnotationStore } from "../annotations/annotation-store.js";
import { carriedRecipients } from "../moving/carried-file.js";
import { type SeenAnnotations, seenAnnotations } from "../moving/seen-annotations.js";
import { plainClientOf } from "../plain-client.js";
import { isOfParts } from "../read/with-carried.js";

/** A wrapped key that is annotated to an object, as it says of itself. */
export interface AnnotatedWrap {
  /** Whose it is. */
  readonly recipient: string;
  /** The annotation's. */
  readonly name: string;
  /** JSON text: wrap, description, and what an audit asks for. */
  readonly text: string;
}

/** Wrapped keys in annotations, or why they are not known. */
export type AnnotatedWraps =
  | {
      readonly state: "listed";
      /** In the order of their names; those that are still to be put back after a copy in parts behind them. */
      readonly wraps: readonly AnnotatedWrap[];
    }
  /** The store has not shown that it knows annotations: it has none, if that is so of all its objects. */
  | { readonly state: "none" }
  /** They may not be listed, or this release of the SDK cannot. */
  | { readonly state: "unknown" };

/** The object, or version, whose wrapped keys are meant. */
export interface WrappedObject extends AnnotatedObject {
  /**
   * The entity tag of the current version: where that was stored in parts, those count, too, that are still to be put back to it
   * after a copy. Default: they do not count.
   */
  readonly ETag?: string | undefined;
}

/**
 * The wrapped keys that are annotated to an object, or to a version of it. Uses no key; the client may be one that encrypts,
 * or not.
 *
 * @throws S3EncryptionError `content-mismatch` while they are being moved; S3's own errors
 */
export async function annotatedWraps(
  client: S3Client,
  { abortSignal, ...object }: WrappedObject & { readonly abortSignal?: AbortSignal },
): Promise<AnnotatedWraps> {
  const listed = await listedWraps(plainClientOf(client), object, abortSignal, "anybody");
  if (listed.state !== "listed") return { state: listed.state };
  const wraps: AnnotatedWrap[] = [];
  for (const { recipient, name, read } of listed.wraps) {
    const text = await read();
    if (text !== undefined) wraps.push({ recipient, name, text });
  }
  return { state: "listed", wraps };
}

/** The same, not read yet. */
export type ListedWraps =
  | {
      readonly state: "listed";
      readonly wraps: readonly (Omit<AnnotatedWrap, "text"> & {
        /** Bytes. */
        readonly size: number;
        /** Undefined where it has gone since. */
        readonly read: () => Promise<string | undefined>;
      })[];
    }
  | Exclude<SeenAnnotations, { readonly state: "listed" }>;

/** @param by who looks, as of `seenAnnotations` */
export async function listedWraps(
  client: S3Client,
  { ETag, ...object }: WrappedObject,
  signal: AbortSignal | undefined,
  by: "anybody" | "mover",
): Promise<ListedWraps> {
  const store = new AnnotationStore(client, object, signal);
  const seen = await seenAnnotations(store, by);
  if (seen.state !== "listed") return seen;
  const { Bucket = "", Key = "", VersionId: _, ...owner } = object;
  const address = { ...owner, Bucket, Key };
  const carried = isOfParts(ETag) ? await carriedRecipients(client, address, signal) : new Map<string, string>();
  const there = new Set(seen.annotations.map(({ name }) => name));
  const missing = [...carried].filter(([name]) => !there.has(name));
  const found = [
    ...seen.annotations.map(({ name, size }) => ({ name, size, read: () => store.read(name) })),
    ...missing.map(([name, text]) => ({ name, size: Buffer.byteLength(text), read: async () => text })),
  ];
  const wraps = found.flatMap((each) => {
    const recipient = recipientOfAnnotation(each.name);
    return recipient === undefined ? [] : [{ ...each, recipient }];
  });
  return { state: "listed", wraps };
}
