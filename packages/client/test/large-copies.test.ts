import {
  CopyObjectCommand,
  type CopyObjectCommandInput,
  GetObjectAclCommand,
  GetObjectTaggingCommand,
  HeadObjectCommand,
  PutBucketVersioningCommand,
  PutObjectAnnotationCommand,
  PutObjectCommand,
  type PutObjectCommandInput,
  PutObjectTaggingCommand,
  type S3Client,
} from "@aws-sdk/client-s3";
import type { S3EncryptionClient } from "@s3ec/client";
import { startDevServer } from "@s3ec/dev-server";
import { expect } from "chai";
import { withCallOptions } from "../dist/call-options.js";
import { copyObject } from "../dist/commands/copy-object.js";
import { encryptionOf, plainClientOf } from "../dist/plain-client.js";
import { type KeepOptions, readKept } from "../dist/restate/kept-object.js";
import { partLengths } from "../dist/restate/part-copies.js";
import { restateObject } from "../dist/restate/restate-object.js";
import { BUCKET, bytesOfLength, Fixture, get, refusal, TEST_KEYRING } from "./fixture.js";
import { errorOf } from "./transfers.js";

const MiB = 1024 ** 2;
const LIMIT = { copyLimit: 5 * MiB };
const content = bytesOfLength(11 * MiB);
const NEW = { "x-amz-w": "new" };

describe("copies of what S3 does not copy in one request", () => {
  let fixture: Fixture;
  let client: S3EncryptionClient;
  let plain: S3Client;
  before(async () => {
    fixture = await Fixture.start();
    client = fixture.client();
    plain = plainClientOf(client);
  });
  after(() => fixture.close());
  beforeEach(() => fixture.server.clearRequests());
  afterEach(() => fixture.server.faults.clear());

  const store = (Key: string, more: Partial<PutObjectCommandInput> = {}) =>
    client.send(new PutObjectCommand({ Bucket: BUCKET, Key, Body: content, Metadata: { mine: "1" }, ...more }));
  const head = (Key: string) => plain.send(new HeadObjectCommand({ Bucket: BUCKET, Key, ChecksumMode: "ENABLED" }));
  const count = (operation: string): number =>
    fixture.server.requests.filter((request) => request.operation === operation).length;
  async function expectContent(key: string): Promise<void> {
    const { Body } = await client.send(get(key));
    expect(Buffer.from((await Body?.transformToByteArray()) ?? []).equals(content)).to.equal(true);
  }
  /** As the command, by a store whose limit a test can reach. */
  async function copy(from: string, Key: string, more: Partial<CopyObjectCommandInput> = {}) {
    const input = { Bucket: BUCKET, Key, CopySource: `${BUCKET}/${from}`, ...more };
    const next = async (single: CopyObjectCommandInput) => ({
      output: await plain.send(new CopyObjectCommand(single)),
      response: undefined,
    });
    const { output } = await copyObject(
      encryptionOf(client, undefined),
      withCallOptions(input, {}),
      next,
      client,
      LIMIT,
    );
    return output;
  }
  async function restate(key: string, options: KeepOptions = {}) {
    const all = { ...LIMIT, settleTime: 0, ...options };
    const kept = await readKept(plain, { Bucket: BUCKET, Key: key }, all);
    return restateObject(plain, kept, { metadata: { ...kept.metadata, ...NEW }, own: NEW }, all);
  }
  const DESCRIBED = {
    ContentType: "text/plain",
    CacheControl: "no-store",
    Expires: new Date(1_900_000_000_000),
    Tagging: "a=1&b=x%20y",
  };

  it("have parts enough, and another number of them than the source", () => {
    const lengths = (ContentLength: number, ETag: string, partLength?: number) =>
      partLengths({ ContentLength, ETag, $metadata: {} }, partLength);
    for (const [length, tag, part] of [
      [6 * 1024 ** 3, '"x"', undefined],
      [6 * 1024 ** 3, '"x-12"', undefined],
      [5 * 1024 ** 4, '"x-10000"', 600 * MiB],
      [5 * 1024 ** 4, '"x-9999"', 5 * MiB],
      [11 * MiB, '"x-3"', 5 * MiB],
    ] as const) {
      const parts = lengths(length, tag, part);
      expect(parts.reduce((sum, each) => sum + each, 0)).to.equal(length);
      expect(parts.length).to.be.within(1, 10_000);
      expect(`"x-${parts.length}"`).not.to.equal(tag);
      expect(parts.slice(0, -1).every((each) => each >= 5 * MiB && each === parts[0])).to.equal(true);
      expect(Math.max(...parts)).to.be.at.most(5 * 1024 ** 3);
    }
  });

  it("are whole, and take along what S3 does in one request", async () => {
    await store("from", { ...DESCRIBED, ChecksumAlgorithm: "SHA256" });
    const { CopyObjectResult } = await copy("from", "to");
    await expectContent("to");
    const [before, now] = [await head("from"), await head("to")];
    expect(CopyObjectResult?.ETag).to.equal(now.ETag).and.to.match(/-3"$/);
    expect(now.Metadata).to.deep.equal(before.Metadata);
    for (const name of ["ContentType", "CacheControl", "ContentLength", "TagCount"] as const) {
      expect(now[name], name).to.deep.equal(before[name]);
    }
    expect([now.Expires?.getTime(), now.ChecksumSHA256?.slice(-2)]).to.deep.equal([before.Expires?.getTime(), "-3"]);
    const { TagSet } = await plain.send(new GetObjectTaggingCommand({ Bucket: BUCKET, Key: "to" }));
    expect(TagSet).to.deep.equal([
      { Key: "a", Value: "1" },
      { Key: "b", Value: "x y" },
    ]);
    expect(count("UploadPartCopy")).to.equal(3);
  });

  it("replace metadata, headers and tags where they are told to, at another key and in place", async () => {
    await store("replace", DESCRIBED);
    const replacing = {
      MetadataDirective: "REPLACE",
      Metadata: { mine: "2" },
      ContentType: "text/html",
      TaggingDirective: "REPLACE",
      Tagging: "c=2",
    } as const;
    for (const key of ["replaced", "replace"]) {
      await copy("replace", key, replacing);
      await expectContent(key);
      const now = await head(key);
      expect([now.Metadata?.mine, now.ContentType, now.CacheControl, now.TagCount]).to.deep.equal([
        "2",
        "text/html",
        undefined,
        1,
      ]);
    }
    expect(count("CopyObject")).to.equal(0);
  });

  it("are of the version that is named, with what only that has", async () => {
    const Bucket = BUCKET;
    await plain.send(new PutBucketVersioningCommand({ Bucket, VersioningConfiguration: { Status: "Enabled" } }));
    const { VersionId } = await store("versions", DESCRIBED);
    await client.send(new PutObjectCommand({ Bucket, Key: "versions", Body: "newer" }));
    await copy(`versions?versionId=${VersionId}`, "version-copy");
    await expectContent("version-copy");
    expect((await head("version-copy")).TagCount).to.equal(2);
    await plain.send(new PutBucketVersioningCommand({ Bucket, VersioningConfiguration: { Status: "Suspended" } }));
  });

  it("restate an object, with everything about it, by another entity tag", async () => {
    await store("own", { ...DESCRIBED, ChecksumAlgorithm: "CRC32", ACL: "public-read", StorageClass: "STANDARD_IA" });
    const before = await head("own");
    for (const parts of [3, 2, 3]) {
      const { changed, head: now } = await restate("own");
      expect(now.ETag).to.match(new RegExp(`-${parts}"$`));
      expect(changed).to.include("etag");
      expect(now.Metadata).to.deep.equal({ ...before.Metadata, ...NEW });
      for (const name of ["ContentType", "CacheControl", "StorageClass", "ContentLength", "TagCount"] as const) {
        expect(now[name], name).to.deep.equal(before[name]);
      }
      expect([now.ChecksumType, now.ChecksumCRC32]).to.deep.equal([before.ChecksumType, before.ChecksumCRC32]);
    }
    const { Grants = [] } = await plain.send(new GetObjectAclCommand({ Bucket: BUCKET, Key: "own" }));
    expect(Grants).to.have.length(2);
    const { body } = await fixture.stored("own");
    expect(body.length).to.equal(before.ContentLength);
  });

  describe("leave no upload and change nothing where", () => {
    const expectNothing = async (key: string, etag: string | undefined): Promise<void> => {
      expect(fixture.server.openUploads).to.deep.equal([]);
      expect((await head(key)).ETag).to.equal(etag);
    };

    it("a part fails", async () => {
      await store("part");
      const { ETag } = await head("part");
      fixture.server.faults.add({ operation: "UploadPartCopy", partNumber: 2, status: 403, code: "AccessDenied" });
      expect(await errorOf(restate("part"))).to.have.property("name", "AccessDenied");
      expect(await errorOf(copy("part", "part-copy"))).to.have.property("name", "AccessDenied");
      await expectNothing("part", ETag);
      expect(await fixture.keys("part-copy")).to.deep.equal([]);
    });

    it("the object is replaced between two parts, or before the last request", async () => {
      for (const held of [{ operation: "UploadPartCopy", partNumber: 3 }, { operation: "CompleteMultipartUpload" }]) {
        await store("replaced-source");
        const pause = fixture.server.faults.pause(held);
        const restating = refusal(restate("replaced-source"));
        await pause.reached;
        const { ETag } = await client.send(
          new PutObjectCommand({ Bucket: BUCKET, Key: "replaced-source", Body: "newer" }),
        );
        pause.release();
        expect((await restating).code).to.equal("content-mismatch");
        await expectNothing("replaced-source", ETag);
      }
    });

    it("metadata, tags or the lists change meanwhile", async () => {
      const at = { Bucket: BUCKET, Key: "changed" };
      const changes: (() => Promise<unknown>)[] = [
        () => plain.send(new PutObjectTaggingCommand({ ...at, Tagging: { TagSet: [{ Key: "new", Value: "1" }] } })),
        () =>
          plain.send(
            new CopyObjectCommand({
              ...at,
              CopySource: `${BUCKET}/changed`,
              MetadataDirective: "REPLACE",
              Metadata: { "x-amz-w": "theirs" },
            }),
          ),
      ];
      for (const change of changes) {
        await store("changed");
        const { ETag } = await head("changed");
        const pause = fixture.server.faults.pause({ operation: "UploadPartCopy", partNumber: 3 });
        const restating = refusal(restate("changed"));
        await pause.reached;
        await change();
        pause.release();
        expect((await restating).code).to.equal("content-mismatch");
        await expectNothing("changed", ETag);
      }
    });

    it("tags or annotations of the source come meanwhile, which a move would lose: elsewhere, and in place", async () => {
      const at = { Bucket: BUCKET, Key: "coming" };
      const TagSet = [{ Key: "new", Value: "1" }];
      const changes: (() => Promise<unknown>)[] = [
        () => plain.send(new PutObjectTaggingCommand({ ...at, Tagging: { TagSet } })),
        () => plain.send(new PutObjectAnnotationCommand({ ...at, AnnotationName: "note", AnnotationPayload: "text" })),
      ];
      const replaced = { MetadataDirective: "REPLACE", Metadata: { mine: "2" } } as const;
      for (const change of changes) {
        for (const [Key, more] of [
          ["gone", {}],
          ["coming", replaced],
        ] as const) {
          await store("coming");
          const { ETag } = await head("coming");
          const pause = fixture.server.faults.pause({ operation: "UploadPartCopy", partNumber: 3 });
          const copying = refusal(copy("coming", Key, more));
          await pause.reached;
          await change();
          pause.release();
          expect((await copying).code, Key).to.equal("content-mismatch");
          await expectNothing("coming", ETag);
          expect(await fixture.keys("gone")).to.deep.equal([]);
        }
      }
    });

    it("annotations may not be listed, unless they may get lost by name", async () => {
      await store("noted");
      const deny = { operation: "ListObjectAnnotations", status: 403, code: "AccessDenied" };
      fixture.server.faults.add(deny);
      expect((await refusal(restate("noted"))).message).to.match(/may not be read/);
      const { message } = await refusal(copy("noted", "noted-copy"));
      expect(message)
        .to.match(/may not be read/)
        .and.contain('AnnotationDirective: "EXCLUDE"')
        .and.not.contain("allowLoss");
      await copy("noted", "noted-copy", { AnnotationDirective: "EXCLUDE" });
      await expectContent("noted-copy");
      expect((await restate("noted", { allowLoss: ["annotations"] })).changed).to.include("annotations");
    });

    it("tags may not be read", async () => {
      await store("tagged", DESCRIBED);
      fixture.server.faults.add({ operation: "GetObjectTagging", status: 403, code: "AccessDenied" });
      expect((await refusal(restate("tagged"))).message).to.match(/allowLoss: \["tags"\]/);
      expect(count("CreateMultipartUpload")).to.equal(0);
    });
  });

  it("are a success when the answer to the last request was lost, and unknown when it may still come", async () => {
    await store("lost");
    fixture.server.faults.add({ operation: "CompleteMultipartUpload", performed: true, times: 1 });
    expect((await restate("lost")).head.Metadata).to.include(NEW);
    await store("lost");
    fixture.server.faults.add({ operation: "CompleteMultipartUpload", cutAfterBytes: 0, times: 1 });
    expect((await refusal(restate("lost"))).code).to.equal("outcome-unknown");
    await expectContent("lost");
  });

  for (const annotations of ["refused", "ignored"] as const) {
    it(`need no annotations of a store that has none (${annotations}), and read no object in place of their list`, async () => {
      await using server = await startDevServer({ buckets: [BUCKET], fsync: false, annotations });
      const { S3EncryptionClient: Client } = await import("@s3ec/client");
      const s3 = fixture.track(
        new Client({ ...server.clientConfig, maxAttempts: 1, encryption: { keyring: TEST_KEYRING } }),
      );
      await s3.send(new PutObjectCommand({ Bucket: BUCKET, Key: "k", Body: content }));
      const other = plainClientOf(s3);
      const all = { ...LIMIT, settleTime: 0 };
      const kept = await readKept(other, { Bucket: BUCKET, Key: "k" }, all);
      const { head: now } = await restateObject(other, kept, { metadata: { ...kept.metadata, ...NEW }, own: NEW }, all);
      expect(now.Metadata).to.include(NEW);
    });
  }

  it("remove what a copy that broke off has left at the same place, also where they have no annotations themselves", async () => {
    const note = { Bucket: BUCKET, Key: "noted-source", AnnotationName: "note", AnnotationPayload: "text" };
    await store("noted-source");
    await plain.send(new PutObjectAnnotationCommand(note));
    fixture.server.faults.add({ operation: "CompleteMultipartUpload", cutAfterBytes: 0, times: 1 });
    await errorOf(copy("noted-source", "place"));
    expect(await fixture.keys("place")).to.deep.equal(["place.s3ec-annotations"]);
    await store("bare-source");
    await copy("bare-source", "place");
    await expectContent("place");
    expect(await fixture.keys("place")).to.deep.equal(["place"]);
  });

  it("have a limit that is one", async () => {
    for (const copyLimit of [0, Number.NaN, 6 * 1024 ** 3]) {
      await store("limit", { Body: "x" });
      expect((await refusal(restate("limit", { copyLimit }))).message).to.match(/copyLimit/);
    }
  });
});
