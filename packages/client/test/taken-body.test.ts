import { EventEmitter, once } from "node:events";
import { createReadStream, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PassThrough, Readable } from "node:stream";
import { setTimeout as delay } from "node:timers/promises";
import { runInNewContext } from "node:vm";
import type { PutObjectCommandInput } from "@aws-sdk/client-s3";
import { EncryptedUpload } from "@s3ec/client";
import type { Keyring } from "@s3ec/materials";
import { expect } from "chai";
import { BUCKET, bytesOfLength, chunksOf, Fixture, get, put, refusal, TEST_KEYRING } from "./fixture.js";
import { errorOf } from "./transfers.js";

type Body = NonNullable<PutObjectCommandInput["Body"]>;

const content = bytesOfLength(100_000);
const pieces = (): AsyncGenerator<Uint8Array> => chunksOf(content, 10_000);

/** A stream as packages brought their own before `node:stream` was everywhere: events, and nothing that tells its state. */
class OldStream extends EventEmitter {
  readonly readable = true;
  #paused = false;
  #left = [...Array(10).keys()].map((index) => content.subarray(index * 10_000, (index + 1) * 10_000));
  readonly #end: "end" | "close";
  /** @param end "close": it breaks off, and says no more than that. */
  constructor(end: "end" | "close" = "end") {
    super();
    this.#end = end;
    this.on("newListener", (name) => name === "data" && setImmediate(() => this.#flow()));
  }
  pipe(): void {}
  pause(): void {
    this.#paused = true;
  }
  resume(): void {
    this.#paused = false;
    setImmediate(() => this.#flow());
  }
  #flow(): void {
    while (!this.#paused && this.#left.length > 0) this.emit("data", this.#left.shift());
    if (!this.#paused) this.emit(this.#end);
  }
}

/** A web stream as polyfills have it. */
function polyfilled(): object {
  const stream = Readable.toWeb(Readable.from(pieces()));
  return { locked: false, getReader: () => stream.getReader() };
}

/** Every kind of body that can be read only once. Those that the SDK's types do not name are taken all the same. */
const KINDS: Readonly<Record<string, (folder: string) => unknown>> = {
  "Node Readable": () => Readable.from(pieces()),
  Duplex: () => Readable.from(pieces()).pipe(new PassThrough()),
  "file stream": (folder) => createReadStream(join(folder, "file")),
  "web ReadableStream": () => new Response(content).body,
  "stream of a Blob": () => new Blob([content]).stream(),
  "web stream of a polyfill": polyfilled,
  "stream of another package": () => new OldStream(),
  "async generator": pieces,
  "async iterable": () => ({ [Symbol.asyncIterator]: pieces }),
};

describe("a body that can be read only once", () => {
  let fixture: Fixture;
  let folder: string;
  before(async () => {
    fixture = await Fixture.start();
    folder = mkdtempSync(join(tmpdir(), "s3ec-test-"));
    writeFileSync(join(folder, "file"), content);
  });
  after(async () => {
    await fixture.close();
    rmSync(folder, { recursive: true });
  });
  beforeEach(async () => {
    fixture.server.faults.clear();
    await fixture.client().send(put("object", "the version before"));
    fixture.server.clearRequests();
  });

  async function stored(key: string): Promise<Buffer> {
    const { Body } = await fixture.client().send(get(key));
    return Buffer.from((await Body?.transformToByteArray()) ?? []);
  }

  function sent(): number {
    return fixture.server.requests.filter(({ operation }) => operation !== "GetObject").length;
  }

  const WAYS: Readonly<Record<string, (Key: string, body: unknown) => Promise<unknown>>> = {
    PutObjectCommand: (Key, body) => fixture.client().send(put(Key, body as Body)),
    EncryptedUpload: (Key, body) =>
      new EncryptedUpload({ client: fixture.client(), params: { Bucket: BUCKET, Key, Body: body as Body } }).done(),
  };

  for (const [way, send] of Object.entries(WAYS)) {
    describe(`sent with ${way}`, () => {
      for (const [kind, make] of Object.entries(KINDS)) {
        it(`is stored: ${kind}`, async () => {
          await send("object", make(folder));
          expect((await stored("object")).equals(content)).to.equal(true);
        });

        it(`is refused when it is sent again after a failure: ${kind}`, async () => {
          const body = make(folder);
          fixture.server.faults.add({ operation: "PutObject", status: 503, times: 1 });
          expect((await errorOf(send("object", body))).name).to.equal("SlowDown");
          fixture.server.clearRequests();
          expect((await refusal(send("object", body))).code).to.equal("invalid-argument");
          expect(sent()).to.equal(0);
          expect((await stored("object")).toString()).to.equal("the version before");
        });

        it(`is stored once, and whole, by two puts at once: ${kind}`, async () => {
          const body = make(folder);
          const [first, second] = await Promise.allSettled([send("object", body), send("other", body)]);
          expect([first.status, second.status]).to.deep.equal(["fulfilled", "rejected"]);
          if (second.status === "rejected") expect(second.reason).to.have.property("code", "invalid-argument");
          expect((await stored("object")).equals(content)).to.equal(true);
          expect(await fixture.keys("other")).to.deep.equal([]);
        });
      }

      const READ_BEFORE: Readonly<Record<string, () => Promise<unknown>>> = {
        "a Readable that ended": async () => {
          const body = Readable.from(pieces());
          await body.toArray();
          return body;
        },
        "a Readable of which a part was read": async () => {
          const body = Readable.from(pieces());
          await once(body, "readable");
          body.read();
          return body;
        },
        "a Readable that was destroyed": async () => Readable.from(pieces()).destroy(),
        "a Readable that somebody listens to": async () => Readable.from(pieces()).on("data", () => {}),
        "a Readable that is piped elsewhere": async () => {
          const body = Readable.from(pieces());
          body.pipe(new PassThrough());
          return body;
        },
        "a web stream that was read to its end": async () => {
          const { body } = new Response(content);
          const reader = body?.getReader();
          while (!(await reader?.read())?.done);
          reader?.releaseLock();
          return body;
        },
        "a web stream of which a part was read": async () => {
          const body = Readable.toWeb(Readable.from(pieces()));
          const reader = body.getReader();
          await reader.read();
          reader.releaseLock();
          return body;
        },
        "a web stream that is locked": async () => {
          const { body } = new Response(content);
          body?.getReader();
          return body;
        },
        "a web stream that was cancelled": async () => {
          const { body } = new Response(content);
          await body?.cancel();
          return body;
        },
        "a generator that ended": async () => {
          const body = pieces();
          for await (const chunk of body) expect(chunk.length).to.equal(10_000);
          return body;
        },
        "a stream of another package that broke off": async () => new OldStream("close"),
      };
      for (const [what, make] of Object.entries(READ_BEFORE)) {
        it(`is not stored: ${what}`, async () => {
          const body = await make();
          await errorOf(send("object", body));
          expect(sent()).to.equal(0);
          expect((await stored("object")).toString()).to.equal("the version before");
        });
      }
    });
  }

  it("is left alone when it is refused because somebody else reads it", async () => {
    const body = new PassThrough();
    const reading = body.pipe(new PassThrough()).toArray();
    await refusal(fixture.client().send(put("object", body)));
    body.end("for somebody else");
    expect(Buffer.concat(await reading).toString()).to.equal("for somebody else");
  });

  it("is refused when somebody reads from it while a key store is asked", async () => {
    const body = new PassThrough();
    const keyring: Keyring = {
      wrapAlgorithms: TEST_KEYRING.wrapAlgorithms,
      onEncrypt: async (materials) => {
        body.write("the beginning, ");
        body.end("the end");
        body.once("data", () => body.pause());
        await delay(10);
        return TEST_KEYRING.onEncrypt(materials);
      },
      onDecrypt: (materials, keys) => TEST_KEYRING.onDecrypt(materials, keys),
    };
    const sending = fixture.client({ keyring }).send(put("object", body));
    expect((await refusal(sending)).code).to.equal("invalid-argument");
    expect(sent()).to.equal(0);
  });

  it("may be empty, where it can tell that it was not read before, or where that is meant", async () => {
    const none = async function* (): AsyncGenerator<Uint8Array> {};
    for (const body of [
      Readable.from(none()),
      new Blob([]).stream(),
      new ReadableStream({ start: (it) => it.close() }),
    ]) {
      await fixture.client().send(put("object", body as Body));
      expect(await stored("object")).to.have.length(0);
    }
    const meant = { ContentLength: 0 };
    await fixture.client().send(put("object", none() as unknown as Body, meant));
    expect(await stored("object")).to.have.length(0);
  });

  it("is not asked of what is in memory, or can be read again", async () => {
    const file = join(folder, "file");
    for (const body of [content, "text", new Blob([content]), new DataView(content.buffer)]) {
      for (let time = 0; time < 2; time++) await fixture.client().send(put("object", body as Body));
    }
    const params = { Bucket: BUCKET, Key: "object" };
    for (let time = 0; time < 2; time++) await new EncryptedUpload({ client: fixture.client(), params, file }).done();
  });
});

describe("bytes of another realm", () => {
  let fixture: Fixture;
  before(async () => {
    fixture = await Fixture.start();
  });
  after(() => fixture.close());

  const view = (): Uint8Array => runInNewContext("new Uint8Array([104, 105])");
  const words = (): ArrayBufferView => runInNewContext("new Uint16Array([0x6968])");
  const buffer = (): ArrayBuffer => runInNewContext("new Uint8Array([104, 105]).buffer");
  const web = (chunk: unknown): ReadableStream =>
    new ReadableStream({
      start: (controller) => {
        controller.enqueue(chunk);
        controller.close();
      },
    });
  for (const [name, make] of Object.entries({ view, words, buffer })) {
    for (const [place, body] of Object.entries({ "as a body": make, "in a web stream": () => web(make()) })) {
      it(`are taken: ${name} ${place}`, async () => {
        await fixture.client().send(put("foreign", body() as Body));
        const { Body } = await fixture.client().send(get("foreign"));
        expect(await Body?.transformToString()).to.equal("hi");
      });
    }
    it(`are taken: ${name} in a Node stream`, async () => {
      await fixture.client().send(put("foreign", Readable.from([make()])));
      const { Body } = await fixture.client().send(get("foreign"));
      expect(await Body?.transformToString()).to.equal("hi");
    });
  }
});
