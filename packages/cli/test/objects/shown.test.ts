import { expect } from "chai";
import { humanSize } from "../../dist/objects/human-size.js";
import { objectLine, prefixLine, summaryLines } from "../../dist/objects/listed-line.js";
import { metadata } from "../../dist/objects/object-options.js";
import { objectParameters } from "../../dist/objects/object-parameters.js";
import { isTimely, maySizeBe, sizeIfEncrypted } from "../../dist/objects/same-content.js";
import { TransferProgress } from "../../dist/objects/transfer-progress.js";

describe("what is shown of objects", () => {
  // As `aws s3 ls --human-readable` of awscli 1.45 prints them.
  for (const [bytes, shown] of [
    [0, "0 Bytes"],
    [1, "1 Byte"],
    [1023, "1023 Bytes"],
    [1024, "1.0 KiB"],
    [1536, "1.5 KiB"],
    [1048063, "1023.5 KiB"],
    [1048575, "1.0 MiB"],
    [1073741824, "1.0 GiB"],
  ] as const) {
    it(`${bytes} bytes are ${shown}`, () => expect(humanSize(bytes)).to.equal(shown));
  }

  it("has the layout of aws s3 ls", () => {
    const LastModified = new Date(2026, 0, 2, 3, 4, 5);
    const object = { Key: "a/b.txt", LastModified, size: 12, sizeIs: "exact" } as const;
    expect(objectLine(object, {})).to.equal("2026-01-02 03:04:05         12 b.txt");
    expect(objectLine(object, { recursive: true })).to.equal("2026-01-02 03:04:05         12 a/b.txt");
    expect(prefixLine("a/b/")).to.equal("                           PRE b/");
    expect(summaryLines(2, 2048, true)).to.equal("\nTotal Objects: 2\n   Total Size: 2.0 KiB");
    expect(objectLine({ ...object, Key: "x\ny" }, {})).to.contain("x\\u000ay");
  });

  it("fits a terminal of 40 columns, drawn no more often than ten times a second, and is wiped", () => {
    let time = 0;
    const written: string[] = [];
    const terminal = { isTTY: true, columns: 40, write: (text: string) => written.push(text) };
    const progress = new TransferProgress(terminal, () => time);
    progress.expect(10 * 1024 ** 3);
    for (time = 0; time < 1000; time += 10) progress.advance(1024 ** 2);
    progress.allExpected();
    time += 200;
    progress.advance(1024 ** 2);
    expect(written.length).to.be.lessThan(14);
    for (const line of written) expect(line.replace("\r", "").replace("\x1b[K", "").length).to.be.lessThan(40);
    expect(written.at(-1)).to.match(/^\r101\.0 MiB\/10\.0 GiB, \d+:\d\d left/);
    progress.clear();
    expect(written.at(-1)).to.equal("\r\x1b[K");
  });

  it("says nothing where there is no terminal", () => {
    const terminal = { isTTY: false, write: () => expect.fail("nothing is to be written") };
    const progress = new TransferProgress(terminal);
    progress.expect(1);
    progress.advance(1);
    progress.clear();
  });
});

describe("what is taken for the same content", () => {
  it("goes by time as aws s3 sync does", () => {
    expect(isTimely("upload", 1000, 1000, {})).to.equal(true);
    expect(isTimely("upload", 1500, 1000, {})).to.equal(false);
    expect(isTimely("copy", 1000, 2000, {})).to.equal(true);
    expect(isTimely("download", 1000, 1900, {})).to.equal(true);
    expect(isTimely("download", 1000, 2000, {})).to.equal(false);
    expect(isTimely("download", 2000, 1000, {})).to.equal(true);
    expect(isTimely("download", 2000, 1000, { exactTimestamps: true })).to.equal(false);
  });

  it("goes by size of plaintext, and of CBC by what it may be", () => {
    expect(sizeIfEncrypted(116)).to.equal(100);
    expect(sizeIfEncrypted(7)).to.equal(7);
    const cbc = {
      "x-amz-key-v2": "a",
      "x-amz-iv": "b",
      "x-amz-cek-alg": "AES/CBC/PKCS5Padding",
      "x-amz-wrap-alg": "kms",
    };
    expect(maySizeBe(100, { ContentLength: 112, Metadata: cbc })).to.equal(true);
    expect(maySizeBe(112, { ContentLength: 112, Metadata: cbc })).to.equal(false);
    expect(maySizeBe(100, { ContentLength: 116 })).to.equal(true);
    expect(maySizeBe(100, { ContentLength: 100 })).to.equal(false);
  });
});

describe("what S3 is told of objects", () => {
  it("reads metadata as aws does, and as JSON", () => {
    expect(metadata("a=1,b=x=y")).to.deep.equal({ a: "1", b: "x=y" });
    expect(metadata('{"c":"1,2"}', { a: "1" })).to.deep.equal({ a: "1", c: "1,2" });
    expect(() => metadata("[1]")).to.throw();
    expect(() => metadata('{"a":1}')).to.throw(/Write it as/);
  });

  it("guesses the type by the name, unless it is told or must not", async () => {
    const typeOf = async (options: object, name: string): Promise<unknown> =>
      (await objectParameters(options)).put(name).ContentType;
    expect(await typeOf({}, "a/report.pdf")).to.equal("application/pdf");
    expect(await typeOf({}, "noextension")).to.equal(undefined);
    expect(await typeOf({ guessMimeType: false }, "report.pdf")).to.equal(undefined);
    expect(await typeOf({ contentType: "text/x" }, "report.pdf")).to.equal("text/x");
  });

  it("replaces a copy's metadata where some is given, and refuses what says two things", async () => {
    const copyOf = async (options: object): Promise<object> => (await objectParameters(options)).copy;
    expect(await copyOf({})).to.deep.equal({});
    expect(await copyOf({ metadata: { a: "1" } })).to.deep.equal({
      Metadata: { a: "1" },
      MetadataDirective: "REPLACE",
    });
    expect(await copyOf({ tags: { "a b": "&" } })).to.deep.equal({ Tagging: "a%20b=%26", TaggingDirective: "REPLACE" });
    const refused = await copyOf({ metadata: { a: "1" }, metadataDirective: "COPY" }).catch((error: Error) => error);
    expect(refused).to.have.property("code", "invalid-argument");
    const half = await copyOf({ sseC: true }).catch((error: Error) => error);
    expect(half).to.have.property("message", "--sse-c and --sse-c-key are said together.");
  });
});
