import { randomBytes } from "node:crypto";
import {
  CopyObjectCommand,
  type CopyObjectCommandInput,
  GetObjectAnnotationCommand,
  ListObjectAnnotationsCommand,
  PutObjectAnnotationCommand,
} from "@aws-sdk/client-s3";
import { InstructionFileError, type S3EncryptionClient, type S3EncryptionOptions } from "@s3ec/client";
import { MultiKeyring } from "@s3ec/keyring-multi";
import { RawAesKeyring } from "@s3ec/keyring-raw-aes";
import { ByObjectManager } from "@s3ec/materials";
import { expect } from "chai";
import { withCallOptions } from "../dist/call-options.js";
import { copyObject } from "../dist/commands/copy-object.js";
import { encryptionOf, plainClientOf } from "../dist/plain-client.js";
import { BUCKET, bytesOfLength, Fixture, get, put, refusal } from "./fixture.js";
import { errorOf } from "./transfers.js";

const [ours, audit, theirs, escrow] = ["ours", "audit", "theirs", "escrow"].map(
  (key) => new RawAesKeyring({ wrappingKey: randomBytes(32), materialDescription: { key } }),
) as [RawAesKeyring, RawAesKeyring, RawAesKeyring, RawAesKeyring];
const withChild = (generator: RawAesKeyring, keyring: RawAesKeyring, instructionFileSuffix: string) =>
  new MultiKeyring({ generator, children: [{ keyring, instructionFileSuffix }] });
const manager = new ByObjectManager({
  rules: [
    { bucket: BUCKET, prefix: "ours/", keyring: withChild(ours, audit, ".audit") },
    { bucket: BUCKET, prefix: "partner/", keyring: withChild(theirs, escrow, ".escrow") },
  ],
});
const ANNOTATIONS = { wrapPlacement: "annotations" } as const;
const LIMIT = { copyLimit: 5 * 1024 ** 2 };

describe("a copy for other readers", () => {
  let fixture: Fixture;
  before(async () => {
    fixture = await Fixture.start();
  });
  after(() => fixture.close());
  afterEach(() => fixture.server.faults.clear());

  const client = (options: Partial<S3EncryptionOptions> = {}) =>
    fixture.client({ materialsManager: manager, ...options });
  const input = (name: string, more: Partial<CopyObjectCommandInput> = {}) => ({
    Bucket: BUCKET,
    Key: `partner/${name}`,
    CopySource: `${BUCKET}/ours/${name}`,
    ...more,
  });
  const copy = (s3: S3EncryptionClient, name: string, more: Partial<CopyObjectCommandInput> = {}) =>
    s3.send(new CopyObjectCommand(input(name, more)));
  /** As the command, by a store whose limit a test can reach. */
  const copyInParts = (s3: S3EncryptionClient, name: string) =>
    copyObject(
      encryptionOf(s3, undefined),
      withCallOptions(input(name), {}),
      async () => {
        throw new Error("It is not copied in one request.");
      },
      s3,
      LIMIT,
    ).then(({ output }) => output);
  const annotate = (Key: string, AnnotationName: string, AnnotationPayload: string) =>
    plainClientOf(client()).send(
      new PutObjectAnnotationCommand({ Bucket: BUCKET, Key, AnnotationName, AnnotationPayload }),
    );
  const names = async (Key: string): Promise<(string | undefined)[]> => {
    const { Annotations = [] } = await fixture.plain.send(new ListObjectAnnotationsCommand({ Bucket: BUCKET, Key }));
    return Annotations.map(({ AnnotationName }) => AnnotationName);
  };
  async function expectReaders(name: string, content: Uint8Array): Promise<void> {
    for (const keyring of [theirs, escrow]) {
      const { Body } = await fixture.client({ keyring }).send(get(`partner/${name}`), CALLS.get(keyring) ?? {});
      expect(Buffer.from((await Body?.transformToByteArray()) ?? []).equals(content)).to.equal(true);
    }
    for (const keyring of [ours, audit]) {
      for (const call of [{}, { instructionFileSuffix: ".audit" }, { instructionFileSuffix: ".escrow" }]) {
        const { code } = await refusal(fixture.client({ keyring }).send(get(`partner/${name}`), call));
        expect(code).to.be.oneOf(["no-matching-key", "decryption-failed", "not-encrypted"]);
      }
    }
  }
  const CALLS = new Map([[escrow, { instructionFileSuffix: ".escrow" }]]);

  for (const source of ["metadata", "annotations"] as const) {
    for (const wrapPlacement of ["metadata", "instruction-files", "annotations"] as const) {
      it(`is opened by each of them alone, and by none of the source's (${source} to ${wrapPlacement})`, async () => {
        const name = `${source}-${wrapPlacement}`;
        await client({ wrapPlacement: source }).send(put(`ours/${name}`));
        await annotate(`ours/${name}`, "note", "of somebody else");
        const before = await fixture.keys(`ours/${name}`);
        await copy(client({ wrapPlacement }), name);
        await expectReaders(name, Buffer.from("secret"));
        expect(await names(`partner/${name}`)).to.have.members(
          wrapPlacement === "annotations" ? ["note", "x-s3ec/escrow"] : ["note"],
        );
        const files = { metadata: [".escrow"], "instruction-files": [".escrow", ".instruction"], annotations: [] };
        expect(await fixture.keys(`partner/${name}`)).to.have.members([
          `partner/${name}`,
          ...files[wrapPlacement].map((suffix) => `partner/${name}${suffix}`),
        ]);
        // What is the source's stays with it.
        expect(await fixture.keys(`ours/${name}`)).to.deep.equal(before);
        const { Body } = await fixture
          .client({ keyring: audit })
          .send(get(`ours/${name}`), { instructionFileSuffix: ".audit" });
        expect(await Body?.transformToString()).to.equal("secret");
      });
    }
  }

  it("is described for audits as a put by this client is, and not as its source", async () => {
    const s3 = client({ describeInAnnotation: true });
    await s3.send(put("ours/told"));
    const about = async (Key: string) => {
      const asked = { Bucket: BUCKET, Key, AnnotationName: "x-s3ec/about" };
      const { AnnotationPayload } = await fixture.plain.send(new GetObjectAnnotationCommand(asked));
      return JSON.parse((await AnnotationPayload?.transformToString()) ?? "");
    };
    await copy(s3, "told");
    const [ofSource, ofCopy] = [await about("ours/told"), await about("partner/told")];
    expect([ofSource, ofCopy].map((each) => JSON.stringify(each).includes("escrow"))).to.deep.equal([false, true]);
    await copy(client(), "told");
    expect(await names("partner/told")).to.deep.equal([]);
  });

  it("is made in parts as in one request", async () => {
    const content = bytesOfLength(11 * 1024 ** 2);
    const s3 = client(ANNOTATIONS);
    await s3.send(put("ours/large", content));
    await annotate("ours/large", "note", "of somebody else");
    const { CopyObjectResult } = await copyInParts(s3, "large");
    expect(CopyObjectResult?.ETag).to.match(/-3"$/);
    await expectReaders("large", content);
    expect(await names("partner/large")).to.have.members(["note", "x-s3ec/escrow"]);
    expect(await fixture.keys("partner/large")).to.deep.equal(["partner/large"]);
  });

  it("replaces an earlier copy that had the readers of the source, with the files of those", async () => {
    const s3 = client();
    await s3.send(put("ours/again"));
    // One manager for all: the copy is as the source.
    await copy(fixture.client({ keyring: withChild(ours, audit, ".audit") }), "again");
    expect(await fixture.keys("partner/again")).to.deep.equal(["partner/again", "partner/again.audit"]);
    await copy(s3, "again");
    await expectReaders("again", Buffer.from("secret"));
    expect(await fixture.keys("partner/again")).to.deep.equal(["partner/again", "partner/again.escrow"]);
  });

  it("does not take an earlier copy that had the readers of the source for itself, where S3's answer is lost", async () => {
    const s3 = client();
    await s3.send(put("ours/lost"));
    await copy(fixture.client({ keyring: ours }), "lost");
    fixture.server.faults.add({ operation: "CopyObject", status: 500, code: "InternalError" });
    expect(await errorOf(copy(s3, "lost"))).to.be.instanceOf(Error);
    fixture.server.faults.clear();
    fixture.server.faults.add({ operation: "CopyObject", performed: true, times: 1 });
    await copy(s3, "lost");
    await expectReaders("lost", Buffer.from("secret"));
  });

  it("takes no annotation along where the caller wants none, and lists none", async () => {
    await client(ANNOTATIONS).send(put("ours/bare"));
    await annotate("ours/bare", "note", "of somebody else");
    fixture.server.faults.add({
      operation: "ListObjectAnnotations",
      key: "ours/bare",
      status: 403,
      code: "AccessDenied",
    });
    await copy(client(), "bare", { AnnotationDirective: "EXCLUDE" });
    expect(await names("partner/bare")).to.deep.equal([]);
  });

  it("is refused before anything is written where annotations may not be listed or read, or could not be kept", async () => {
    await client(ANNOTATIONS).send(put("ours/unread"));
    await annotate("ours/unread", "note", "of somebody else");
    for (const operation of ["ListObjectAnnotations", "GetObjectAnnotation"] as const) {
      fixture.server.faults.add({ operation, key: "ours/unread", status: 403, code: "AccessDenied" });
      const error = await refusal(copy(client(), "unread"));
      expect([error.code, error.message.includes(`s3:${operation}`)]).to.deep.equal(["unsupported-operation", true]);
      fixture.server.faults.clear();
    }
    const SSECustomerKey = randomBytes(32).toString("base64");
    const customers = { SSECustomerAlgorithm: "AES256", SSECustomerKey };
    expect((await refusal(copy(client(), "unread", customers))).message).to.contain("EXCLUDE leaves them out");
    expect((await refusal(copy(client(ANNOTATIONS), "unread", customers))).message).to.contain("instruction files");
    expect(await fixture.keys("partner/unread")).to.deep.equal([]);
  });

  it("is refused where annotations of others change before it is made: a move would lose them with the source", async () => {
    await client().send(put("ours/changing"));
    await annotate("ours/changing", "note", "of somebody else");
    const held = fixture.server.faults.pause({ operation: "GetObjectAnnotation", key: "ours/changing" });
    const copied = refusal(copy(client(), "changing"));
    await held.reached;
    await annotate("ours/changing", "later", "of somebody else");
    held.release();
    expect((await copied).code).to.equal("content-mismatch");
    expect(await fixture.keys("partner/changing")).to.deep.equal([]);
  });

  it("says which of its readers, or of others' annotations, are missing when it stands and one fails", async () => {
    const missing = async (name: string, placement: "metadata" | "annotations", fault: object) => {
      await client().send(put(`ours/${name}`));
      await annotate(`ours/${name}`, "note", "of somebody else");
      fixture.server.faults.add({ status: 403, code: "AccessDenied", ...fault } as never);
      const error = await errorOf(copy(client({ wrapPlacement: placement }), name));
      fixture.server.faults.clear();
      expect(error).to.be.instanceOf(InstructionFileError);
      const { code, output, files, message } = error as InstructionFileError;
      expect([code, output === undefined]).to.deep.equal(["instruction-file-failed", false]);
      return { files: files.map(({ key, annotation }) => annotation ?? key), message };
    };
    const onFile = { operation: "PutObject", key: "partner/file.escrow" };
    expect((await missing("file", "metadata", onFile)).files).to.deep.equal(["partner/file.escrow"]);
    const onCopy = { operation: "PutObjectAnnotation", key: "partner/annotated" };
    expect((await missing("annotated", "annotations", onCopy)).files).to.deep.equal(["x-s3ec/escrow"]);
    const note = await missing("note", "metadata", { operation: "PutObjectAnnotation", key: "partner/note" });
    expect(note.files).to.deep.equal(["note"]);
    expect(note.message).to.contain("Copy it again").and.not.to.contain("s3ec-annotations");
    // The others were given theirs.
    expect(await names("partner/file")).to.deep.equal(["note"]);
    const asked = { Bucket: BUCKET, Key: "partner/file", AnnotationName: "note" };
    const { AnnotationPayload } = await fixture.plain.send(new GetObjectAnnotationCommand(asked));
    expect(await AnnotationPayload?.transformToString()).to.equal("of somebody else");
    // The same call again mends it.
    await copy(client(ANNOTATIONS), "annotated");
    await expectReaders("annotated", Buffer.from("secret"));
  });
});
