import { generateKeyPairSync } from "node:crypto";
import { getEventListeners } from "node:events";
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { buffer } from "node:stream/consumers";
import { PutObjectCommand } from "@aws-sdk/client-s3";
import {
  EncryptedUpload,
  type ObjectAway,
  type OpenOptions,
  openObject,
  openObjectToFile,
  type StoredBody,
  sealObject,
} from "@s3ec/client";
import { AwsMessageFormat } from "@s3ec/format-aws-message";
import { S3Format } from "@s3ec/format-s3";
import { MultiKeyring } from "@s3ec/keyring-multi";
import { RawRsaKeyring } from "@s3ec/keyring-raw-rsa";
import { DefaultMaterialsManager, type MaterialsManager } from "@s3ec/materials";
import { expect } from "chai";
import { BUCKET, bytesOfLength, chunksOf, Fixture, get, put, refusal, TEST_KEYRING } from "./fixture.js";
import { ThirdPartyKeyring } from "./third-party-keyring.js";
import { errorOf } from "./transfers.js";

const { publicKey, privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
const escrow = new RawRsaKeyring({ publicKey, materialDescription: { purpose: "escrow" } });
const escrowKey = new RawRsaKeyring({ privateKey });
const keyring = new MultiKeyring({
  generator: TEST_KEYRING,
  children: [{ keyring: escrow, instructionFileSuffix: ".escrow" }],
});

async function sealed(plaintext: Uint8Array, options: OpenOptions): Promise<ObjectAway & { readonly Body: Buffer }> {
  const { Body, ContentLength, Metadata } = await sealObject({ Body: plaintext }, options);
  const bytes = Buffer.concat(await Body.toArray());
  expect(bytes.length).to.equal(ContentLength);
  return { Metadata, Body: bytes, ContentLength };
}

async function bytesOf(object: ObjectAway, options: OpenOptions): Promise<Buffer> {
  return Buffer.from(await (await openObject(object, options)).Body.transformToByteArray());
}

describe("objects away from S3", () => {
  const plaintext = bytesOfLength(100_000);

  describe("openObject", () => {
    const bodies: Readonly<Record<string, (bytes: Buffer) => StoredBody>> = {
      bytes: (bytes) => bytes,
      "an ArrayBuffer": (bytes) => Uint8Array.from(bytes).buffer,
      "a Blob": (bytes) => new Blob([Uint8Array.from(bytes)]),
      "a Node stream": (bytes) => Readable.from(chunksOf(bytes, 1000), { objectMode: false }),
      "a web stream": (bytes) => new Blob([Uint8Array.from(bytes)]).stream() as ReadableStream<Uint8Array>,
      "an async iterable": (bytes) => chunksOf(bytes, 7),
    };
    for (const [name, bodyOf] of Object.entries(bodies)) {
      it(`takes ${name}, and gives nothing of one that was altered`, async () => {
        for (const bufferSize of [1024 * 1024, 1000]) {
          const options = { keyring: TEST_KEYRING, bufferSize };
          const object = await sealed(plaintext, { keyring: TEST_KEYRING });
          expect((await bytesOf({ ...object, Body: bodyOf(object.Body) }, options)).equals(plaintext)).to.equal(true);
          object.Body[50_000] = (object.Body[50_000] ?? 0) ^ 1;
          const error = await refusal(openObject({ ...object, Body: bodyOf(object.Body) }, options));
          expect(error.code).to.equal("decryption-failed");
        }
      });
    }

    it("refuses texts, what is no body, and one that was given before", async () => {
      const options = { keyring: TEST_KEYRING };
      const { Metadata } = await sealed(plaintext, options);
      for (const Body of ["text", 1, undefined, {}]) {
        const error = await refusal(openObject({ Metadata, Body: Body as never }, options));
        expect(error.code).to.equal("invalid-argument");
      }
      const Body = Readable.from(["x"]);
      await refusal(openObject({ Metadata, Body }, options));
      expect((await refusal(openObject({ Metadata, Body }, options))).message).to.contain("pass a new one");
    });

    it("says how much of a body is missing, or too much", async () => {
      const options = { keyring: TEST_KEYRING };
      const object = await sealed(plaintext, options);
      const short = object.Body.subarray(0, -1);
      for (const [Body, message] of [
        [short, "said to have 100016 bytes, and 100015 were given"],
        [Readable.from([short]), "ended after 100015 of 100016 bytes"],
        [Readable.from([object.Body, Buffer.alloc(1)]), "longer than the 100016 bytes"],
      ] as const) {
        const error = await refusal(openObject({ ...object, Body }, options));
        expect(error).to.include({ code: "content-mismatch" });
        expect(error.message).to.contain(message);
      }
      expect((await refusal(openObject({ ...object, ContentLength: -1 }, options))).code).to.equal("invalid-argument");
    });

    it("releases plaintext before it is proven only by that mode's name, and then never ends well", async () => {
      const options = { keyring: TEST_KEYRING, enableDelayedAuthenticationMode: true };
      const object = await sealed(plaintext, options);
      object.Body[99_000] = (object.Body[99_000] ?? 0) ^ 1;
      const { Body } = await openObject({ ...object, Body: Readable.from(chunksOf(object.Body, 1000)) }, options);
      const seen: Buffer[] = [];
      const error = await errorOf(
        (async () => {
          for await (const chunk of Body as unknown as AsyncIterable<Buffer>) seen.push(chunk);
        })(),
      );
      expect(error).to.include({ code: "decryption-failed" });
      expect(Buffer.concat(seen).subarray(0, 90_000).equals(plaintext.subarray(0, 90_000))).to.equal(true);
    });

    it("lets every gate speak before a key is used", async () => {
      const counting = new ThirdPartyKeyring();
      const v2 = await sealed(plaintext, { keyring: counting, commitmentPolicy: "FORBID_ENCRYPT_ALLOW_DECRYPT" });
      const refused = await refusal(openObject(v2, { keyring: counting }));
      expect(refused.code).to.equal("commitment-policy");
      const malformed = { ...v2, Metadata: { ...v2.Metadata, "x-amz-tag-len": "96" } };
      const policy = { commitmentPolicy: "FORBID_ENCRYPT_ALLOW_DECRYPT" } as const;
      expect((await refusal(openObject(malformed, { keyring: counting, ...policy }))).code).to.equal(
        "malformed-envelope",
      );
      expect((await refusal(openObject({ Body: v2.Body }, { keyring: counting }))).code).to.equal("not-encrypted");
      expect(counting.unwraps).to.equal(0);
      expect((await bytesOf(v2, { keyring: counting, ...policy })).equals(plaintext)).to.equal(true);
      expect(counting.unwraps).to.equal(1);
    });

    it("says of headers' names that they are none of metadata", async () => {
      const { Metadata = {}, Body } = await sealed(plaintext, { keyring: TEST_KEYRING });
      const headers = Object.fromEntries(
        Object.entries(Metadata).map(([name, value]) => [`x-amz-meta-${name}`, value]),
      );
      const { code, message } = await refusal(openObject({ Metadata: headers, Body }, { keyring: TEST_KEYRING }));
      expect([code, message.startsWith("Leave x-amz-meta- off the names of Metadata")]).to.eql([
        "invalid-argument",
        true,
      ]);
      // Somebody may have named their own so.
      const both = { ...Metadata, "x-amz-meta-mine": "1" };
      expect((await openObject({ Metadata: both, Body }, { keyring: TEST_KEYRING })).ContentLength).to.equal(100_000);
    });

    it("takes the instruction file that is given with it, under whatever name, and no other key", async () => {
      const { Metadata, Body, instructionFiles } = await sealObject({ Body: plaintext }, { keyring });
      const [file] = instructionFiles;
      const text = file?.Body ?? "";
      expect(file?.suffix).to.equal(".escrow");
      const object = { Metadata, Body: Buffer.concat(await Body.toArray()) };
      for (const instructionFile of [text, { suffix: ".escrow", text }, { suffix: ".other", text }]) {
        const options = { keyring: escrowKey, instructionFile };
        expect((await bytesOf(object, options)).equals(plaintext)).to.equal(true);
      }
      const without = await refusal(openObject(object, { keyring: escrowKey }));
      expect(without.code).to.equal("no-matching-key");
      expect(without.message).to.contain("pass its text as instructionFile");
      const elsewhere = {
        keyring: escrowKey,
        instructionFile: { suffix: ".escrow", text },
        instructionFileSuffix: ".x",
      };
      expect((await refusal(openObject(object, elsewhere))).message).to.contain("not what was looked for");
      // A file that was looked into is not said to be missing.
      const other = await refusal(openObject(object, { keyring: TEST_KEYRING, instructionFile: text }));
      expect([other.code, other.message.includes("instruction file that was given")]).to.eql([
        "no-matching-key",
        false,
      ]);
      // The file is what opens it, not the key that the metadata has.
      expect((await refusal(openObject(object, { keyring: TEST_KEYRING, instructionFile: text }))).code).to.equal(
        "no-matching-key",
      );
      const long = { keyring: escrowKey, instructionFile: " ".repeat(70_000) };
      expect((await refusal(openObject(object, long))).code).to.equal("malformed-envelope");
    });

    it("takes annotations", async () => {
      const written = await sealObject({ Body: plaintext }, { keyring, wrapPlacement: "annotations" });
      expect(written.instructionFiles).to.deep.equal([]);
      expect(written.annotations.map(({ name }) => name)).to.deep.equal(["x-s3ec/escrow"]);
      const annotations = Object.fromEntries(written.annotations.map(({ name, text }) => [name, text]));
      const object = { Metadata: written.Metadata, Body: Buffer.concat(await written.Body.toArray()) };
      expect((await bytesOf(object, { keyring: escrowKey, annotations })).equals(plaintext)).to.equal(true);
      expect((await refusal(openObject(object, { keyring: escrowKey }))).code).to.equal("no-matching-key");
    });

    it("reads messages, which need no metadata, and checks what the call says of them", async () => {
      const both = new RawRsaKeyring({ publicKey, privateKey, messageKey: { namespace: "a", name: "b" } });
      const options = { keyring: both, formats: [new AwsMessageFormat(), new S3Format()] };
      const { Body } = await sealed(plaintext, { ...options, encryptionContext: { a: "b" } });
      expect((await bytesOf({ Body }, { ...options, encryptionContext: { a: "b" } })).equals(plaintext)).to.equal(true);
      const { formatName, isAuthenticated } = await openObject({ Body }, { ...options, encryptionContext: { a: "b" } });
      expect({ formatName, isAuthenticated }).to.deep.equal({ formatName: "message", isAuthenticated: true });
      const error = await refusal(openObject({ Body }, { ...options, encryptionContext: { a: "c" } }));
      expect(error.code).to.equal("context-mismatch");
      expect((await refusal(openObject({ Body }, { ...options, format: "s3" }))).code).to.equal("not-encrypted");
    });

    it("refuses options that nobody knows, and both of client and keyring", async () => {
      const options = { keyring: TEST_KEYRING };
      const object = await sealed(plaintext, options);
      for (const wrong of [
        { ...options, passphrase: "x" },
        { ...options, parallelRanges: 2 },
        { ...options, client: {} },
        { client: {} },
        { ...options, instructionFile: { suffix: "", text: "x" } },
        { ...options, instructionFile: 1 },
        { ...options, annotations: { a: 1 } },
      ]) {
        expect((await refusal(openObject(object, wrong as never))).code).to.equal("invalid-argument");
      }
      expect((await refusal(openObject(object, {}))).code).to.equal("invalid-configuration");
      expect((await refusal(openObject({ ...object, Metadata: [] as never }, options))).code).to.equal(
        "invalid-argument",
      );
    });

    it("ends when it is told to, and lets go of the body", async () => {
      const object = await sealed(plaintext, { keyring: TEST_KEYRING });
      const aborting = new AbortController();
      const Body = new Readable({ read: () => {} });
      const opening = errorOf(openObject({ ...object, Body }, { keyring: TEST_KEYRING, abortSignal: aborting.signal }));
      setImmediate(() => aborting.abort());
      expect((await opening).name).to.equal("AbortError");
      expect(Body.destroyed).to.equal(true);
    });

    it("has its answer fail once it is told to end, until that was read, and keeps no listener behind it", async () => {
      const { signal } = new AbortController();
      const object = await sealed(plaintext, { keyring: TEST_KEYRING });
      const { Body } = await openObject(object, { keyring: TEST_KEYRING, abortSignal: signal });
      expect((await Body.transformToByteArray()).length).to.equal(plaintext.length);
      expect(getEventListeners(signal, "abort")).to.deep.equal([]);
      await errorOf(openObject({ ...object, Body: "x" as never }, { keyring: TEST_KEYRING, abortSignal: signal }));
      expect(getEventListeners(signal, "abort")).to.deep.equal([]);

      const aborting = new AbortController();
      const again = await sealed(plaintext, { keyring: TEST_KEYRING });
      const source = Readable.from(chunksOf(again.Body, 1000));
      const options = { keyring: TEST_KEYRING, abortSignal: aborting.signal, enableDelayedAuthenticationMode: true };
      const opened = await openObject({ ...again, Body: source }, options);
      aborting.abort();
      expect((await errorOf(opened.Body.transformToByteArray())).name).to.equal("AbortError");
      expect([source.destroyed, getEventListeners(aborting.signal, "abort")]).to.deep.equal([true, []]);
    });
  });

  describe("openObjectToFile", () => {
    let folder: string;
    beforeEach(async () => {
      folder = await mkdtemp(join(tmpdir(), "s3ec-away-"));
    });
    afterEach(() => rm(folder, { recursive: true }));

    it("makes or replaces a file that is whole and proven, and leaves what stood there otherwise", async () => {
      const file = join(folder, "out");
      const options = { keyring: TEST_KEYRING };
      const object = await sealed(plaintext, options);
      for (const Body of [object.Body, Readable.from(chunksOf(object.Body, 1000))]) {
        expect(await openObjectToFile({ ...object, Body }, file, options)).to.deep.equal({
          formatName: "s3",
          isAuthenticated: true,
          ContentLength: plaintext.length,
        });
        expect((await readFile(file)).equals(plaintext)).to.equal(true);
        expect(await readdir(folder)).to.deep.equal(["out"]);
      }
      await writeFile(file, "before");
      const altered = Buffer.from(object.Body);
      altered[0] = (altered[0] ?? 0) ^ 1;
      const delayed = { ...options, enableDelayedAuthenticationMode: true };
      for (const way of [options, delayed]) {
        const error = await refusal(openObjectToFile({ ...object, Body: altered }, file, way));
        expect(error.code).to.equal("decryption-failed");
      }
      expect(await readFile(file, "utf8")).to.equal("before");
      expect(await readdir(folder)).to.deep.equal(["out"]);
    });
  });

  describe("sealObject", () => {
    let fixture: Fixture;
    before(async () => {
      fixture = await Fixture.start();
    });
    after(() => fixture.close());

    it("makes what a put makes: uploaded by another client, each of its keys opens it", async () => {
      for (const Body of [Buffer.from(plaintext), Readable.from(chunksOf(plaintext, 100))]) {
        const object = await sealObject({ Body, Metadata: { mine: "1" } }, { keyring });
        expect(object.Metadata).to.include({ mine: "1" });
        expect(object.needsInstructionFiles).to.equal(false);
        const { Metadata, ContentLength } = object;
        const bytes = Buffer.concat(await object.Body.toArray());
        const upload = { Bucket: BUCKET, Key: "sealed", Body: bytes, Metadata: { ...Metadata } };
        await fixture.plain.send(new PutObjectCommand(upload));
        for (const { suffix, ...file } of object.instructionFiles) {
          const beside = { Bucket: BUCKET, Key: `sealed${suffix}`, Body: file.Body, Metadata: { ...file.Metadata } };
          await fixture.plain.send(new PutObjectCommand(beside));
        }
        expect(ContentLength ?? bytes.length).to.equal(plaintext.length + 16);
        for (const [reader, call] of [
          [fixture.client(), {}],
          [fixture.client({ keyring: escrowKey }), { instructionFileSuffix: ".escrow" }],
        ] as const) {
          const answer = await reader.send(get("sealed"), call);
          expect(Buffer.from((await answer.Body?.transformToByteArray()) ?? []).equals(plaintext)).to.equal(true);
        }
      }
    });

    it("gives ciphertext that no client encrypts again, which would lose its wrapped key", async () => {
      const { Metadata, Body } = await sealObject({ Body: Buffer.from(plaintext) }, { keyring });
      const upload = { Bucket: BUCKET, Key: "sealed-twice", Body, Metadata: { ...Metadata } };
      const client = fixture.client();
      for (const twice of [
        client.send(new PutObjectCommand(upload)),
        new EncryptedUpload({ client, params: upload }).done(),
        sealObject({ Body }, { keyring }),
      ]) {
        const { code, message } = await refusal(twice);
        expect([code, message.includes("is ciphertext of sealObject")]).to.eql(["invalid-argument", true]);
      }
      expect((await openObject({ Metadata, Body }, { keyring })).ContentLength).to.equal(plaintext.length);
    });

    it("has its answer fail once it is told to end, and lets go of the body", async () => {
      const { signal } = new AbortController();
      const whole = await sealObject({ Body: "x" }, { keyring, abortSignal: signal });
      expect((await buffer(whole.Body)).length).to.equal(17);
      expect(getEventListeners(signal, "abort")).to.deep.equal([]);

      const aborting = new AbortController();
      const Body = new Readable({ read: () => {} });
      const left = await sealObject({ Body }, { keyring, abortSignal: aborting.signal });
      aborting.abort();
      expect((await errorOf(buffer(left.Body))).name).to.equal("AbortError");
      expect([Body.destroyed, getEventListeners(aborting.signal, "abort")]).to.deep.equal([true, []]);
      const late = await errorOf(sealObject({ Body: "x" }, { keyring, abortSignal: aborting.signal }));
      expect(late.name).to.equal("AbortError");
    });

    it("refuses a context that it would inherit, and not bind", async () => {
      const options = Object.assign(Object.create({ encryptionContext: { tenant: "a" } }), { keyring });
      const { code, message } = await refusal(sealObject({ Body: "x" }, options));
      expect([code, message.includes("Pass encryptionContext to sealObject as a property")]).to.eql([
        "invalid-argument",
        true,
      ]);
    });

    it("says whether the files must be there before the object", async () => {
      const placed = { keyring, wrapPlacement: "instruction-files" } as const;
      const object = await sealObject(
        { Body: plaintext },
        { ...placed, instructionFileConfig: { enableInstructionFilePutObject: true } },
      );
      object.Body.destroy();
      expect(object.needsInstructionFiles).to.equal(true);
      expect(object.instructionFiles.map(({ suffix }) => suffix)).to.have.members([".instruction", ".escrow"]);
    });

    it("uses a client's options, and has it send nothing", async () => {
      const client = fixture.client({ keyring });
      fixture.server.clearRequests();
      const { Metadata, Body } = await sealObject({ Body: plaintext }, { client });
      const opened = await openObject({ Metadata, Body }, { client });
      expect(Buffer.from(await opened.Body.transformToByteArray()).equals(plaintext)).to.equal(true);
      expect(fixture.server.requests).to.deep.equal([]);
      expect((await refusal(openObject({ Metadata, Body: plaintext }, { client: fixture.plain }))).code).to.equal(
        "invalid-argument",
      );
    });

    it("gives keys by where the object goes, to managers that choose by it", async () => {
      const asked: unknown[] = [];
      const inner = new DefaultMaterialsManager(TEST_KEYRING);
      const materialsManager: MaterialsManager = {
        wrapAlgorithms: inner.wrapAlgorithms,
        getEncryptionMaterials: (request) => {
          asked.push([request.bucket, request.key]);
          return inner.getEncryptionMaterials(request);
        },
        getDecryptionMaterials: (request) => inner.getDecryptionMaterials(request),
      };
      const { Body } = await sealObject({ Body: "x" }, { materialsManager, Bucket: "b", Key: "k" });
      Body.destroy();
      expect(asked).to.deep.equal([["b", "k"]]);
    });

    it("refuses what a put refuses, and lets go of the body", async () => {
      const Body = Readable.from(["x"]);
      const reserved = sealObject({ Body, Metadata: { "x-amz-evil": "1" } }, { keyring: TEST_KEYRING });
      expect((await refusal(reserved)).code).to.equal("invalid-argument");
      expect(Body.destroyed).to.equal(true);
      for (const object of [undefined, {}, { Body: "x", Bucket: "b" }]) {
        expect((await refusal(sealObject(object as never, { keyring: TEST_KEYRING }))).code).to.equal(
          "invalid-argument",
        );
      }
      const wrongLength = sealObject({ Body: "secret", ContentLength: 5 }, { keyring: TEST_KEYRING });
      expect((await refusal(wrongLength)).code).to.equal("content-mismatch");
      const short = await sealObject({ Body: Readable.from(["x"]), ContentLength: 5 }, { keyring: TEST_KEYRING });
      expect((await refusal(short.Body.toArray())).code).to.equal("content-mismatch");
      const client = fixture.client();
      await client.send(put("kept", "x"));
      const { metadata: Metadata } = await fixture.stored("kept");
      const again = await sealObject({ Body: "y", Metadata }, { keyring: TEST_KEYRING });
      again.Body.destroy();
      expect(again.Metadata["x-amz-3"]).not.to.equal(Metadata["x-amz-3"]);
    });
  });
});
