import { createHash } from "node:crypto";
import { Readable } from "node:stream";
import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  GetObjectCommand,
  HeadObjectCommand,
  UploadPartCommand,
  UploadPartCopyCommand,
} from "@aws-sdk/client-s3";
import { getSignedUrl } from "@aws-sdk/s3-request-presigner";
import { AwsMessageFormat } from "@s3ec/format-aws-message";
import { S3Format } from "@s3ec/format-s3";
import { MultiKeyring } from "@s3ec/keyring-multi";
import { RawAesKeyring } from "@s3ec/keyring-raw-aes";
import { expect } from "chai";
import { BUCKET, bytesOfLength, chunksOf, Fixture, refusal, TEST_KEYRING } from "./fixture.js";
import { DrivenUpload, MiB } from "./multipart.js";
import { busySockets, errorOf, retryingClient, until } from "./transfers.js";

/** Above S3's least, and no whole blocks of the cipher: the ends of parts share them. */
const PART = 5 * MiB + 9;

describe("the commands of a multipart upload", () => {
  const content = bytesOfLength(3 * PART + 31);
  let fixture: Fixture;
  before(async () => {
    fixture = await Fixture.start();
  });
  after(() => fixture.close());
  afterEach(() => fixture.server.faults.clear());

  function partOf(number: number, length = PART): Buffer {
    return content.subarray((number - 1) * PART, (number - 1) * PART + length);
  }

  async function read(Key: string): Promise<Buffer> {
    const { Body } = await fixture.client().send(new GetObjectCommand({ Bucket: BUCKET, Key }));
    return Buffer.from((await Body?.transformToByteArray()) ?? []);
  }

  function sent(key: string): string[] {
    return fixture.server.requests.filter((request) => request.key === key).map(({ operation }) => operation);
  }

  it("make one object of parts that come in any order and at the same time", async () => {
    const upload = await DrivenUpload.create(fixture.client(), "any-order", { Metadata: { mine: "kept" } });
    const lengths: [number, number][] = [
      [4, 31],
      [3, PART],
      [2, PART],
      [1, PART],
    ];
    await Promise.all(lengths.map(([number, length]) => upload.part(number, partOf(number, length))));
    const output = await upload.complete();
    expect(output.ETag).to.match(/-4"$/);
    expect(Object.keys(output).filter((name) => name.startsWith("ChecksumC"))).to.deep.equal([]);
    const stored = await fixture.stored("any-order");
    expect(stored.body.length).to.equal(content.length + 16);
    expect(stored.body.includes(content.subarray(0, 64))).to.equal(false);
    expect(stored.metadata).to.include({ mine: "kept" });
    expect((await read("any-order")).equals(content)).to.equal(true);
    expect(fixture.server.openUploads).to.deep.equal([]);
  });

  it("send the tag in a part of its own behind a last part that is full", async () => {
    const upload = await DrivenUpload.create(fixture.client(), "full");
    for (const number of [1, 2]) await upload.part(number, partOf(number));
    expect((await upload.complete()).ETag).to.match(/-3"$/);
    expect((await read("full")).equals(content.subarray(0, 2 * PART))).to.equal(true);
  });

  it("hold a short part until the end, and behind it its neighbour of another length", async () => {
    const upload = await DrivenUpload.create(fixture.client(), "uneven");
    const lengths = [PART + MiB, PART, PART + 2, 7];
    const pieces = lengths.map((length, index) => bytesOfLength(length + index).subarray(index));
    await upload.part(1, pieces[0] ?? "");
    const held = await upload.part(2, pieces[1] ?? "");
    expect(sent("uneven").filter((name) => name === "UploadPart").length).to.equal(1);
    await upload.part(3, pieces[2] ?? "");
    expect(sent("uneven").filter((name) => name === "UploadPart").length).to.equal(2);
    // Sent by now, and named as before.
    expect(await upload.part(2, pieces[1] ?? "")).to.equal(held);
    await upload.part(4, pieces[3] ?? "");
    expect((await upload.parts()).Parts?.map(({ ETag, Size }) => [ETag, Size])).to.deep.equal(
      upload.list.map(({ ETag }, index) => [ETag, lengths[index]]),
    );
    expect(upload.list[1]?.ETag).to.equal(held);
    await upload.complete();
    expect((await read("uneven")).equals(Buffer.concat(pieces))).to.equal(true);
  });

  it("send what was held once, for all parts that come behind it at the same time", async () => {
    const upload = await DrivenUpload.create(fixture.client(), "held-once");
    const lengths = [PART + MiB, PART, PART + 2, 7];
    const pieces = lengths.map((length, index) => bytesOfLength(length + index).subarray(index));
    await upload.part(1, pieces[0] ?? "");
    await upload.part(2, pieces[1] ?? "");
    fixture.server.faults.add({ operation: "UploadPart", key: "held-once", delayMs: 50 });
    await Promise.all([3, 4].map((number) => upload.part(number, pieces[number - 1] ?? "")));
    const numbers = () =>
      fixture.server.requests
        .filter(({ operation, key }) => operation === "UploadPart" && key === "held-once")
        .map(({ query }) => query?.["partNumber"]);
    expect(numbers()).to.deep.equal(["1", "2", "3"]);
    await upload.complete();
    expect(numbers()).to.deep.equal(["1", "2", "3", "4"]);
    expect((await read("held-once")).equals(Buffer.concat(pieces))).to.equal(true);
  });

  it("send what was held again where that failed, whichever part comes behind it", async () => {
    const upload = await DrivenUpload.create(fixture.client(), "held-failed");
    const lengths = [PART + MiB, PART, PART + 2];
    const pieces = lengths.map((length, index) => bytesOfLength(length + index).subarray(index));
    await upload.part(1, pieces[0] ?? "");
    await upload.part(2, pieces[1] ?? "");
    fixture.server.faults.add({ operation: "UploadPart", partNumber: 2, status: 503, code: "SlowDown", times: 1 });
    expect((await errorOf(upload.part(3, pieces[2] ?? ""))).name).to.equal("SlowDown");
    await upload.part(3, pieces[2] ?? "");
    await upload.complete();
    expect((await read("held-failed")).equals(Buffer.concat(pieces))).to.equal(true);
  });

  it("end what is held and on its way with the last call that waits for it, and with the upload", async () => {
    const upload = await DrivenUpload.create(retryingClient(fixture), "held-hangs");
    const pieces = [PART + MiB, PART, PART + 2].map((length, index) => bytesOfLength(length + index).subarray(index));
    const [first = "", held = "", behind = ""] = pieces;
    await upload.part(1, first);
    await upload.part(2, held);
    const hang = () => fixture.server.faults.pause({ operation: "UploadPart", key: "held-hangs", partNumber: 2 });
    const caller = new AbortController();
    const hanging = hang();
    const aborted = errorOf(upload.part(3, behind, {}, caller.signal));
    await hanging.reached;
    caller.abort();
    expect((await aborted).name).to.equal("AbortError");
    await until(() => busySockets() === 0);
    const again = hang();
    const ended = refusal(upload.part(3, behind));
    await again.reached;
    await upload.abort();
    expect((await ended).message).to.include("This upload has ended");
    await until(() => busySockets() === 0);
  });

  it("leave the stream of one part alone where another is given it, too", async () => {
    const upload = await DrivenUpload.create(fixture.client(), "one-stream");
    const stream = Readable.from([partOf(1, 2 * MiB), partOf(1).subarray(2 * MiB)]);
    const more = { ContentLength: PART };
    const first = upload.part(1, stream, more);
    expect((await refusal(upload.part(2, stream, more))).message).to.match(/was given to a put before/);
    await first;
    await upload.complete();
    expect((await read("one-stream")).equals(partOf(1))).to.equal(true);
  });

  it("make an object of one part, of one byte too", async () => {
    const upload = await DrivenUpload.create(fixture.client(), "one");
    await upload.part(1, Buffer.from("x"));
    expect(sent("one")).to.deep.equal(["CreateMultipartUpload"]);
    await upload.complete();
    expect((await read("one")).toString()).to.equal("x");
  });

  it("hold part 10,000, behind which there is no room for the tag", async () => {
    const upload = await DrivenUpload.create(fixture.client(), "10000");
    await upload.part(1, partOf(1));
    await upload.part(10_000, partOf(2));
    expect(sent("10000").filter((name) => name === "UploadPart").length).to.equal(1);
    for (const number of [0, 10_001, 1.5]) {
      expect((await refusal(upload.part(number, partOf(1)))).code).to.equal("invalid-argument");
    }
    await upload.abort();
  });

  it("take a stream as a part, and verify what its caller says of it", async () => {
    const client = fixture.client();
    const headers: string[] = [];
    client.middlewareStack.add(
      (next) => async (args) => {
        headers.push(JSON.stringify(Reflect.get(args.request as object, "headers")));
        return next(args);
      },
      { step: "finalizeRequest", priority: "low", name: "headers" },
    );
    const upload = await DrivenUpload.create(client, "streams");
    const md5 = createHash("md5").update(partOf(1)).digest("base64");
    const sha256 = createHash("sha256").update(partOf(2)).digest("base64");
    await upload.part(1, Readable.from(chunksOf(partOf(1), 100_000)), { ContentMD5: md5 });
    expect((await refusal(upload.part(2, partOf(2), { ContentMD5: md5 }))).code).to.equal("content-mismatch");
    const short = Readable.from(chunksOf(partOf(2), 100_000));
    expect((await refusal(upload.part(2, short, { ContentLength: PART + 1 }))).code).to.equal("content-mismatch");
    await upload.part(2, partOf(2), { ChecksumSHA256: sha256, ContentLength: PART });
    const [first, second] = upload.list;
    const named = (ChecksumSHA256: string) => ({
      MultipartUpload: { Parts: [first ?? {}, { ...second, ChecksumSHA256 }] },
    });
    expect((await refusal(upload.complete(named(md5)))).code).to.equal("invalid-argument");
    await upload.complete({ ...named(sha256), MpuObjectSize: 2 * PART });
    expect((await read("streams")).equals(content.subarray(0, 2 * PART))).to.equal(true);
    expect(headers.length).to.be.above(3);
    for (const sum of [md5, sha256]) expect(headers.join()).not.to.include(sum);
  });

  it("refuse a part of nothing, and one that would be too much to hold", async () => {
    const upload = await DrivenUpload.create(fixture.client(), "sizes");
    expect((await refusal(upload.part(1, Buffer.alloc(0)))).code).to.equal("invalid-argument");
    const endless = Readable.from(chunksOf(Buffer.alloc(MiB), 1024));
    const stated = await refusal(upload.part(1, endless, { ContentLength: 256 * MiB + 1 }));
    expect(stated.code).to.equal("content-too-large");
    await until(() => endless.destroyed);
    const twoReads = async function* (): AsyncGenerator<Buffer> {
      for (let read = 0; read < 257; read++) yield Buffer.alloc(MiB);
    };
    expect((await refusal(upload.part(1, Readable.from(twoReads())))).code).to.equal("content-too-large");
    await upload.abort();
  });

  it("send a part again as the same ciphertext, and end the upload for other plaintext in its place (S18)", async () => {
    const client = fixture.client();
    const upload = await DrivenUpload.create(client, "again");
    const first = await upload.part(1, partOf(1));
    expect(await upload.part(1, partOf(1))).to.equal(first);
    await upload.part(2, partOf(2, 100));
    const held = upload.list[1]?.ETag;
    expect(await upload.part(2, partOf(2, 100))).to.equal(held);
    const before = sent("again").length;
    const changed = Buffer.from(partOf(1));
    changed[PART - 1] = (changed[PART - 1] ?? 0) ^ 1;
    expect((await refusal(upload.part(1, changed))).code).to.equal("content-mismatch");
    for (const again of [upload.part(1, partOf(1)), upload.part(3, partOf(3)), upload.complete()]) {
      const { code, message } = await refusal(again);
      expect(code).to.equal("unsupported-operation");
      expect(message).to.include("has ended").and.to.include("Abort it and begin again.");
    }
    expect(sent("again").length).to.equal(before);
    await upload.abort();
    expect(fixture.server.openUploads).to.deep.equal([]);
  });

  it("end the upload for a held part that comes again with other plaintext, or with another length (S18)", async () => {
    for (const other of [partOf(3, 100), partOf(2, 101), partOf(2, 99)]) {
      const upload = await DrivenUpload.create(fixture.client(), "held-again");
      await upload.part(1, partOf(1));
      await upload.part(2, partOf(2, 100));
      expect((await refusal(upload.part(2, other))).code).to.equal("content-mismatch");
      expect((await refusal(upload.complete())).code).to.equal("unsupported-operation");
      await upload.abort();
    }
  });

  it("end the upload before a byte leaves where two parts would share keystream (G2)", async () => {
    const upload = await DrivenUpload.create(fixture.client(), "shared");
    await upload.part(1, partOf(1));
    await upload.part(4, partOf(3));
    const before = sent("shared").length;
    expect((await refusal(upload.part(2, content.subarray(0, PART + 3 * MiB)))).code).to.equal("content-mismatch");
    expect((await refusal(upload.part(3, partOf(3)))).code).to.equal("unsupported-operation");
    expect(sent("shared").length).to.equal(before);
    await upload.abort();
  });

  it("compare what two calls at once bring for one part", async () => {
    const upload = await DrivenUpload.create(fixture.client(), "twice");
    const other = Buffer.from(partOf(2));
    other[0] = (other[0] ?? 0) ^ 1;
    const both = [upload.part(2, partOf(2)), upload.part(2, other)].map((part) =>
      part.then(
        () => "sent",
        (error: unknown) => error,
      ),
    );
    await upload.part(1, partOf(1)).catch(() => {});
    // Neither is sent: before the first one was on its way, the other had ended the upload.
    expect(await Promise.all(both)).not.to.include("sent");
    expect(sent("twice")).not.to.include("UploadPart");
    expect((await refusal(upload.complete())).code).to.equal("unsupported-operation");
    await upload.abort();
  });

  it("end what waits for part 1 with its failure, with the upload's abort, and with the caller's", async () => {
    const client = fixture.client();
    const upload = await DrivenUpload.create(client, "waiting");
    const failing = new Readable({ read() {} });
    const first = errorOf(upload.part(1, failing));
    const second = refusal(upload.part(2, partOf(2)));
    setImmediate(() => failing.destroy(new Error("no more")));
    expect((await first).message).to.equal("no more");
    expect((await second).message).to.include("part 1, which failed");
    const controller = new AbortController();
    const third = errorOf(upload.part(2, partOf(2), {}, controller.signal));
    setImmediate(() => controller.abort());
    expect((await third).name).to.equal("AbortError");
    const fourth = refusal(upload.part(2, partOf(2)));
    await new Promise(setImmediate);
    await upload.abort();
    expect((await fourth).code).to.equal("unsupported-operation");
    expect(sent("waiting")).to.deep.equal(["CreateMultipartUpload", "AbortMultipartUpload"]);
  });

  it("read no part on that nobody takes any more: of an upload that was aborted, or is being completed", async () => {
    const upload = await DrivenUpload.create(fixture.client(), "stalled");
    const stalled = new Readable({ read() {} });
    const reading = refusal(upload.part(2, stalled));
    await upload.part(1, "x");
    await upload.abort();
    expect((await reading).message).to.include("has ended");
    expect(stalled.destroyed).to.equal(true);
    const frozen = await DrivenUpload.create(fixture.client(), "stalled");
    await frozen.part(1, "x");
    fixture.server.faults.add({ operation: "UploadPart", status: 503, code: "SlowDown", times: 1 });
    await errorOf(frozen.complete());
    const late = new Readable({ read() {} });
    expect((await refusal(frozen.part(1, late))).message).to.include("completion of this upload has begun");
    expect(late.destroyed).to.equal(true);
    await frozen.complete();
  });

  it("end what waits for part 1 with whatever that fails for, before it is read, too", async () => {
    const upload = await DrivenUpload.create(fixture.client(), "failing-first");
    const taken = Readable.from([partOf(1)]);
    await errorOf(upload.part(3, taken, {}, AbortSignal.abort()));
    const failures = [
      () => upload.part(1, taken),
      () => upload.part(1, partOf(1), { ContentLength: 5 }),
      () => upload.part(1, Buffer.alloc(0)),
    ];
    for (const fail of failures) {
      const waiting = refusal(upload.part(2, partOf(2)));
      await new Promise((resolve) => setTimeout(resolve, 50));
      await refusal(fail());
      expect((await waiting).message).to.include("part 1, which failed");
    }
    // The failure of any other part ends nothing but that.
    const waiting = upload.part(2, partOf(2));
    await new Promise((resolve) => setTimeout(resolve, 50));
    await refusal(upload.part(3, partOf(3), { ContentLength: 5 }));
    await Promise.all([waiting, upload.part(1, partOf(1))]);
    await upload.complete();
    expect((await read("failing-first")).equals(content.subarray(0, 2 * PART))).to.equal(true);
  });

  it("complete with exactly the parts that were sent, and stay as they were otherwise", async () => {
    const upload = await DrivenUpload.create(fixture.client(), "named");
    expect((await refusal(upload.complete())).code).to.equal("invalid-argument");
    for (const number of [1, 2]) await upload.part(number, partOf(number));
    const [first, second] = upload.list;
    if (first === undefined || second === undefined) throw new Error("Two parts were sent.");
    const holed = [first];
    holed.length = 2;
    const wrong = [
      [],
      [first],
      [second],
      [second, first],
      [first, { ...second, PartNumber: 3 }],
      [first, { ...second, ETag: first.ETag }],
      [first, { PartNumber: 2 }],
      [first, second, { PartNumber: 3, ETag: second.ETag }],
      [first, null as never],
      holed,
    ];
    for (const Parts of wrong) {
      expect((await refusal(upload.complete({ MultipartUpload: { Parts } }))).code).to.equal("invalid-argument");
    }
    expect((await refusal(upload.complete({ MpuObjectSize: 2 * PART + 16 }))).code).to.equal("content-mismatch");
    expect((await refusal(upload.complete({ ChecksumCRC32: "AAAAAA==" }))).code).to.equal("unsupported-operation");
    // Nothing of that has made a tag.
    await upload.part(3, partOf(3));
    await upload.complete({
      MultipartUpload: { Parts: upload.list.map((part) => ({ ...part, ETag: part.ETag?.replaceAll('"', "") })) },
    });
    expect((await read("named")).equals(content.subarray(0, 3 * PART))).to.equal(true);
  });

  it("refuse another context or format than their creator's, which nobody would bind (S10)", async () => {
    const client = fixture.client();
    const upload = await DrivenUpload.create(client, "other-call");
    const context = { encryptionContext: { tenant: "b" } };
    const part = new UploadPartCommand({ ...upload.named, PartNumber: 1, Body: "x" });
    expect((await refusal(client.send(part, context))).message).to.include("belongs to CreateMultipartUploadCommand");
    await upload.part(1, "x");
    const completion = new CompleteMultipartUploadCommand({
      ...upload.named,
      MultipartUpload: { Parts: upload.list },
    });
    expect((await refusal(client.send(completion, context))).code).to.equal("invalid-argument");
    await upload.complete();
  });

  it("are not completed with other bytes than their creator has said that there are", async () => {
    const upload = await DrivenUpload.create(fixture.client(), "stated", { ContentLength: 9 } as never);
    await upload.part(1, Buffer.from("ten bytes!"));
    const other = await DrivenUpload.create(fixture.client(), "stated");
    await other.part(1, Buffer.from("ten bytes!"));
    expect((await refusal(other.complete({ ContentLength: 9 } as never))).code).to.equal("content-mismatch");
    await other.abort();
    const { code, message } = await refusal(upload.complete());
    expect([code, message]).to.deep.equal(["content-mismatch", "ContentLength is 9, but the parts have 10 bytes."]);
    await upload.abort();
    expect(await fixture.keys("stated")).to.deep.equal([]);
  });

  it("take the checksum that a part was sent with the second time", async () => {
    const upload = await DrivenUpload.create(fixture.client(), "summed-later");
    const ChecksumSHA256 = createHash("sha256").update("x").digest("base64");
    await upload.part(1, "x");
    await upload.part(1, "x", { ChecksumSHA256 });
    const [first] = upload.list;
    await upload.complete({ MultipartUpload: { Parts: [{ ...first, ChecksumSHA256 }] } });
    expect((await read("summed-later")).toString()).to.equal("x");
  });

  it("are not completed without a part that was encrypted and not stored", async () => {
    const upload = await DrivenUpload.create(fixture.client(), "unsent");
    await upload.part(1, partOf(1));
    fixture.server.faults.add({ operation: "UploadPart", status: 503, code: "SlowDown", times: 1 });
    await errorOf(upload.part(2, partOf(2)));
    expect((await refusal(upload.complete())).code).to.equal("invalid-argument");
    await upload.part(2, partOf(2));
    await upload.complete();
    expect((await read("unsent")).equals(content.subarray(0, 2 * PART))).to.equal(true);
  });

  it("are not completed while a part is being sent", async () => {
    const upload = await DrivenUpload.create(fixture.client(), "sending");
    await upload.part(1, partOf(1));
    const pause = fixture.server.faults.pause({ operation: "UploadPart" });
    const again = upload.part(1, partOf(1));
    await pause.reached;
    expect((await refusal(upload.complete())).message).to.include("still being sent");
    pause.release();
    await again;
    await upload.complete();
  });

  it("freeze the upload with its tag: a later completion sends the same bytes (G1)", async () => {
    const upload = await DrivenUpload.create(fixture.client(), "frozen");
    await upload.part(1, partOf(1));
    await upload.part(2, partOf(2, 100));
    fixture.server.faults.add({ operation: "UploadPart", status: 503, code: "SlowDown", times: 1 });
    await errorOf(upload.complete());
    expect(sent("frozen").filter((name) => name === "UploadPart")).to.have.length(2);
    for (const number of [1, 2, 3]) {
      const { code, message } = await refusal(upload.part(number, partOf(number, number === 2 ? 100 : PART)));
      expect([code, message.includes("completion of this upload has begun")]).to.deep.equal([
        "unsupported-operation",
        true,
      ]);
    }
    fixture.server.faults.add({ operation: "CompleteMultipartUpload", status: 503, code: "SlowDown", times: 1 });
    await errorOf(upload.complete());
    expect((await refusal(upload.complete({ MultipartUpload: { Parts: upload.list.slice(0, 1) } }))).code).to.equal(
      "invalid-argument",
    );
    expect((await upload.parts()).Parts?.map(({ Size }) => Size)).to.deep.equal([PART, 100]);
    await upload.complete();
    // What S3 has of it by then is not sent again.
    expect(sent("frozen").filter((name) => name === "UploadPart")).to.have.length(3);
    expect((await read("frozen")).equals(content.subarray(0, PART + 100))).to.equal(true);
    expect((await refusal(upload.complete())).code).to.equal("unsupported-operation");
  });

  it("list the parts that their caller has sent, in pages, those that are held too and not the tag's own", async () => {
    const upload = await DrivenUpload.create(fixture.client(), "listed");
    await upload.part(1, partOf(1));
    await upload.part(2, partOf(2, 100));
    const first = await upload.parts({ MaxParts: 1 });
    expect([first.Parts?.map(({ PartNumber }) => PartNumber), first.IsTruncated]).to.deep.equal([[1], true]);
    const second = await upload.parts({ MaxParts: 1, PartNumberMarker: first.NextPartNumberMarker });
    expect([second.Parts?.map(({ PartNumber }) => PartNumber), second.IsTruncated]).to.deep.equal([[2], false]);
    await upload.abort();
    const full = await DrivenUpload.create(fixture.client(), "listed");
    await full.part(1, partOf(1));
    fixture.server.faults.add({ operation: "CompleteMultipartUpload", status: 503, code: "SlowDown", times: 1 });
    await errorOf(full.complete());
    expect(sent("listed").filter((name) => name === "UploadPart")).to.have.length(3);
    expect((await full.parts()).Parts?.map(({ PartNumber, Size }) => [PartNumber, Size])).to.deep.equal([[1, PART]]);
    await full.complete();
  });

  it("are over once the object stands, though a file beside it could not be put", async () => {
    const escrow = new RawAesKeyring({ wrappingKey: Buffer.alloc(32, 1) });
    const children = [{ keyring: escrow, instructionFileSuffix: ".escrow" }];
    const keyring = new MultiKeyring({ generator: TEST_KEYRING, children });
    const upload = await DrivenUpload.create(fixture.client({ keyring }), "beside");
    await upload.part(1, "x");
    fixture.server.faults.add({ operation: "PutObject", status: 500 });
    expect((await refusal(upload.complete())).code).to.equal("instruction-file-failed");
    fixture.server.faults.clear();
    expect((await read("beside")).toString()).to.equal("x");
    expect((await refusal(upload.part(2, "y"))).message).to.include("does not know any more");
  });

  it("are completed once at a time", async () => {
    const upload = await DrivenUpload.create(fixture.client(), "twice-completed");
    await upload.part(1, partOf(1));
    const pause = fixture.server.faults.pause({ operation: "CompleteMultipartUpload" });
    const first = upload.complete();
    await pause.reached;
    expect((await refusal(upload.complete())).code).to.equal("unsupported-operation");
    pause.release();
    await first;
  });

  it("take a completion that was not answered for what it was", async () => {
    const upload = await DrivenUpload.create(fixture.client(), "unanswered");
    await upload.part(1, partOf(1));
    fixture.server.faults.add({ operation: "CompleteMultipartUpload", performed: true, times: 1 });
    const { ETag } = await upload.complete();
    const head = await fixture.plain.send(new HeadObjectCommand({ Bucket: BUCKET, Key: "unanswered" }));
    expect(ETag).to.equal(head.ETag);
    expect((await refusal(upload.part(2, partOf(2)))).code).to.equal("unsupported-operation");
  });

  it("refuse an upload that this client has not begun, by name", async () => {
    const elsewhere = await DrivenUpload.create(fixture.client(), "elsewhere");
    const client = fixture.client();
    const before = fixture.server.requests.length;
    const part = { ...elsewhere.named, PartNumber: 1, Body: partOf(1) };
    for (const Key of ["elsewhere", "other"]) {
      const { code, message } = await refusal(client.send(new UploadPartCommand({ ...part, Key })));
      expect([code, message.includes("Abort it (AbortMultipartUploadCommand) and begin again.")]).to.deep.equal([
        "unsupported-operation",
        true,
      ]);
    }
    const stream = Readable.from([Buffer.alloc(1)]);
    await refusal(client.send(new UploadPartCommand({ ...part, Body: stream })));
    expect(stream.destroyed).to.equal(true);
    const copy = { ...part, Body: undefined, CopySource: `${BUCKET}/any-order` };
    expect((await refusal(client.send(new UploadPartCopyCommand(copy)))).message).to.include("copy the whole object");
    expect(fixture.server.requests.length).to.equal(before);
    await elsewhere.abort();
  });

  it("forget an upload that is aborted, though S3 fails to remove it", async () => {
    const upload = await DrivenUpload.create(fixture.client(), "aborted");
    await upload.part(1, partOf(1));
    fixture.server.faults.add({ operation: "AbortMultipartUpload", status: 503, code: "SlowDown", times: 1 });
    await errorOf(upload.abort());
    expect((await refusal(upload.part(2, partOf(2)))).message).to.include("does not know any more");
    await upload.abort();
    expect(fixture.server.openUploads).to.deep.equal([]);
  });

  it("send no part in the clear to an upload whose key may have been let go of", async () => {
    const elsewhere = await DrivenUpload.create(fixture.client(), "let-go");
    const part = new UploadPartCommand({ ...elsewhere.named, PartNumber: 1, Body: partOf(1) });
    const before = fixture.server.requests.length;
    const some = fixture.client({ allowUnencryptedCommands: ["UploadPartCommand"] });
    expect((await refusal(some.send(part))).message).to.include("has not begun");
    expect(fixture.server.requests.length).to.equal(before);
    const allowUnencryptedCommands = ["CreateMultipartUploadCommand", "UploadPartCommand"];
    await fixture.client({ allowUnencryptedCommands }).send(part);
    await elsewhere.abort();
  });

  it("are not presigned, but for an abort, which ends nothing before it is sent", async () => {
    const own = fixture.client();
    const begun = await DrivenUpload.create(own, "presigned-abort");
    const url = await getSignedUrl(own, new AbortMultipartUploadCommand(begun.named));
    await begun.part(1, "still there");
    expect((await fetch(url, { method: "DELETE" })).status).to.equal(204);
    expect((await errorOf(begun.complete())).name).to.equal("NoSuchUpload");
    const upload = await DrivenUpload.create(fixture.client(), "presigned");
    const command = new UploadPartCommand({ ...upload.named, PartNumber: 1 });
    expect((await refusal(getSignedUrl(fixture.client(), command))).code).to.equal("unsupported-operation");
    await upload.abort();
  });

  it("refuse what cannot be in parts, before a key is used", async () => {
    const client = fixture.client({ formats: [new AwsMessageFormat(), new S3Format()] });
    const before = fixture.server.requests.length;
    const { code, message } = await refusal(DrivenUpload.create(client, "message"));
    expect([code, message.includes("use EncryptedUpload")]).to.deep.equal(["unsupported-operation", true]);
    for (const more of [{ ContentMD5: "AAAA" }, { ChecksumSHA256: "AAAA" }, { ContentLength: -1 }]) {
      await refusal(DrivenUpload.create(fixture.client(), "whole", more as never));
    }
    expect(fixture.server.requests.length).to.equal(before);
  });

  it("are retried by the SDK as the same ciphertext", async () => {
    const client = retryingClient(fixture);
    const upload = await DrivenUpload.create(client, "retried");
    fixture.server.faults.add({ operation: "UploadPart", status: 503, code: "SlowDown", times: 2 });
    await upload.part(1, partOf(1));
    await upload.part(2, partOf(2, 5));
    fixture.server.faults.add({ operation: "UploadPart", status: 503, code: "SlowDown", times: 1 });
    await upload.complete();
    expect((await read("retried")).equals(content.subarray(0, PART + 5))).to.equal(true);
  });
});
