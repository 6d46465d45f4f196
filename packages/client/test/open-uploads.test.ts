import { EMPTY_STRING_MAP } from "@s3ec/envelope";
import { S3Format } from "@s3ec/format-s3";
import { DefaultMaterialsManager, S3EncryptionError } from "@s3ec/materials";
import { expect } from "chai";
import { OpenUpload } from "../dist/multipart/open-upload.js";
import { OpenUploads } from "../dist/multipart/open-uploads.js";
import { BUCKET, bytesOfLength, refusal, TEST_KEYRING } from "./fixture.js";
import { MiB } from "./multipart.js";

const SAID = { input: { Bucket: BUCKET, Key: "k", UploadId: "u", PartNumber: 1 }, checksums: {}, signal: undefined };

/** Begins one that comes to nothing. */
async function room(uploads: OpenUploads): Promise<void> {
  const failure = new Error("S3 refuses it.");
  const error: unknown = await uploads.beginning(() => Promise.reject(failure)).catch((error: unknown) => error);
  if (error !== failure) throw error;
}

async function uploadWith(patience?: number): Promise<OpenUpload> {
  const sealed = await new S3Format().sealInParts?.({
    materialsManager: new DefaultMaterialsManager(TEST_KEYRING),
    commitmentPolicy: "REQUIRE_ENCRYPT_REQUIRE_DECRYPT",
    encryptionContext: EMPTY_STRING_MAP,
    bucket: BUCKET,
    key: "k",
  });
  if (sealed === undefined) throw new Error("This runtime cannot seal in parts.");
  const { parts, metadata } = sealed;
  const siblings = { ...sealed.siblings, verb: "Put" as const, suffixes: [], markOf: () => undefined };
  const object = { input: { Bucket: BUCKET, Key: "k", Metadata: metadata }, parts, siblings };
  return new OpenUpload(object as never, {} as never, undefined, patience);
}

function codeOf(work: () => unknown): string {
  try {
    work();
  } catch (error) {
    if (error instanceof S3EncryptionError) return error.code;
    throw error;
  }
  return "none";
}

describe("an upload that is under way", () => {
  it("says what a part has waited for in vain", async () => {
    const upload = await uploadWith(1);
    const bytes = bytesOfLength(6 * MiB);
    const first = await refusal(upload.seal(2, bytes, SAID));
    expect(first.message).to.include("part 1, whose length decides");
    await upload.seal(1, bytes, SAID);
    await upload.seal(3, bytes.subarray(MiB), SAID);
    const { code, message } = await refusal(upload.seal(4, bytes, SAID));
    expect(code).to.equal("unsupported-operation");
    expect(message).to.include("all parts before it, which have not the same length");
    await upload.seal(2, bytes, SAID);
    const { part } = await upload.seal(4, bytes, SAID);
    expect(part.length).to.equal(6 * MiB);
  });

  it("does not encrypt for a caller who has aborted", async () => {
    const upload = await uploadWith();
    const said = { ...SAID, signal: AbortSignal.abort() };
    await upload.seal(1, bytesOfLength(10), said).catch((error: Error) => expect(error.name).to.equal("AbortError"));
    expect([...upload.parts]).to.deep.equal([]);
  });

  it("sends nothing any more once its completion has begun, nor once it has ended (G1)", async () => {
    const upload = await uploadWith();
    const { part } = await upload.seal(1, bytesOfLength(100), SAID);
    const ETag = upload.answered(part);
    // Between its encryption and its request, where nothing is on its way.
    upload.complete([{ PartNumber: 1, ETag }], "u");
    let isSent = false;
    const send = async (): Promise<void> => {
      isSent = true;
    };
    expect((await refusal(upload.sending(send))).message).to.include("completion of this upload has begun");
    upload.end("It was aborted");
    expect((await refusal(upload.sending(send))).message).to.include("has ended");
    expect(isSent).to.equal(false);
  });

  it("gives what was encrypted first, whatever becomes of the caller's buffer (G5)", async () => {
    const upload = await uploadWith();
    const bytes = bytesOfLength(100);
    const { part, ciphertext } = await upload.seal(1, bytes, SAID);
    expect(part.held).to.equal(ciphertext);
    bytes.fill(0);
    expect(ciphertext.equals(bytes)).to.equal(false);
    const error = await refusal(upload.seal(1, bytes, SAID));
    expect(error.code).to.equal("content-mismatch");
    // The key is gone with it (G11).
    expect([...upload.parts, upload.length.stored]).to.deep.equal([100]);
    expect((await refusal(upload.seal(2, bytes, SAID))).message).to.include("has ended");
  });
});

describe("the uploads of a client", () => {
  const name = (UploadId: string) => ({ Bucket: BUCKET, Key: "k", UploadId });

  it("are found by bucket, key and id, each of them once (G2)", async () => {
    const uploads = new OpenUploads();
    const upload = await uploadWith();
    uploads.add(name("a"), upload);
    expect(codeOf(() => uploads.add(name("a"), upload))).to.equal("unsupported-operation");
    expect(uploads.find(name("a"))).to.equal(upload);
    for (const other of [name("b"), { ...name("a"), Key: "l" }, { ...name("a"), Bucket: "other" }]) {
      expect(uploads.find(other)).to.equal(undefined);
    }
  });

  it("make room: the one unused for longest goes, none that is used, and all that were not used for a day", async () => {
    let now = 0;
    const uploads = new OpenUploads(2, () => now);
    const [a, b, c] = [await uploadWith(), await uploadWith(), await uploadWith()];
    uploads.add(name("a"), a);
    uploads.add(name("b"), b);
    uploads.find(name("a"));
    await room(uploads);
    expect([uploads.find(name("b")), uploads.size]).to.deep.equal([undefined, 1]);
    expect((await refusal(b.seal(1, bytesOfLength(1), SAID))).message).to.include("has ended");
    uploads.add(name("c"), c);
    await a.using(() =>
      c.using(async () => {
        expect((await refusal(room(uploads))).code).to.equal("unsupported-operation");
      }),
    );
    now = 24 * 60 * 60 * 1000;
    await room(uploads);
    expect(uploads.size).to.equal(1);
    uploads.find(name("c"));
    now += 24 * 60 * 60 * 1000 + 1;
    await c.using(async () => {
      await room(uploads);
      expect(uploads.size).to.equal(1);
    });
    await room(uploads);
    expect(uploads.size).to.equal(0);
  });

  it("are no more than may be, however many are created at the same time", async () => {
    const uploads = new OpenUploads(2);
    const upload = await uploadWith();
    const create = (id: string) => uploads.beginning(async () => ({ name: name(id), upload, answer: id }));
    const outcomes = await Promise.allSettled(["a", "b", "c"].map(create));
    expect(outcomes.map(({ status }) => status)).to.deep.equal(["fulfilled", "fulfilled", "rejected"]);
    expect(await create("d")).to.equal("d");
    expect(uploads.size).to.equal(2);
  });

  it("are not found any more once they have expired", async () => {
    let now = 0;
    const uploads = new OpenUploads(2, () => now);
    const upload = await uploadWith();
    uploads.add(name("a"), upload);
    now = 24 * 60 * 60 * 1000 + 1;
    expect(uploads.find(name("a"))).to.equal(undefined);
    expect((await refusal(upload.seal(1, bytesOfLength(1), SAID))).message).to.include("has ended");
  });

  it("make room also where they hold too much that was not sent", async () => {
    const uploads = new OpenUploads(9, undefined, 150);
    const [a, b, c] = [await uploadWith(), await uploadWith(), await uploadWith()];
    for (const [id, upload] of Object.entries({ a, b, c })) {
      uploads.add(name(id), upload);
      await upload.seal(1, bytesOfLength(70), SAID);
    }
    expect([uploads.find(name("a")), uploads.find(name("b"))]).to.deep.equal([undefined, b]);
    expect([b.held, c.held]).to.deep.equal([70, 70]);
    const d = await uploadWith();
    uploads.add(name("d"), d);
    await b.using(() =>
      c.using(async () => {
        // What is held already is not held twice, and what is not held needs no room.
        await b.seal(1, bytesOfLength(70), SAID);
        await d.seal(1, bytesOfLength(6 * MiB), SAID);
        const error = await refusal(d.seal(2, bytesOfLength(70), SAID));
        expect(error.code).to.equal("unsupported-operation");
        expect(error.message).to.include("nothing of this one was encrypted");
      }),
    );
    await d.seal(2, bytesOfLength(70), SAID);
    expect([uploads.find(name("c")), b.held, d.held]).to.deep.equal([undefined, 0, 70].with(1, b.held));
  });
});
