import { EventEmitter } from "node:events";
import { createReadStream } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { StringDecoder } from "node:string_decoder";
import { EncryptedUpload } from "@s3ec/client";
import { expect } from "chai";
import { BUCKET, bytesOfLength, Fixture, get, put, refusal } from "./fixture.js";

/** A stream as `readable-stream` has them: none of Node's class, and its encoding where Node's kept it first. */
class OtherStream extends EventEmitter {
  readonly readable = true;
  readonly _readableState: { encoding: string | null } = { encoding: null };
  readonly #bytes: Buffer;
  #decoder: StringDecoder | undefined;
  constructor(bytes: Buffer) {
    super();
    this.#bytes = bytes;
    this.on("newListener", (name) => name === "data" && setTimeout(() => this.#flow(), 5));
  }
  setEncoding(encoding: BufferEncoding): void {
    this.#decoder = new StringDecoder(encoding);
    this._readableState.encoding = encoding;
  }
  pipe(): void {}
  pause(): void {}
  resume(): void {}
  #flow(): void {
    this.emit("data", this.#decoder?.write(this.#bytes) ?? this.#bytes);
    this.emit("end");
  }
}

describe("bodies that would be stored as something else", () => {
  const content = bytesOfLength(5000);
  let fixture: Fixture;
  let folder: string;
  before(async () => {
    fixture = await Fixture.start();
    folder = await mkdtemp(join(tmpdir(), "s3ec-test-"));
    await writeFile(join(folder, "bytes"), content);
    await writeFile(join(folder, "text"), "zwölf");
  });
  after(async () => {
    await fixture.close();
    await rm(folder, { recursive: true });
  });
  beforeEach(async () => {
    await fixture.client().send(put("kept", "what was there before"));
  });
  afterEach(async () => {
    expect(await text("kept")).to.equal("what was there before");
  });
  const text = async (key: string): Promise<string | undefined> =>
    await (await fixture.client().send(get(key))).Body?.transformToString();

  const views: Readonly<Record<string, (buffer: ArrayBuffer) => NonNullable<Parameters<typeof put>[1]>>> = {
    "a Uint8Array": (buffer) => new Uint8Array(buffer),
    "a DataView": (buffer) => new DataView(buffer) as unknown as Uint8Array,
    "an ArrayBuffer": (buffer) => buffer as unknown as Uint8Array,
  };
  for (const [what, view] of Object.entries(views)) {
    it(`refuses ${what} whose buffer was transferred, which looks like one of no bytes`, async () => {
      const buffer = new ArrayBuffer(1000);
      const body = view(buffer);
      structuredClone(buffer, { transfer: [buffer] });
      const error = await refusal(fixture.client().send(put("kept", body)));
      expect(error.code).to.equal("invalid-argument");
      expect(error.message).to.contain("transferred");
    });
  }

  it("refuses bytes that are transferred while the put begins", async () => {
    for (const length of [1000, 600_000]) {
      const bytes = new Uint8Array(length);
      const sent = fixture.client().send(put("kept", bytes));
      structuredClone(bytes.buffer, { transfer: [bytes.buffer] });
      expect((await refusal(sent)).code).to.be.oneOf(["invalid-argument", "content-mismatch"]);
    }
  });

  it("refuses them of an upload, and of a stream's chunk", async () => {
    const bytes = new Uint8Array(1000);
    structuredClone(bytes.buffer, { transfer: [bytes.buffer] });
    const params = { Bucket: BUCKET, Key: "kept", Body: bytes };
    expect((await refusal(new EncryptedUpload({ client: fixture.client(), params }).done())).code).to.equal(
      "invalid-argument",
    );
    const stream = Readable.from([new Uint8Array(1), bytes]);
    expect((await refusal(fixture.client().send(put("kept", stream)))).code).to.equal("invalid-argument");
  });

  for (const encoding of ["utf8", "latin1", "hex", "base64", "utf16le"] as const) {
    it(`refuses the bytes of a file that is read as ${encoding}`, async () => {
      const stream = createReadStream(join(folder, "bytes"), encoding);
      const error = await refusal(fixture.client().send(put("kept", stream)));
      expect(error.code).to.equal("invalid-argument");
      expect(error.message).to.contain("leave the encoding out");
      expect(stream.destroyed).to.equal(true);
    });
  }

  it("refuses an encoding that is set while the put begins", async () => {
    const stream = createReadStream(join(folder, "bytes"));
    const sent = fixture.client().send(put("kept", stream));
    stream.setEncoding("hex");
    expect((await refusal(sent)).code).to.equal("invalid-argument");
    expect(stream.destroyed).to.equal(true);
  });

  for (const encoding of ["utf8", "latin1", "hex"] as const) {
    it(`refuses the bytes of a stream of another package that is read as ${encoding}, however early that is set`, async () => {
      for (const isLate of [false, true]) {
        const stream = new OtherStream(content);
        if (!isLate) stream.setEncoding(encoding);
        const sent = fixture.client().send(put("kept", stream as unknown as Readable));
        if (isLate) stream.setEncoding(encoding);
        const error = await refusal(sent);
        expect(error.code).to.equal("invalid-argument");
        expect(error.message).to.contain("leave the encoding out");
      }
    });
  }

  it("stores what a stream of another package gives as UTF-8, and its bytes", async () => {
    const read = new OtherStream(Buffer.from("zwölf"));
    read.setEncoding("utf8");
    await fixture.client().send(put("other", read as unknown as Readable));
    expect(await text("other")).to.equal("zwölf");
    await fixture.client().send(put("other", new OtherStream(content) as unknown as Readable));
    const { Body } = await fixture.client().send(get("other"));
    expect(content.equals((await Body?.transformToByteArray()) ?? new Uint8Array())).to.equal(true);
  });

  it("stores text that is read as UTF-8, and text of no encoding", async () => {
    await fixture.client().send(put("text", createReadStream(join(folder, "text"), "utf8")));
    expect(await text("text")).to.equal("zwölf");
    await fixture.client().send(put("text", Readable.from(["drei", "zehn"])));
    expect(await text("text")).to.equal("dreizehn");
  });
});
