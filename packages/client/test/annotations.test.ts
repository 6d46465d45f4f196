import { generateKeyPairSync, randomBytes } from "node:crypto";
import {
  CopyObjectCommand,
  DeleteObjectCommand,
  GetObjectAnnotationCommand,
  ListObjectAnnotationsCommand,
  PutObjectAnnotationCommand,
  PutObjectCommand,
} from "@aws-sdk/client-s3";
import { EncryptedUpload, InstructionFileError, S3EncryptionClient, type S3EncryptionOptions } from "@s3ec/client";
import { type DevServer, type DevServerOptions, startDevServer } from "@s3ec/dev-server";
import { MultiKeyring } from "@s3ec/keyring-multi";
import { RawAesKeyring } from "@s3ec/keyring-raw-aes";
import { RawRsaKeyring } from "@s3ec/keyring-raw-rsa";
import { expect } from "chai";
import { BUCKET, bytesOfLength, Fixture, get, put, refusal } from "./fixture.js";
import { errorOf } from "./transfers.js";

const { publicKey, privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
const generator = new RawAesKeyring({ wrappingKey: randomBytes(32) });
const escrow = new RawRsaKeyring({ publicKey, materialDescription: { purpose: "escrow" } });
const keyring = new MultiKeyring({ generator, children: [{ keyring: escrow, instructionFileSuffix: ".escrow" }] });
const escrowKey = new RawRsaKeyring({ privateKey });
const ANNOTATIONS = { keyring, wrapPlacement: "annotations" } as const;
const NAME = "x-s3ec/escrow";

describe("wrapped keys in annotations", () => {
  let fixture: Fixture;
  before(async () => {
    fixture = await Fixture.start();
  });
  after(() => fixture.close());
  afterEach(() => fixture.server.faults.clear());

  const writer = (options: Partial<S3EncryptionOptions> = {}): S3EncryptionClient =>
    fixture.client({ ...ANNOTATIONS, ...options });
  const text = async (key: string, AnnotationName = NAME): Promise<string> => {
    const asked = { Bucket: BUCKET, Key: key, AnnotationName };
    const { AnnotationPayload } = await fixture.plain.send(new GetObjectAnnotationCommand(asked));
    return (await AnnotationPayload?.transformToString()) ?? "";
  };
  const annotate = (Key: string, AnnotationName: string, AnnotationPayload: string) =>
    fixture.plain.send(new PutObjectAnnotationCommand({ Bucket: BUCKET, Key, AnnotationName, AnnotationPayload }));
  const names = async (Key: string): Promise<(string | undefined)[]> => {
    const { Annotations = [] } = await fixture.plain.send(new ListObjectAnnotationsCommand({ Bucket: BUCKET, Key }));
    return Annotations.map(({ AnnotationName }) => AnnotationName);
  };
  const reads = async (key: string, options: Partial<S3EncryptionOptions>, call = {}): Promise<string | undefined> =>
    (await fixture.client(options).send(get(key), call)).Body?.transformToString();
  const requests = (): string[] => fixture.server.requests.map(({ operation }) => operation);

  it("stand beside the object after it is stored, with what an audit asks for, and open it", async () => {
    fixture.server.clearRequests();
    await writer().send(put("plain"));
    const order = ["PutObject", "HeadObject", "ListObjectAnnotations", "PutObjectAnnotation"];
    expect(requests().filter((name, index, all) => order.includes(name) && name !== all[index - 1])).to.deep.equal(
      order,
    );
    expect(await fixture.keys("plain")).to.deep.equal(["plain"]);
    expect(await names("plain")).to.deep.equal([NAME]);
    const stored = JSON.parse(await text("plain"));
    expect(stored).to.include({ "x-amz-w": "22", "s3ec-format": "V3", "s3ec-wrap": "RSA-OAEP-SHA1" });
    expect(stored["x-amz-m"]).to.equal('{"purpose":"escrow"}');
    expect(stored["s3ec-added"]).to.match(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
    expect(stored["s3ec-by"]).to.match(/^s3ec\/\d+\.\d+\.\d+$/);
    for (const own of ["x-amz-d", "x-amz-i", "x-amz-c"]) expect(stored).not.to.have.property(own);
    expect(await reads("plain", { keyring: escrowKey })).to.equal("secret");
    expect(await reads("plain", { ...ANNOTATIONS, keyring: escrowKey }, { instructionFileSuffix: ".escrow" })).to.equal(
      "secret",
    );
  });

  it("cost nothing more where the metadata's wrap opens", async () => {
    await writer().send(put("cheap"));
    fixture.server.clearRequests();
    expect(await reads("cheap", { keyring: generator })).to.equal("secret");
    expect(requests()).to.deep.equal(["GetObject"]);
  });

  it("are asked for by the recipient's name first, and looked for in files too", async () => {
    await writer().send(put("named"));
    fixture.server.clearRequests();
    const call = { instructionFileSuffix: ".escrow" };
    expect(await reads("named", { ...ANNOTATIONS, keyring: escrowKey }, call)).to.equal("secret");
    expect(requests()).to.deep.equal(["GetObject", "GetObjectAnnotation"]);
    expect(await reads("named", { keyring: escrowKey }, call)).to.equal("secret");
  });

  it("are written after an upload in parts", async () => {
    const Body = bytesOfLength(6 << 20);
    await new EncryptedUpload({ client: writer(), params: { Bucket: BUCKET, Key: "parts", Body } }).done();
    const { Body: read } = await fixture.client({ keyring: escrowKey }).send(get("parts"));
    expect(Buffer.from((await read?.transformToByteArray()) ?? []).equals(Body)).to.equal(true);
  });

  it("prove once for a bucket and client that the store knows annotations", async () => {
    const client = writer();
    fixture.server.clearRequests();
    await client.send(put("once/1"));
    await client.send(put("once/2"));
    expect(requests().filter((name) => name === "ListObjectAnnotations")).to.have.lengthOf(1);
    const [list] = fixture.server.requests.filter(({ operation }) => operation === "ListObjectAnnotations");
    expect(list?.query?.["annotation-prefix"]).to.match(/^x-s3ec\/[\da-f-]{36}$/);
    expect(requests().indexOf("ListObjectAnnotations")).to.be.above(requests().indexOf("PutObject"));
  });

  it("are gone with the object, and go along with a copy", async () => {
    await writer().send(put("moved"));
    const from = { Bucket: BUCKET, CopySource: `${BUCKET}/moved` };
    await writer().send(new CopyObjectCommand({ ...from, Key: "copied" }));
    expect(await reads("copied", { keyring: escrowKey })).to.equal("secret");
    await writer().send(new CopyObjectCommand({ ...from, Key: "without", AnnotationDirective: "EXCLUDE" }));
    expect(await names("without")).to.deep.equal([]);
    await writer().send(new DeleteObjectCommand({ Bucket: BUCKET, Key: "moved" }));
    expect(await fixture.keys("moved")).to.deep.equal([]);
    await writer().send(put("moved", "other"));
    expect(await reads("moved", { keyring: escrowKey })).to.equal("other");
  });

  describe("when one fails", () => {
    it("say that the object is stored, and which recipients are missing", async () => {
      fixture.server.faults.add({ operation: "PutObjectAnnotation", status: 403, code: "AccessDenied" });
      const error = await errorOf(writer().send(put("denied")));
      expect(error).to.be.instanceOf(InstructionFileError);
      expect(error).to.have.property("code", "instruction-file-failed");
      expect((error as Error).message).to.contain('"escrow"');
      const [file] = (error as InstructionFileError).files;
      expect(file).to.include({ key: "denied", annotation: NAME });
      fixture.server.faults.clear();
      await annotate("denied", NAME, file?.written ?? "");
      expect(await reads("denied", { keyring: escrowKey })).to.equal("secret");
    });

    it("take a lost answer for success once the text is there", async () => {
      fixture.server.faults.add({ operation: "PutObjectAnnotation", performed: true, times: 1 });
      await writer().send(put("lost"));
      expect(await reads("lost", { keyring: escrowKey })).to.equal("secret");
    });

    it("are never put to an object that has replaced it", async () => {
      const held = fixture.server.faults.pause({ operation: "PutObjectAnnotation", key: "race" });
      const putting = errorOf(writer().send(put("race", "mine")));
      await held.reached;
      await fixture.client({ keyring: generator }).send(put("race", "theirs"));
      held.release();
      expect(await putting).to.have.property("code", "content-mismatch");
      expect(await names("race")).to.deep.equal([]);
    });

    it("are put to the object whose tag has changed and which is still ours", async () => {
      const held = fixture.server.faults.pause({ operation: "PutObjectAnnotation", key: "retagged" });
      const putting = writer().send(put("retagged"));
      await held.reached;
      const { body, metadata } = await fixture.stored("retagged");
      const Body = Buffer.concat([body]);
      Body[0] = (Body[0] ?? 0) ^ 1;
      await fixture.plain.send(new PutObjectCommand({ Bucket: BUCKET, Key: "retagged", Body, Metadata: metadata }));
      held.release();
      await putting;
      expect(await names("retagged")).to.deep.equal([NAME]);
    });
  });

  describe("are refused before anything is stored", () => {
    const SSEC = { SSECustomerAlgorithm: "AES256", SSECustomerKey: randomBytes(32).toString("base64") };
    it("of an object that S3 encrypts with a key of the customer's", async () => {
      fixture.server.clearRequests();
      const command = new PutObjectCommand({ Bucket: BUCKET, Key: "ssec", Body: "x", ...SSEC });
      expect((await refusal(writer().send(command))).code).to.equal("unsupported-operation");
      expect(requests()).to.deep.equal([]);
    });

    for (const Bucket of ["b--usw2-az1--x-s3", "arn:aws:s3-outposts:us-west-2:123456789012:outpost/op-1/bucket/b"]) {
      it(`in ${Bucket}`, async () => {
        fixture.server.clearRequests();
        const command = new PutObjectCommand({ Bucket, Key: "k", Body: "x" });
        expect((await refusal(writer().send(command))).code).to.equal("unsupported-operation");
        expect(requests()).to.deep.equal([]);
      });
    }

    it("beside an instruction file that the call or the client asks for", async () => {
      const named = writer().send(put("both"), { instructionFileSuffix: ".x" });
      expect((await refusal(named)).code).to.equal("invalid-configuration");
      const make = () => writer({ instructionFileConfig: { enableInstructionFilePutObject: true } });
      expect(make).to.throw(/annotations/);
    });

    it("of V2 without the switch, and are written with it (S19)", async () => {
      const V2 = { commitmentPolicy: "FORBID_ENCRYPT_ALLOW_DECRYPT" } as const;
      expect((await refusal(writer(V2).send(put("v2")))).code).to.equal("invalid-configuration");
      await writer({ ...V2, enableUncommittedChildren: true }).send(put("v2"));
      expect(await reads("v2", { ...V2, keyring: escrowKey })).to.equal("secret");
    });
  });

  describe("read", () => {
    it("count only beside a metadata envelope that agrees (S19)", async () => {
      const V2 = { commitmentPolicy: "FORBID_ENCRYPT_ALLOW_DECRYPT" } as const;
      const both = writer({ ...V2, enableUncommittedChildren: true });
      await both.send(put("agree/a", "a"));
      await both.send(put("agree/b", "b"));
      await annotate("agree/a", NAME, await text("agree/b"));
      expect((await refusal(reads("agree/a", { ...V2, keyring: escrowKey }))).code).to.equal("no-matching-key");
      const other = fixture.client({ keyring: generator });
      await writer().send(put("agree/c", "c"));
      await other.send(put("agree/d", "d"));
      await annotate("agree/d", NAME, await text("agree/c"));
      expect((await refusal(reads("agree/d", { keyring: escrowKey }))).code).to.equal("no-matching-key");
    });

    it("are not asked of an object with no envelope on it", async () => {
      await fixture.plain.send(new PutObjectCommand({ Bucket: BUCKET, Key: "none", Body: "x" }));
      fixture.server.clearRequests();
      expect((await refusal(reads("none", { keyring: escrowKey }))).code).to.equal("not-encrypted");
      expect(requests()).not.to.include("ListObjectAnnotations");
    });

    it("are not looked for where the client looks beside no object", async () => {
      await writer().send(put("disabled"));
      fixture.server.clearRequests();
      const options = { keyring: escrowKey, instructionFileConfig: { disableInstructionFile: true } };
      expect((await refusal(reads("disabled", options))).code).to.equal("no-matching-key");
      expect(requests()).not.to.include("ListObjectAnnotations");
    });

    it("try no more than 8, and say how many were not tried", async () => {
      await fixture.client({ keyring: generator }).send(put("many"));
      await writer().send(put("many-source"));
      const wrapped = await text("many-source");
      for (let index = 10; index < 22; index++) await annotate("many", `x-s3ec/r${index}`, wrapped);
      await annotate("many", "x-s3ec/moving", "{}");
      const error = await refusal(reads("many", { keyring: escrowKey }));
      expect(error.message).to.contain("4 more annotations");
      await writer().send(put("named-last"));
      const own = await text("named-last");
      for (let index = 10; index < 22; index++) await annotate("named-last", `x-s3ec/a${index}`, wrapped);
      expect(own).to.contain("x-amz-3");
      const call = { instructionFileSuffix: ".escrow" };
      expect(await reads("named-last", { keyring: escrowKey }, call)).to.equal("secret");
    });

    it("leave out what is larger than any client writes, or no text of a wrapped key", async () => {
      await writer().send(put("junk"));
      await annotate("junk", "x-s3ec/a", "x".repeat(70_000));
      await annotate("junk", "x-s3ec/b", "[]");
      await annotate("junk", "x-s3ec/c", '{"__proto__":"1"}');
      fixture.server.clearRequests();
      expect(await reads("junk", { keyring: escrowKey })).to.equal("secret");
      expect(requests().filter((name) => name === "GetObjectAnnotation")).to.have.lengthOf(3);
    });

    for (const operation of ["ListObjectAnnotations", "GetObjectAnnotation"]) {
      for (const [status, code] of [
        [403, "AccessDenied"],
        [503, "SlowDown"],
      ] as const) {
        it(`keep the first error where they cannot be read, and say why (${operation}, ${status})`, async () => {
          await writer().send(put("unlisted"));
          fixture.server.faults.add({ operation, status, code });
          const error = await refusal(reads("unlisted", { keyring: escrowKey }));
          expect(error.code).to.equal("no-matching-key");
          expect(error.message).to.contain(`could all annotations of the object be read (${code})`);
        });
      }
    }

    it("open what a raw key of the same kind failed to", async () => {
      const child = new RawAesKeyring({ wrappingKey: randomBytes(32) });
      const both = new MultiKeyring({ generator, children: [{ keyring: child, instructionFileSuffix: ".child" }] });
      await writer({ keyring: both }).send(put("raw"));
      expect(await reads("raw", { keyring: child })).to.equal("secret");
      const stranger = new RawAesKeyring({ wrappingKey: randomBytes(32) });
      expect((await refusal(reads("raw", { keyring: stranger }))).code).to.equal("decryption-failed");
    });
  });
});

/** A store that does not know `?annotation` may take what is put there for the object. */
for (const annotations of ["refused", "ignored"] as const) {
  describe(`wrapped keys in annotations of a store where they are ${annotations}`, () => {
    let server: DevServer;
    const clients: S3EncryptionClient[] = [];
    before(async () => {
      const options: DevServerOptions = { buckets: [BUCKET], fsync: false, annotations };
      server = await startDevServer(options);
    });
    after(async () => {
      for (const client of clients) client.destroy();
      await server.close();
    });
    const client = (encryption: S3EncryptionOptions): S3EncryptionClient => {
      const made = new S3EncryptionClient({ ...server.clientConfig, maxAttempts: 1, encryption });
      clients.push(made);
      return made;
    };
    const content = async (key: string, options: S3EncryptionOptions): Promise<string | undefined> =>
      (await client(options).send(get(key))).Body?.transformToString();

    for (const size of [6, 200_000]) {
      it(`never replace the object, of ${size} bytes`, async () => {
        const body = "s".repeat(size);
        const error = await errorOf(client(ANNOTATIONS).send(put(`k${size}`, body)));
        expect(error).to.have.property("code", "instruction-file-failed");
        expect((error as InstructionFileError).files.map(({ annotation }) => annotation)).to.deep.equal([NAME]);
        expect(await content(`k${size}`, { keyring: generator })).to.equal(body);
        expect(
          server.requests.filter(({ operation }) => operation === "PutObject" || /Put.*Annot/.test(operation)),
        ).to.have.lengthOf(1);
        server.clearRequests();
      });

      it(`leave the first error to a reader without its key, of ${size} bytes`, async () => {
        await client({ keyring: generator }).send(put(`r${size}`, "s".repeat(size)));
        const error = await refusal(content(`r${size}`, { keyring: escrowKey }));
        expect(error.code).to.equal("no-matching-key");
        server.clearRequests();
      });
    }

    it("are not believed of an object whose body looks like a list", async () => {
      const { ListObjectAnnotationsCommand: List } = await import("@aws-sdk/client-s3");
      const { AnnotationStore } = await import("../dist/annotations/annotation-store.js");
      const { plainClientOf } = await import("../dist/plain-client.js");
      const body = `<?xml version="1.0"?><ListObjectAnnotationsOutput><Annotations></Annotations><Bucket>${BUCKET}</Bucket><Key>xml</Key><AnnotationPrefix>x-s3ec/</AnnotationPrefix></ListObjectAnnotationsOutput>`;
      await server.putRawObject(BUCKET, "xml", { body });
      const plain = plainClientOf(client({ keyring: generator }));
      if (annotations === "ignored") {
        const answer = await plain.send(new List({ Bucket: BUCKET, Key: "xml", AnnotationPrefix: "x-s3ec/" }));
        expect(answer).to.include({ Bucket: BUCKET, Key: "xml", AnnotationPrefix: "x-s3ec/" });
      }
      const store = new AnnotationStore(plain, { Bucket: BUCKET, Key: "xml" });
      expect((await refusal(store.put("x-s3ec/a", "text", '"etag"'))).code).to.equal("unsupported-operation");
      expect((await refusal(store.remove("x-s3ec/a", '"etag"'))).code).to.equal("unsupported-operation");
      const { Body } = await plain.send(get("xml"));
      expect(await Body?.transformToString()).to.equal(body);
    });
  });
}
