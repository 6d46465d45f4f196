import type { PutObjectCommandInput } from "@aws-sdk/client-s3";
import { expect } from "chai";
import { siblingPut } from "../dist/write/sibling-put.js";

/** Everything that says who may see an object, who pays and owns, and how S3 keeps it. */
const SHARED = {
  ACL: "bucket-owner-full-control",
  BucketKeyEnabled: true,
  ChecksumAlgorithm: "SHA256",
  ExpectedBucketOwner: "111122223333",
  GrantFullControl: 'id="a"',
  GrantRead: 'id="b"',
  GrantReadACP: 'id="c"',
  GrantWriteACP: 'id="d"',
  ObjectLockEventHold: "ON",
  ObjectLockEventHoldDurationDays: 1,
  ObjectLockEventHoldDurationYears: 2,
  ObjectLockLegalHoldStatus: "ON",
  ObjectLockMode: "COMPLIANCE",
  ObjectLockRetainUntilDate: new Date(0),
  RequestPayer: "requester",
  SSECustomerAlgorithm: "AES256",
  SSECustomerKey: "key",
  SSECustomerKeyMD5: "md5",
  SSEKMSEncryptionContext: "e30=",
  SSEKMSKeyId: "key-1",
  ServerSideEncryption: "aws:kms",
  StorageClass: "STANDARD_IA",
  Tagging: "team=a",
} satisfies Partial<PutObjectCommandInput>;

describe("the put of a file beside an object", () => {
  it("shares with the object who may see it and how S3 keeps it, and nothing that is of its content (H28)", () => {
    const object: PutObjectCommandInput = {
      ...SHARED,
      Bucket: "bucket",
      Key: "key",
      Body: "content",
      CacheControl: "no-store",
      ChecksumSHA256: "of the content",
      ContentDisposition: "attachment",
      ContentEncoding: "gzip",
      ContentLength: 7,
      ContentMD5: "of the content",
      ContentType: "text/plain",
      IfMatch: "etag",
      IfNoneMatch: "*",
      Metadata: { color: "red" },
      WebsiteRedirectLocation: "/elsewhere",
    };
    const put = siblingPut(object, { suffix: ".instruction", body: "{}", metadata: { mark: "m" } });
    expect(put).to.deep.equal({
      ...SHARED,
      Bucket: "bucket",
      Key: "key.instruction",
      Body: "{}",
      ContentType: "application/json",
      Metadata: { mark: "m" },
    });
  });
});
