import { GetObjectCommand, HeadObjectCommand, PutObjectCommand } from "@aws-sdk/client-s3";
import { expect } from "chai";
import { Bucket, type Fixture, refusal, sendRaw, startFixture } from "./fixture.js";

/** Undoes RFC 2047, and then the second encoding, which is S3's own. */
function decodeTwice(text: string): string {
  const words = text.split(" ").map((word) => {
    const [, kind, encoded = ""] = /^=\?UTF-8\?([BQ])\?(.*)\?=$/.exec(word) ?? [];
    expect(word.length).to.be.at.most(75);
    if (kind === "B") return Buffer.from(encoded, "base64").toString();
    return decodeURIComponent(encoded.replaceAll("_", " ").replaceAll("%", "%25").replaceAll("=", "%"));
  });
  return Buffer.from(words.join(""), "latin1").toString("utf8");
}

describe("user metadata", () => {
  let fixture: Fixture;
  beforeEach(async () => {
    fixture = await startFixture();
  });
  afterEach(async () => fixture[Symbol.asyncDispose]());

  const returned = async (value: string): Promise<string> => {
    // As the Java client does it: the bytes of UTF-8 go into the header, and under the signature.
    const headers = { "x-amz-meta-a": Buffer.from(value).toString("latin1") };
    expect((await sendRaw(fixture.server, { method: "PUT", path: `/${Bucket}/k`, headers })).status).to.equal(200);
    const { Metadata } = await fixture.s3.send(new HeadObjectCommand({ Bucket, Key: "k" }));
    return Metadata?.a ?? "";
  };

  it("has names in lower case and may have 2,048 bytes, as sent", async () => {
    const put = (length: number) =>
      fixture.s3.send(new PutObjectCommand({ Bucket, Key: "k", Metadata: { Name: "x".repeat(length - 4) } }));
    await put(2048);
    const { Metadata } = await fixture.s3.send(new GetObjectCommand({ Bucket, Key: "k" }));
    expect(Metadata).to.deep.equal({ name: "x".repeat(2044) });
    expect(await refusal(put(2049))).to.equal("MetadataTooLarge 400");
  });

  it("that is ASCII comes back as it is, even if it looks encoded", async () => {
    for (const value of ["plain", '{"k":"\\u00e9"}', "=?UTF-8?B?w4PCqQ==?="])
      expect(await returned(value)).to.equal(value);
  });

  it("that is not comes back the way S3 encodes it (formats 1.9)", async () => {
    expect(await returned("ÄMÄZÕÑ S3")).to.equal("=?UTF-8?B?w4PChE3Dg8KEWsODwpXDg8KRIFMz?=");
    expect(await returned("Miniö")).to.equal("=?UTF-8?Q?Mini=C3=83=C2=B6?=");
    expect(await returned("a_b=c é")).to.equal("=?UTF-8?Q?a=5Fb=3Dc_=C3=83=C2=A9?=");
  });

  for (const value of ['{"k":"é漢"}', "漢字".repeat(100), `mostly ASCII, ${"and long, ".repeat(40)}é`])
    it(`decodes to what was sent: ${value.slice(0, 20)}`, async () => {
      expect(decodeTwice(await returned(value))).to.equal(value);
    });

  it("that comes in two lines is one value, in the order in which they were sent", async () => {
    const send = (lines: readonly (readonly [string, string])[]) =>
      sendRaw(fixture.server, { method: "PUT", path: `/${Bucket}/k`, lines });
    const lines = [
      ["x-amz-meta-z", "2"],
      ["x-amz-meta-a", "x"],
      ["X-Amz-Meta-Z", "1, 0"],
      ["x-amz-meta-z", "3"],
    ] as const;
    expect((await send(lines)).text).to.equal("");
    const { Metadata } = await fixture.s3.send(new HeadObjectCommand({ Bucket, Key: "k" }));
    expect(Metadata).to.deep.equal({ z: "2,1, 0,3", a: "x" });
  });

  it("of a seeded object is neither limited nor changed", async () => {
    const metadata = { "X-Amz-Key": "x".repeat(5000), other: "=?UTF-8?Q?x?=" };
    await fixture.server.putRawObject(Bucket, "seeded", { body: "raw", metadata, contentType: "text/plain" });
    const output = await fixture.s3.send(new GetObjectCommand({ Bucket, Key: "seeded" }));
    expect(output.Metadata).to.deep.equal({ "x-amz-key": "x".repeat(5000), other: "=?UTF-8?Q?x?=" });
    expect(output.ContentType).to.equal("text/plain");
    expect(await output.Body?.transformToString()).to.equal("raw");
  });
});
