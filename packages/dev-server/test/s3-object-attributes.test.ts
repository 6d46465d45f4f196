import { createHash, randomBytes } from "node:crypto";
import {
  CompleteMultipartUploadCommand,
  CopyObjectCommand,
  CreateMultipartUploadCommand,
  GetObjectAclCommand,
  GetObjectAttributesCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListMultipartUploadsCommand,
  PutObjectAclCommand,
  PutObjectAnnotationCommand,
  PutObjectCommand,
  UploadPartCommand,
} from "@aws-sdk/client-s3";
import { Upload } from "@aws-sdk/lib-storage";
import { expect } from "chai";
import { Bucket, type Fixture, pattern, refusal, sendRaw, startFixture } from "./fixture.js";

const Key = "k";
const everyone = "http://acs.amazonaws.com/groups/global/AllUsers";

describe("what is said about objects", () => {
  let fixture: Fixture;
  beforeEach(async () => {
    fixture = await startFixture();
  });
  afterEach(async () => fixture[Symbol.asyncDispose]());

  const put = (more: object = {}) => fixture.s3.send(new PutObjectCommand({ Bucket, Key, Body: "hello", ...more }));
  const head = (more: object = {}) => fixture.s3.send(new HeadObjectCommand({ Bucket, Key, ...more }));
  const get = (more: object = {}) => fixture.s3.send(new GetObjectCommand({ Bucket, Key, ...more }));
  const copy = (more: object = {}) =>
    fixture.s3.send(new CopyObjectCommand({ Bucket, Key: "copy", CopySource: `${Bucket}/${Key}`, ...more }));

  describe("access control lists", () => {
    const grants = async (key = Key): Promise<readonly (readonly (string | undefined)[])[]> => {
      const { Grants = [], Owner } = await fixture.s3.send(new GetObjectAclCommand({ Bucket, Key: key }));
      expect(Owner?.ID).to.equal("s3ec-dev-server");
      return Grants.map(({ Grantee, Permission }) => [Grantee?.Type, Grantee?.ID ?? Grantee?.URI, Permission]);
    };
    const owner = ["CanonicalUser", "s3ec-dev-server", "FULL_CONTROL"];

    it("give all to the owner, come with a put, and are not copied", async () => {
      await put();
      expect(await grants()).to.deep.equal([owner]);
      await put({ ACL: "public-read" });
      expect(await grants()).to.deep.equal([owner, ["Group", everyone, "READ"]]);
      await copy();
      expect(await grants("copy")).to.deep.equal([owner]);
      expect(await refusal(put({ ACL: "other" }))).to.equal("InvalidArgument 400");
    });

    it("are replaced by name or grant by grant", async () => {
      await put();
      const setAcl = (more: object) => fixture.s3.send(new PutObjectAclCommand({ Bucket, Key, ...more }));
      await setAcl({ ACL: "public-read" });
      expect(await grants()).to.have.length(2);
      const Grants = [{ Grantee: { Type: "CanonicalUser", ID: "partner" }, Permission: "READ_ACP" }];
      await setAcl({ AccessControlPolicy: { Owner: { ID: "s3ec-dev-server" }, Grants } });
      expect(await grants()).to.deep.equal([["CanonicalUser", "partner", "READ_ACP"]]);
      const wrong = [{ Grantee: { Type: "CanonicalUser", ID: "partner" }, Permission: "ALL" }];
      expect(await refusal(setAcl({ AccessControlPolicy: { Grants: wrong } }))).to.equal("MalformedXML 400");
      expect(await refusal(setAcl({}))).to.match(/ 400$/);
    });

    it("come grantee by grantee with a put or a copy, which then has no other", async () => {
      const given = { GrantFullControl: 'id="s3ec-dev-server"', GrantRead: `uri="${everyone}", id=partner` };
      const expected = [owner, ["Group", everyone, "READ"], ["CanonicalUser", "partner", "READ"]];
      await put(given);
      expect(await grants()).to.deep.equal(expected);
      await copy(given);
      expect(await grants("copy")).to.deep.equal(expected);
      expect(await refusal(put({ GrantRead: "everyone" }))).to.equal("InvalidArgument 400");
      expect(await refusal(put({ GrantRead: "id=partner", ACL: "private" }))).to.equal("InvalidRequest 400");
    });
  });

  describe("keys of the customer", () => {
    const keyOf = (SSECustomerKey: Buffer) => ({
      SSECustomerAlgorithm: "AES256",
      SSECustomerKey: SSECustomerKey.toString("base64"),
      SSECustomerKeyMD5: createHash("md5").update(SSECustomerKey).digest("base64"),
    });
    const [key, other] = [keyOf(randomBytes(32)), keyOf(randomBytes(32))];

    it("are needed to read what was put with them", async () => {
      const output = await put(key);
      expect(output).to.include({ SSECustomerAlgorithm: "AES256", SSECustomerKeyMD5: key.SSECustomerKeyMD5 });
      const { Body, SSECustomerKeyMD5 } = await get(key);
      expect(await Body?.transformToString()).to.equal("hello");
      expect(SSECustomerKeyMD5).to.equal(key.SSECustomerKeyMD5);
      expect(await refusal(get())).to.equal("InvalidRequest 400");
      expect(await refusal(get(other))).to.equal("AccessDenied 403");
      expect(await refusal(head(other))).to.match(/403$/);
      const annotation = new PutObjectAnnotationCommand({ Bucket, Key, AnnotationName: "a", AnnotationPayload: "x" });
      expect(await refusal(fixture.s3.send(annotation))).to.equal("InvalidRequest 400");
      await put();
      expect(await refusal(get(key))).to.equal("InvalidRequest 400");
    });

    it("are needed to copy it, and may be another for the copy", async () => {
      await put(key);
      const from = Object.fromEntries(Object.entries(key).map(([name, value]) => [`CopySource${name}`, value]));
      expect(await refusal(copy())).to.equal("InvalidRequest 400");
      await copy(from);
      await head({ Key: "copy" });
      await copy({ ...from, ...other });
      expect(await refusal(head({ Key: "copy" }))).to.match(/400$/);
      await head({ Key: "copy", ...other });
    });

    it("are needed for every part of an upload", async () => {
      const { UploadId } = await fixture.s3.send(new CreateMultipartUploadCommand({ Bucket, Key, ...key }));
      const part = { Bucket, Key, UploadId, PartNumber: 1, Body: "x" };
      expect(await refusal(fixture.s3.send(new UploadPartCommand(part)))).to.equal("InvalidRequest 400");
      const { ETag } = await fixture.s3.send(new UploadPartCommand({ ...part, ...key }));
      const MultipartUpload = { Parts: [{ PartNumber: 1, ETag }] };
      await fixture.s3.send(new CompleteMultipartUploadCommand({ Bucket, Key, UploadId, MultipartUpload }));
      await head(key);
    });

    it("are refused when they are none, or not the one that their MD5 says", async () => {
      const header = "x-amz-server-side-encryption-customer-";
      const send = async (changed: object): Promise<string> => {
        const { SSECustomerAlgorithm, SSECustomerKey, SSECustomerKeyMD5 } = { ...key, ...changed };
        const headers = {
          [`${header}algorithm`]: SSECustomerAlgorithm,
          [`${header}key`]: SSECustomerKey,
          [`${header}key-md5`]: SSECustomerKeyMD5,
        };
        return (await sendRaw(fixture.server, { method: "PUT", path: `/${Bucket}/k`, headers })).code;
      };
      expect(await send({})).to.equal("");
      expect(await send({ SSECustomerAlgorithm: "AES128" })).to.equal("InvalidEncryptionAlgorithmError");
      expect(await send({ SSECustomerKeyMD5: other.SSECustomerKeyMD5 })).to.equal("InvalidArgument");
      expect(await send(keyOf(randomBytes(16)))).to.equal("InvalidArgument");
    });
  });

  it("names of server-side encryption are kept, and the context is told by the put alone", async () => {
    const SSEKMSEncryptionContext = Buffer.from("{}").toString("base64");
    for (const ServerSideEncryption of ["AES256", "aws:kms", "aws:kms:dsse"] as const) {
      const output = await put({ ServerSideEncryption, SSEKMSKeyId: "id", SSEKMSEncryptionContext });
      expect(output).to.include({ ServerSideEncryption, SSEKMSKeyId: "id", SSEKMSEncryptionContext });
      const raw = await sendRaw(fixture.server, { method: "GET", path: `/${Bucket}/k` });
      expect(raw.headers).to.include({ "x-amz-server-side-encryption": ServerSideEncryption });
      expect(raw.headers).not.to.have.property("x-amz-server-side-encryption-context");
    }
    expect(await refusal(put({ ServerSideEncryption: "other" }))).to.equal("InvalidEncryptionAlgorithmError 400");
  });

  it("archived objects are described, and neither read nor copied", async () => {
    for (const StorageClass of ["GLACIER", "DEEP_ARCHIVE"] as const) {
      await put({ StorageClass });
      expect((await head()).StorageClass).to.equal(StorageClass);
      expect(await refusal(get())).to.equal("InvalidObjectState 403");
      expect(await refusal(copy())).to.equal("InvalidObjectState 403");
    }
    await put({ StorageClass: "GLACIER_IR" });
    await get();
  });

  it("attributes are answered as they are asked for", async () => {
    const attributes = (...ObjectAttributes: ("ETag" | "Checksum" | "ObjectParts" | "StorageClass" | "ObjectSize")[]) =>
      fixture.s3.send(new GetObjectAttributesCommand({ Bucket, Key, ObjectAttributes }));
    await put({ StorageClass: "STANDARD_IA" });
    const all = await attributes("ETag", "Checksum", "ObjectParts", "StorageClass", "ObjectSize");
    expect(all).to.deep.include({
      ETag: "5d41402abc4b2a76b9719d911017c592",
      Checksum: { ChecksumCRC32: "NhCmhg==", ChecksumType: "FULL_OBJECT" },
      StorageClass: "STANDARD_IA",
      ObjectSize: 5,
    });
    expect(all.ObjectParts).to.equal(undefined);
    expect((await attributes("ObjectSize")).ETag).to.equal(undefined);
    await new Upload({ client: fixture.s3, params: { Bucket, Key, Body: pattern(11_000_000) } }).done();
    const { ObjectParts } = await attributes("ObjectParts");
    expect(ObjectParts?.TotalPartsCount).to.equal(3);
    expect(ObjectParts?.Parts?.map(({ PartNumber, Size }) => [PartNumber, Size])).to.deep.equal([
      [1, 5_242_880],
      [2, 5_242_880],
      [3, 514_240],
    ]);
  });

  it("uploads in progress are listed in the order of their keys", async () => {
    const start = async (key: string) =>
      (await fixture.s3.send(new CreateMultipartUploadCommand({ Bucket, Key: key }))).UploadId;
    const list = (more: object = {}) => fixture.s3.send(new ListMultipartUploadsCommand({ Bucket, ...more }));
    const [b, first, second] = [await start("b"), await start("a/1"), await start("a/1")];
    const found: (string | undefined)[] = [];
    let markers: { KeyMarker?: string | undefined; UploadIdMarker?: string | undefined } = {};
    for (let page = 0; page < 3; page++) {
      const output = await list({ MaxUploads: 1, ...markers });
      found.push(...(output.Uploads ?? []).map(({ UploadId }) => UploadId));
      expect(output.IsTruncated).to.equal(page < 2);
      markers = { KeyMarker: output.NextKeyMarker, UploadIdMarker: output.NextUploadIdMarker };
    }
    expect(found).to.deep.equal([first, second, b]);
    expect((await list({ Prefix: "a/" })).Uploads).to.have.length(2);
    expect((await list({ Delimiter: "/" })).CommonPrefixes).to.deep.equal([{ Prefix: "a/" }]);
    expect((await list()).Uploads?.[0]?.Initiated).to.be.a("date");
  });
});
