import { PassThrough, Readable } from "node:stream";
import { CopyObjectCommand, GetObjectCommand, PutObjectCommand } from "@aws-sdk/client-s3";
import { EncryptedDownload, type S3EncryptionClient, type S3EncryptionOptions } from "@s3ec/client";
import { AwsMessageFormat } from "@s3ec/format-aws-message";
import { S3Format } from "@s3ec/format-s3";
import { RawAesKeyring } from "@s3ec/keyring-raw-aes";
import type { ObjectHead } from "@s3ec/materials";
import { expect } from "chai";
import { recognise } from "../dist/read/recognise.js";
import { type Answer, type Asked, Endless, liedTo, replaceBody } from "./altered-answers.js";
import { BUCKET, bytesOfLength, chunksOf, Fixture, refusal, TEST_KEYRING } from "./fixture.js";
import { ThirdPartyKeyring } from "./third-party-keyring.js";
import { errorOf } from "./transfers.js";

/** How an answer can differ from the one that it follows; each is `content-mismatch`. */
const OTHER_ANSWERS: Readonly<Record<string, (answer: Answer) => void>> = {
  "another entity tag": ({ headers }) => {
    headers.etag = '"00000000000000000000000000000000"';
  },
  "another entity tag, a weak one": ({ headers }) => {
    headers.etag = 'W/"00000000000000000000000000000000"';
  },
  "no entity tag": ({ headers }) => {
    Reflect.deleteProperty(headers, "etag");
  },
  "a condition that failed": (answer) => {
    replaceBody(answer, [Buffer.from("<Error><Code>PreconditionFailed</Code></Error>")]);
    answer.statusCode = 412;
  },
  "a range that is not there any more": (answer) => {
    replaceBody(answer, [Buffer.from("<Error><Code>InvalidRange</Code></Error>")]);
    answer.statusCode = 416;
  },
};

const OTHER_RANGES: Readonly<Record<string, (answer: Answer) => void>> = {
  "another range": ({ headers }) => {
    headers["content-range"] = (headers["content-range"] ?? "").replace(/\d+-/, "7-");
  },
  "the range of a longer object": ({ headers }) => {
    headers["content-range"] = `${headers["content-range"]}0`;
  },
  "no range": ({ headers }) => {
    Reflect.deleteProperty(headers, "content-range");
  },
  "the status of a whole object": (answer) => {
    answer.statusCode = 200;
  },
};

const OTHER_WHOLES: Readonly<Record<string, (answer: Answer) => void>> = {
  "a Content-Range": ({ headers }) => {
    headers["content-range"] = "bytes 0-9/10";
  },
  "the status of a part": (answer) => {
    answer.statusCode = 206;
  },
};

const FILES: Partial<S3EncryptionOptions> = { instructionFileConfig: { enableInstructionFilePutObject: true } };
const MESSAGES: Partial<S3EncryptionOptions> = {
  keyring: new ThirdPartyKeyring(),
  formats: [new AwsMessageFormat({ frameLength: 1000 }), new S3Format()],
};

describe("an answer of S3 that is not what was asked for", () => {
  const content = bytesOfLength(2_000_000);
  let fixture: Fixture;

  before(async () => {
    fixture = await Fixture.start();
    await write("object");
    await write("in-file", FILES);
    await write("message", MESSAGES);
    // Its header is longer than what is asked for at first.
    await write("long-header", MESSAGES, { long: "x".repeat(6000) });
  });
  after(() => fixture.close());

  async function write(Key: string, options: Partial<S3EncryptionOptions> = {}, encryptionContext = {}) {
    const put = new PutObjectCommand({ Bucket: BUCKET, Key, Body: content });
    await fixture.client(options).send(put, { encryptionContext });
  }

  /** A client that is answered honestly until the nth request for an object itself. */
  function fromThe(nth: number, lie: (answer: Answer) => void | Promise<void>, options?: Partial<S3EncryptionOptions>) {
    let gets = 0;
    const answered = async (answer: Answer, { path }: Asked) => {
      if (!path.endsWith(".instruction") && ++gets >= nth) await lie(answer);
    };
    return liedTo(fixture, { answered }, options);
  }

  async function read(client: S3EncryptionClient, Key: string, Range?: string, encryptionContext = {}) {
    const { Body } = await client.send(new GetObjectCommand({ Bucket: BUCKET, Key, Range }), { encryptionContext });
    return Buffer.from((await Body?.transformToByteArray()) ?? []);
  }

  async function download(client: S3EncryptionClient, Key: string): Promise<Buffer> {
    const to = new PassThrough();
    const bytes = to.toArray();
    bytes.catch(() => {});
    const params = { Bucket: BUCKET, Key };
    await new EncryptedDownload({ client, params, to, partSize: 300_000, queueSize: 2 }).done();
    return Buffer.concat(await bytes);
  }

  async function mismatch(outcome: Promise<unknown>): Promise<void> {
    expect((await refusal(outcome)).code).to.equal("content-mismatch");
  }

  for (const [what, lie] of Object.entries(OTHER_WHOLES)) {
    it(`is refused of a whole object: ${what}`, async () => {
      await mismatch(read(fromThe(1, lie), "object"));
    });
  }

  for (const [what, lie] of Object.entries({ ...OTHER_ANSWERS, ...OTHER_WHOLES })) {
    it(`is refused of an object asked for again behind its instruction file: ${what}`, async () => {
      await mismatch(read(fromThe(2, lie), "in-file"));
    });
  }

  it("is refused of an object asked for again behind its instruction file: another length", async () => {
    const shorter = (answer: Answer): void => {
      replaceBody(answer, [Buffer.alloc(1000)]);
      answer.headers["content-length"] = "1000";
    };
    await mismatch(read(fromThe(2, shorter), "in-file"));
  });

  for (const [what, lie] of Object.entries({ ...OTHER_ANSWERS, ...OTHER_RANGES })) {
    it(`is refused of a range behind its instruction file: ${what}`, async () => {
      const options = { enableLegacyUnauthenticatedModes: true };
      await mismatch(read(fromThe(2, lie, options), "in-file", "bytes=10-1900000"));
    });

    it(`is refused of a download's later range: ${what}`, async () => {
      await mismatch(download(fromThe(2, lie), "object"));
    });

    it(`is refused of the rest of a message's header: ${what}`, async () => {
      await mismatch(read(fromThe(2, lie, MESSAGES), "long-header", "bytes=0-9", { long: "x".repeat(6000) }));
    });

    it(`is refused of the frames of a message: ${what}`, async () => {
      await mismatch(read(fromThe(2, lie, MESSAGES), "message", "bytes=5-9"));
    });
  }

  for (const [what, lie] of Object.entries(OTHER_RANGES)) {
    if (what !== "no range") {
      it(`is refused of a download's first range: ${what}`, async () => {
        await mismatch(download(fromThe(1, lie), "object"));
      });
    }

    if (what !== "the range of a longer object") {
      it(`is refused of the beginning of a message: ${what}`, async () => {
        await mismatch(read(fromThe(1, lie, MESSAGES), "message", "bytes=5-9"));
      });
    }
  }

  it("is refused of a download's first range: no range, and yet the status of a part", async () => {
    const lie = ({ headers }: Answer): void => void Reflect.deleteProperty(headers, "content-range");
    await mismatch(download(fromThe(1, lie), "object"));
  });

  it("is refused of a download when it has no entity tag, and says what it lacks", async () => {
    const lie = ({ headers }: Answer): void => void Reflect.deleteProperty(headers, "etag");
    expect((await refusal(download(fromThe(1, lie), "object"))).message).to.match(/entity tag/);
  });

  describe("with weak entity tags, as a proxy that compresses makes of S3's", () => {
    const weaken = ({ headers }: Answer): void => {
      headers.etag = `W/${headers.etag}`;
    };
    const conditions: (string | undefined)[] = [];
    const client = (from: number, options: Partial<S3EncryptionOptions> = {}) => {
      let gets = 0;
      const asked = ({ headers }: Asked): void => void conditions.push(headers["if-match"]);
      const answered = (answer: Answer): void => {
        if (++gets >= from) weaken(answer);
      };
      return liedTo(fixture, { asked, answered }, options);
    };

    for (const [name, from] of [["all of them", 1] as const, ["the later ones", 2] as const]) {
      it(`is read, ${name}`, async () => {
        conditions.length = 0;
        for (const Key of ["object", "in-file"]) {
          expect((await read(client(from), Key)).equals(content)).to.equal(true);
          expect((await download(client(from), Key)).equals(content)).to.equal(true);
        }
        const range = await read(client(from, MESSAGES), "message", "bytes=5-9");
        expect(range.equals(content.subarray(5, 10))).to.equal(true);
        // RFC 9110 13.1.1: it would never match.
        expect(conditions.filter((condition) => condition?.startsWith("W/"))).to.deep.equal([]);
      });
    }

    it("is not copied with other metadata, since the envelope could come to other content", async () => {
      const copy = { Bucket: BUCKET, Key: "copied", CopySource: `${BUCKET}/object` };
      const { code } = await refusal(client(1).send(new CopyObjectCommand({ ...copy, MetadataDirective: "REPLACE" })));
      expect(code).to.equal("unsupported-operation");
      expect(await fixture.keys("copied")).to.deep.equal([]);
      await client(1).send(new CopyObjectCommand(copy));
      expect((await read(client(1), "copied")).equals(content)).to.equal(true);
    });

    it("is refused when it is of another version all the same", async () => {
      let gets = 0;
      const answered = ({ headers }: Answer): void => {
        headers.etag = `W/"${++gets > 2 ? "new" : "old"}"`;
      };
      await mismatch(download(liedTo(fixture, { answered }), "object"));
    });
  });

  describe("without an end", () => {
    it("is read no further than the beginning of a message that was asked for", async () => {
      for (const nth of [1, 2]) {
        const endless = new Endless();
        const client = fromThe(nth, (answer) => replaceBody(answer, endless), MESSAGES);
        await mismatch(read(client, "long-header", "bytes=0-9", { long: "x".repeat(6000) }));
        expect(endless.taken).to.be.below(Endless.limit / 8);
      }
    });

    it("is read no further than the frames of a message that were asked for", async () => {
      const endless = new Endless();
      const lie = (answer: Answer): void => {
        const { body } = answer;
        const both = async function* (): AsyncGenerator<Uint8Array> {
          yield* body;
          yield* endless;
        };
        answer.body = Readable.from(both(), { objectMode: false });
      };
      const failed = await refusal(read(fromThe(2, lie, MESSAGES), "message", "bytes=5-9"));
      expect(failed.code).to.equal("decryption-failed");
      expect(endless.taken).to.be.below(Endless.limit / 8);
    });

    it("is read no further than an instruction file may be long", async () => {
      const endless = new Endless();
      const answered = (answer: Answer, { path }: Asked): void => {
        if (path.endsWith(".instruction")) replaceBody(answer, endless);
      };
      const refused = await refusal(read(liedTo(fixture, { answered }), "in-file"));
      expect(refused.code).to.equal("malformed-envelope");
      expect(endless.taken).to.be.below(Endless.limit / 8);
    });

    it("is no instruction file of more than 64 KiB, and one of exactly so many (S14)", async () => {
      const { body } = await fixture.stored("in-file.instruction");
      for (const [length, opens] of [
        [64 * 1024, true],
        [64 * 1024 + 1, false],
      ] as const) {
        const padded = Buffer.alloc(length, " ");
        body.copy(padded);
        const answered = (answer: Answer, { path }: Asked): void => {
          if (path.endsWith(".instruction")) replaceBody(answer, [padded]);
        };
        const outcome = read(liedTo(fixture, { answered }), "in-file");
        if (opens) expect((await outcome).equals(content)).to.equal(true);
        else expect((await refusal(outcome)).code).to.equal("malformed-envelope");
      }
    });
  });

  describe("in pieces of sixteen bytes", () => {
    const inPieces = async (answer: Answer): Promise<void> => {
      const { body, headers } = answer;
      const length = headers["content-length"] ?? "";
      const bytes = Buffer.concat(await body.toArray());
      replaceBody(answer, chunksOf(bytes, 16));
      answer.body = Readable.from(chunksOf(bytes, 16));
      headers["content-length"] = length;
    };

    it("is held as what it is, not as so many pieces, each of which takes up twenty times as much", async () => {
      const { Body } = await fromThe(1, inPieces).send(new GetObjectCommand({ Bucket: BUCKET, Key: "object" }));
      const lengths: number[] = [];
      for await (const chunk of Body as Readable) lengths.push(chunk.length);
      expect(lengths.reduce((sum, length) => sum + length, 0)).to.equal(content.length);
      expect(lengths.length).to.equal(Math.ceil(content.length / (256 * 1024)));
    });

    it("has its header parsed in linear time", async () => {
      class Counting extends AwsMessageFormat {
        parsed = 0;
        override readHead(start: Uint8Array): ReturnType<AwsMessageFormat["readHead"]> {
          this.parsed += start.length;
          return super.readHead(start);
        }
      }
      const format = new Counting({ frameLength: 1000 });
      const { body } = await fixture.stored("long-header");
      const { head } = await recognise([format], { Metadata: {} }, Readable.from(chunksOf(body, 16)));
      expect(head?.length).to.be.above(6000);
      const { parsed } = format;
      const { length } = format.readHead(body) as ObjectHead;
      // 1 + 2 + 4 + ... bytes, up to what is less than twice the header.
      expect(parsed).to.be.below(4 * length);
    });
  });

  it("has no say in how long a refusal is, nor in what it does to a terminal", async () => {
    const evil = `\u001b[2J\n2026-01-01 access granted${"x".repeat(40_000)}`;
    const { body } = await fixture.stored("message");
    const uint16 = (value: number): Buffer => Buffer.of(value >> 8, value & 0xff);
    const field = (value: string | Buffer): Buffer[] => [uint16(Buffer.byteLength(value)), Buffer.from(value)];
    // No context, and two wrapped keys of providers that the writer made up.
    const keys = [evil, "ns"].flatMap((provider) => [...field(provider), ...field("info"), ...field(Buffer.alloc(48))]);
    const end = [Buffer.of(2, 0, 0, 0x10, 0), Buffer.alloc(48)];
    const message = Buffer.concat([body.subarray(0, 35), uint16(0), uint16(2), ...keys, ...end]);
    // One keyring knows the second, and one neither.
    for (const keyring of [
      new RawAesKeyring({ wrappingKey: Buffer.alloc(32), messageKey: { namespace: "ns", name: "k" } }),
      TEST_KEYRING,
    ]) {
      const client = fromThe(1, (answer) => replaceBody(answer, [message]), { ...MESSAGES, keyring });
      const refused = await refusal(read(client, "message"));
      expect(refused.code).to.equal("no-matching-key");
      expect(refused.message).to.include('"\\u001b[2J\\u000a2026').and.not.match(/\p{C}/u);
      expect(refused.message.length).to.be.below(1000);
    }
  });

  it("is no answer that there is no instruction file when it is a refusal (H34)", async () => {
    for (const [status, code] of [
      [403, "AccessDenied"],
      [500, "InternalError"],
    ] as const) {
      const remove = fixture.server.faults.add({ key: "in-file.instruction", status, code });
      const failed = await errorOf(read(fixture.client(), "in-file"));
      remove();
      expect(failed).not.to.have.property("code", "not-encrypted");
      expect([failed.name, failed.cause instanceof Error ? failed.cause.name : ""]).to.include(code);
    }
  });

  it("passes S3's own refusal on where nothing was answered before it", async () => {
    const failed = await errorOf(
      fixture.client().send(new GetObjectCommand({ Bucket: BUCKET, Key: "object", IfMatch: '"other"' })),
    );
    expect(failed.name).to.equal("PreconditionFailed");
  });
});
