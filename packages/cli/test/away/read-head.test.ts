import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { S3EncryptionError } from "@s3ec/materials";
import { expect } from "chai";
import { readHead } from "../../dist/away/read-head.js";
import { temporaryFolder } from "../command.js";

describe("the head of a downloaded object", () => {
  const { folder, remove } = temporaryFolder();
  after(remove);

  function written(content: string | Buffer): string {
    const file = join(folder, "head");
    writeFileSync(file, content);
    return file;
  }

  it("is what aws s3api head-object prints", async () => {
    const head = { AcceptRanges: "bytes", ContentLength: 25, ETag: '"x"', Metadata: { "x-amz-c": "115" } };
    for (const text of [JSON.stringify(head, null, 4), `\ufeff ${JSON.stringify(head)}`]) {
      expect(await readHead(written(text))).to.deep.equal({ Metadata: { "x-amz-c": "115" }, ContentLength: 25 });
    }
    expect(await readHead(written("{}"))).to.deep.equal({ Metadata: {} });
  });

  it("is the headers that curl prints, the last of several answers", async () => {
    const text = [
      "HTTP/1.1 307 Temporary Redirect",
      "x-amz-meta-x-amz-c: 1",
      "",
      "HTTP/2 200 ",
      "X-Amz-Meta-X-Amz-C: 115",
      "x-amz-meta-note:  a: b \t",
      "content-length: 25",
      "",
      "",
    ].join("\r\n");
    const expected = { Metadata: { "x-amz-c": "115", note: "a: b" }, ContentLength: 25 };
    expect(await readHead(written(text))).to.deep.equal(expected);
    expect(await readHead(written(text.replaceAll("\r", "")))).to.deep.equal(expected);
    // Bytes as they came, which the envelope's reader decodes.
    const utf8 = Buffer.from("HTTP/1.1 200 OK\r\nx-amz-meta-who: Zoë\r\n\r\n");
    expect((await readHead(written(utf8))).Metadata).to.deep.equal({ who: Buffer.from("Zoë").toString("latin1") });
  });

  for (const [what, text] of [
    ["nothing", ""],
    ["other text", "x-amz-c: 115"],
    ["half a JSON", '{"Metadata":'],
    ["metadata that is no map", '{"Metadata":["x"]}'],
    ["metadata of numbers", '{"Metadata":{"a":1}}'],
    ["a length that is none", '{"ContentLength":-1}'],
    ["the answer of a refusal", "HTTP/1.1 403 Forbidden\r\ncontent-length: 0\r\n\r\n"],
    ["too much", " ".repeat(2 * 1024 * 1024)],
  ] as const) {
    it(`refuses ${what}`, async () => {
      const error = await readHead(written(text)).catch((thrown: unknown) => thrown);
      expect(error).to.be.instanceOf(S3EncryptionError).and.include({ code: "invalid-argument" });
    });
  }
});
