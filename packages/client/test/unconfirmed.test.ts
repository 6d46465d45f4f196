import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import {
  CompleteMultipartUploadCommand,
  CopyObjectCommand,
  CreateMultipartUploadCommand,
  DeleteObjectCommand,
  DeleteObjectsCommand,
  ListMultipartUploadsCommand,
  PutObjectCommand,
  UploadPartCommand,
} from "@aws-sdk/client-s3";
import { EncryptedUpload, migrateObject, S3EncryptionClient, type S3EncryptionOptions } from "@s3ec/client";
import { expect } from "chai";
import { type Answer, type Asked, liedTo, page } from "./altered-answers.js";
import { BUCKET, bytesOfLength, chunksOf, Fixture, get, put, refusal, TEST_KEYRING } from "./fixture.js";

const FILES: Partial<S3EncryptionOptions> = { instructionFileConfig: { enableInstructionFilePutObject: true } };
const isFile = ({ path }: Asked): boolean => path.endsWith(".instruction");

/** Status 200 by itself says nothing: a portal on the way has it, too. */
describe("a success that S3 did not say", () => {
  let fixture: Fixture;
  before(async () => {
    fixture = await Fixture.start();
  });
  after(() => fixture.close());

  /** The first such request is answered by somebody else. */
  function instead(
    which: (asked: Asked) => boolean,
    answer: () => Answer = page,
    options: Partial<S3EncryptionOptions> = FILES,
  ): S3EncryptionClient {
    let isDone = false;
    const once = (asked: Asked): Answer | undefined => {
      if (isDone || !which(asked)) return undefined;
      isDone = true;
      return answer();
    };
    return liedTo(fixture, { instead: once }, options);
  }

  /** The store does it, and its answer is another one. */
  function done(which: (asked: Asked) => boolean, options: Partial<S3EncryptionOptions> = FILES): S3EncryptionClient {
    const answered = (answer: Answer, asked: Asked): void => {
      if (which(asked)) Object.assign(answer, page());
    };
    return liedTo(fixture, { answered }, options);
  }

  const isPut = (asked: Asked): boolean => asked.method === "PUT" && !isFile(asked);
  const isComplete = ({ method, query }: Asked & { query?: object }): boolean =>
    method === "POST" && query !== undefined && "uploadId" in query;

  async function expectContent(key: string, content: string): Promise<void> {
    const { Body } = await fixture.client(FILES).send(get(key));
    expect(await Body?.transformToString()).to.equal(content);
  }

  async function openUploads(key: string): Promise<number> {
    const { Uploads = [] } = await fixture.plain.send(new ListMultipartUploadsCommand({ Bucket: BUCKET, Prefix: key }));
    return Uploads.length;
  }

  describe("of a deletion", () => {
    const answers: Readonly<Record<string, string>> = {
      "a page": "<html>portal</html>",
      "no key": "<DeleteResult/>",
      "another key": "<DeleteResult><Deleted><Key>other</Key></Deleted></DeleteResult>",
      "a failure of no key": "<DeleteResult><Error><Code>InternalError</Code></Error></DeleteResult>",
    };
    for (const [what, text] of Object.entries(answers)) {
      for (const Quiet of [false, true]) {
        it(`leaves the files of objects, ${Quiet ? "quietly " : ""}answered with ${what}`, async () => {
          const key = `many/${what}/${Quiet}`;
          await fixture.client(FILES).send(put(key));
          const client = instead(
            ({ method }) => method === "POST",
            () => page(text),
          );
          const Delete = { Objects: [{ Key: key }], Quiet };
          const { Errors = [] } = await client.send(new DeleteObjectsCommand({ Bucket: BUCKET, Delete }));
          expect(Errors.map(({ Key, Code }) => ({ Key, Code }))).to.deep.include({ Key: key, Code: "NotConfirmed" });
          await expectContent(key, "secret");
        });
      }
    }

    it("takes the files of an object that was deleted quietly, and says nothing of it", async () => {
      await fixture.client(FILES).send(put("quiet"));
      const Delete = { Objects: [{ Key: "quiet" }], Quiet: true };
      const output = await fixture.client(FILES).send(new DeleteObjectsCommand({ Bucket: BUCKET, Delete }));
      expect(output).not.to.have.any.keys("Deleted", "Errors");
      expect(await fixture.keys("quiet")).to.deep.equal([]);
    });

    it("names a file whose own deletion nobody confirmed", async () => {
      await fixture.client(FILES).send(put("file-left"));
      let posts = 0;
      const client = instead(({ method }) => method === "POST" && ++posts === 2);
      const Delete = { Objects: [{ Key: "file-left" }] };
      const { Errors } = await client.send(new DeleteObjectsCommand({ Bucket: BUCKET, Delete }));
      expect(Errors?.map(({ Key }) => Key)).to.deep.equal(["file-left.instruction"]);
      await fixture.client(FILES).send(put("file-left-alone"));
      const single = instead((asked) => asked.method === "DELETE" && isFile(asked));
      const error = await refusal(single.send(new DeleteObjectCommand({ Bucket: BUCKET, Key: "file-left-alone" })));
      expect(error.code).to.equal("instruction-file-failed");
    });

    it("leaves the files of an object that still stands", async () => {
      await fixture.client(FILES).send(put("single"));
      const client = instead(({ method }) => method === "DELETE");
      const error = await refusal(client.send(new DeleteObjectCommand({ Bucket: BUCKET, Key: "single" })));
      expect(error.code).to.equal("outcome-unknown");
      await expectContent("single", "secret");
    });

    it("takes the files of an object that is gone", async () => {
      await fixture.client(FILES).send(put("gone"));
      const client = done((asked) => asked.method === "DELETE" && !isFile(asked));
      await client.send(new DeleteObjectCommand({ Bucket: BUCKET, Key: "gone" }));
      expect(await fixture.keys("gone")).to.deep.equal([]);
    });
  });

  describe("of a write", () => {
    const answers: Readonly<Record<string, () => Answer>> = {
      "a page": page,
      "a tag that is none of it": () => page("", { etag: '"00000000000000000000000000000000"' }),
    };
    for (const [what, answer] of Object.entries(answers)) {
      it(`puts back the files of the object that stands, answered with ${what}`, async () => {
        const key = `first/${what}`;
        await fixture.client(FILES).send(put(key, "old"));
        const error = await refusal(instead(isPut, answer).send(put(key, "new")));
        expect(error.code).to.equal("content-mismatch");
        expect(error.message).to.include("not stored");
        await expectContent(key, "old");
      });
    }

    it("is no put, and is one where the object stands", async () => {
      expect((await refusal(instead(isPut, page, {}).send(put("put")))).code).to.equal("content-mismatch");
      expect(await fixture.keys("put")).to.deep.equal([]);
      const { ETag } = await done(isPut, {}).send(put("put"));
      expect(ETag).to.be.a("string");
      await expectContent("put", "secret");
    });

    it("cannot be told where the object may not be looked at", async () => {
      const client = liedTo(fixture, {
        instead: ({ method }) => {
          if (method === "HEAD") return { ...page(""), statusCode: 403 };
          return method === "PUT" ? page() : undefined;
        },
      });
      expect((await refusal(client.send(put("hidden")))).code).to.equal("outcome-unknown");
    });

    it("is no copy", async () => {
      await fixture.client().send(put("source"));
      const copy = { Bucket: BUCKET, Key: "copy", CopySource: `${BUCKET}/source` };
      const client = instead(isPut, () => page("<CopyObjectResult/>"), {});
      expect((await refusal(client.send(new CopyObjectCommand(copy)))).code).to.equal("content-mismatch");
      const onto = { ...copy, Key: "source", MetadataDirective: "REPLACE", Metadata: { a: "b" } } as const;
      const own = instead(isPut, page, {}).send(new CopyObjectCommand(onto));
      expect((await refusal(own)).code).to.equal("content-mismatch");
      expect(await fixture.metadata("source")).not.to.have.property("a");
    });

    it("is no upload, whose parts are removed", async () => {
      const params = { Bucket: BUCKET, Key: "upload", Body: bytesOfLength(6 * 1024 ** 2) };
      const whole = { ...params, Key: "upload-whole", Body: "secret" };
      const another = () =>
        page("<CompleteMultipartUploadResult><Key>x</Key><ETag>e</ETag></CompleteMultipartUploadResult>");
      for (const answer of [page, another]) {
        const upload = new EncryptedUpload({ client: instead(isComplete, answer, {}), params });
        expect((await refusal(upload.done())).code).to.equal("content-mismatch");
        expect(await openUploads("upload")).to.equal(0);
      }
      const single = new EncryptedUpload({ client: instead(isPut, page, {}), params: whole });
      expect((await refusal(single.done())).code).to.equal("content-mismatch");
      const { ETag } = await new EncryptedUpload({ client: done(isComplete, {}), params }).done();
      expect(ETag).to.be.a("string");
    });

    it("is no completion, after which the upload can be completed", async () => {
      const client = instead(isComplete, page, {});
      const address = { Bucket: BUCKET, Key: "commands" };
      const { UploadId } = await client.send(new CreateMultipartUploadCommand(address));
      const upload = { ...address, UploadId };
      const { ETag } = await client.send(new UploadPartCommand({ ...upload, PartNumber: 1, Body: "secret" }));
      const complete = { ...upload, MultipartUpload: { Parts: [{ PartNumber: 1, ETag }] } };
      const error = await refusal(client.send(new CompleteMultipartUploadCommand(complete)));
      expect(error.cause)
        .to.have.property("message")
        .that.includes(UploadId ?? "-");
      await client.send(new CompleteMultipartUploadCommand(complete));
      await expectContent("commands", "secret");
    });

    it("is no migration where the old object is seen to stand", async () => {
      const old = { ...FILES, commitmentPolicy: "FORBID_ENCRYPT_ALLOW_DECRYPT" } as const;
      await fixture.client(old).send(put("migrated", "old"));
      const reading = { commitmentPolicy: "REQUIRE_ENCRYPT_ALLOW_DECRYPT" } as const;
      for (const answer of Object.values(answers)) {
        const isObject = (asked: Asked): boolean =>
          isPut(asked) && !("annotation" in (Reflect.get(asked, "query") ?? {}));
        const client = instead(isObject, answer, reading);
        const error = await refusal(migrateObject(client, { Bucket: BUCKET, Key: "migrated" }));
        expect(error.code).to.equal("content-mismatch");
        const { Body } = await fixture.client(old).send(get("migrated"));
        expect(await Body?.transformToString()).to.equal("old");
      }
    });
  });

  describe("before all was sent", () => {
    const content = bytesOfLength(20 * 1024 ** 2);
    const bodies = { "a buffer": () => content, "a stream": () => chunksOf(content, 1024 ** 2) };
    for (const [what, body] of Object.entries(bodies)) {
      it(`is no put of ${what}`, async () => {
        const server = createServer((request, response) => {
          if (request.method === "HEAD") response.statusCode = 404;
          else response.setHeader("etag", '"00000000000000000000000000000000"');
          response.end();
        });
        server.on("checkContinue", (_, response) => response.setHeader("etag", '"0"').end());
        server.listen(0, "127.0.0.1");
        await once(server, "listening");
        const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
        const settings = { ...fixture.server.clientConfig, endpoint, maxAttempts: 1 };
        const client = fixture.track(new S3EncryptionClient({ ...settings, encryption: { keyring: TEST_KEYRING } }));
        try {
          const early = { Bucket: BUCKET, Key: "early", Body: body() as never, ContentLength: content.length };
          expect((await refusal(client.send(new PutObjectCommand(early)))).code).to.equal("content-mismatch");
        } finally {
          server.closeAllConnections();
          server.close();
        }
      });
    }
  });
});
