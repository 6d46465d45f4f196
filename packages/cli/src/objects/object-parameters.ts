import { readFile } from "node:fs/promises";
import type { CopyObjectCommandInput, GetObjectCommandInput, PutObjectCommandInput } from "@aws-sdk/client-s3";
import { S3EncryptionError } from "@s3ec/materials";
import { lookup } from "mime-types";
import type { ObjectOptions, RequestOptions } from "./object-options.js";

type Put = Partial<Omit<PutObjectCommandInput, "Bucket" | "Key" | "Body">>;
type Get = Pick<GetObjectCommandInput, "RequestPayer" | "SSECustomerAlgorithm" | "SSECustomerKey">;
type Copy = Partial<Omit<CopyObjectCommandInput, "Bucket" | "Key" | "CopySource">>;

/** What requests say of objects, by what they do. */
export interface ObjectParameters {
  /** Of a put of what is called so. */
  readonly put: (name: string) => Put;
  readonly get: Get;
  readonly copy: Copy;
  /** Of a HEAD or GET of what is copied. */
  readonly getSource: Get;
}

/**
 * Turns options into what S3 is told.
 *
 * @throws S3EncryptionError `invalid-argument` for options that say nothing together
 */
export async function objectParameters(options: ObjectOptions & RequestOptions): Promise<ObjectParameters> {
  const described = describedBy(options);
  const customer = await customerKeyOf(options.sseC, options.sseCKey, "--sse-c");
  const source = await customerKeyOf(options.sseCCopySource, options.sseCCopySourceKey, "--sse-c-copy-source");
  const payer = options.requestPayer === undefined ? {} : { RequestPayer: "requester" as const };
  const stored = { ...storedAs(options), ...payer };
  const { metadataDirective, tags } = options;
  if (metadataDirective !== "REPLACE" && Object.keys(described).length > 0 && metadataDirective !== undefined) {
    throw new S3EncryptionError(
      "invalid-argument",
      "With --metadata-directive COPY a copy has its source's metadata and headers: leave the others out.",
    );
  }
  return {
    put: (name) => ({
      ...guessedType(name, options),
      ...described,
      ...stored,
      ...customer,
      ...(tags === undefined ? {} : { Tagging: tagging(tags) }),
      ...(options.overwrite === false ? { IfNoneMatch: "*" } : {}),
    }),
    get: { ...payer, ...customer },
    getSource: { ...payer, ...source },
    copy: {
      ...described,
      ...stored,
      ...customer,
      // What is given of a copy would be ignored beside the source's own.
      ...(metadataDirective === "REPLACE" || Object.keys(described).length > 0
        ? { MetadataDirective: "REPLACE" as const }
        : {}),
      ...(tags === undefined ? {} : { Tagging: tagging(tags), TaggingDirective: "REPLACE" as const }),
      ...(source.SSECustomerKey === undefined
        ? {}
        : { CopySourceSSECustomerAlgorithm: "AES256", CopySourceSSECustomerKey: source.SSECustomerKey }),
      ...(options.overwrite === false ? { IfNoneMatch: "*" } : {}),
    },
  };
}

function describedBy(options: ObjectOptions): Put {
  const { metadata, contentType, cacheControl, contentDisposition, contentEncoding, contentLanguage } = options;
  return defined({
    Metadata: metadata,
    ContentType: contentType,
    CacheControl: cacheControl,
    ContentDisposition: contentDisposition,
    ContentEncoding: contentEncoding,
    ContentLanguage: contentLanguage,
    Expires: options.expires,
    WebsiteRedirectLocation: options.websiteRedirect,
  });
}

function storedAs({ storageClass, acl, sse, sseKmsKeyId }: ObjectOptions): Put & Copy {
  return defined({
    StorageClass: storageClass as PutObjectCommandInput["StorageClass"],
    ACL: acl as PutObjectCommandInput["ACL"],
    ServerSideEncryption: (sse === true ? "AES256" : sse) as PutObjectCommandInput["ServerSideEncryption"],
    SSEKMSKeyId: sseKmsKeyId,
  });
}

/** As `aws` does, and as that says it in the clear: what kind of file was encrypted. */
function guessedType(name: string, { guessMimeType = true }: ObjectOptions): Put {
  const type = guessMimeType ? lookup(name) : false;
  return type === false ? {} : { ContentType: type };
}

async function customerKeyOf(
  algorithm: string | true | undefined,
  key: string | undefined,
  option: string,
): Promise<Pick<GetObjectCommandInput, "SSECustomerAlgorithm" | "SSECustomerKey">> {
  if (algorithm === undefined && key === undefined) return {};
  if (algorithm === undefined || key === undefined) {
    throw new S3EncryptionError("invalid-argument", `${option} and ${option}-key are said together.`);
  }
  const bytes = key.startsWith("fileb://") ? await readFile(key.slice("fileb://".length)) : Buffer.from(key, "base64");
  if (bytes.length !== 32) {
    throw new S3EncryptionError(
      "invalid-argument",
      `${option}-key must be 32 bytes, and its file has ${bytes.length}.`,
    );
  }
  return { SSECustomerAlgorithm: "AES256", SSECustomerKey: bytes.toString("base64") };
}

function tagging(tags: Readonly<Record<string, string>>): string {
  return Object.entries(tags)
    .map((pair) => pair.map(encodeURIComponent).join("="))
    .join("&");
}

type Defined<Fields> = { -readonly [Name in keyof Fields]?: Exclude<Fields[Name], undefined> };

function defined<Fields extends object>(fields: Fields): Defined<Fields> {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as Defined<Fields>;
}
