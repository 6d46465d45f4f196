import { createHash, createHmac } from "node:crypto";
import { crc32 } from "node:zlib";
import { GetObjectCommand, HeadObjectCommand } from "@aws-sdk/client-s3";
import { expect } from "chai";
import { Bucket, type Fixture, refusal, type Seed, sendRaw, startFixture } from "./fixture.js";

const plain = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD";
const trailing = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER";
const largeChunks = ["a".repeat(65_536), "b".repeat(8192), "c".repeat(10)];
const text = largeChunks.join("");

function sha256(data: string): string {
  return createHash("sha256").update(data, "latin1").digest("hex");
}

function crcOf(data: string): string {
  const crc = Buffer.alloc(4);
  crc.writeUInt32BE(crc32(data));
  return crc.toString("base64");
}

/** Frames and signs as the specification of SigV4's streaming bodies says, apart from the server's own code. */
function frame(
  { signature, timestamp, scope, key }: Seed,
  trailers?: Readonly<Record<string, string>>,
  chunks = largeChunks,
): string {
  let previous = signature;
  const sign = (algorithm: string, hashes: readonly string[]): string => {
    previous = createHmac("sha256", key)
      .update([algorithm, timestamp, scope, previous, ...hashes].join("\n"))
      .digest("hex");
    return previous;
  };
  const framed = [...chunks, ""].map((data) => {
    const chunkSignature = sign("AWS4-HMAC-SHA256-PAYLOAD", [sha256(""), sha256(data)]);
    const head = `${data.length.toString(16)};chunk-signature=${chunkSignature}\r\n`;
    return data === "" ? head : `${head}${data}\r\n`;
  });
  if (trailers === undefined) return `${framed.join("")}\r\n`;
  const pairs = Object.entries(trailers);
  const canonical = pairs.map(([name, value]) => `${name}:${value}\n`).join("");
  const trailerSignature = sign("AWS4-HMAC-SHA256-TRAILER", [sha256(canonical)]);
  const lines = [...pairs, ["x-amz-trailer-signature", trailerSignature]].map((pair) => `${pair.join(":")}\r\n`);
  return `${framed.join("")}${lines.join("")}\r\n`;
}

describe("bodies of signed chunks", () => {
  let fixture: Fixture;
  beforeEach(async () => {
    fixture = await startFixture();
  });
  afterEach(async () => fixture[Symbol.asyncDispose]());

  const put = (payloadHash: string, body: (seed: Seed) => string, headers: Readonly<Record<string, string>> = {}) =>
    sendRaw(fixture.server, {
      method: "PUT",
      path: `/${Bucket}/k`,
      payloadHash,
      body,
      headers: {
        "content-encoding": "aws-chunked",
        "x-amz-decoded-content-length": String(text.length),
        ...(payloadHash === trailing && { "x-amz-trailer": "x-amz-checksum-crc32" }),
        ...headers,
      },
    });
  const trailers = { "x-amz-checksum-crc32": crcOf(text) };
  const stored = async (): Promise<string | undefined> => {
    const { Body } = await fixture.s3.send(new GetObjectCommand({ Bucket, Key: "k" }));
    return Body?.transformToString();
  };
  const isMissing = async (): Promise<boolean> =>
    (await refusal(fixture.s3.send(new HeadObjectCommand({ Bucket, Key: "k" })))) === "NotFound 404";

  it("are stored without their framing", async () => {
    expect((await put(plain, frame)).text).to.equal("");
    expect(await stored()).to.equal(text);
  });

  it("may have a signed trailer, whose checksum is kept", async () => {
    const answer = await put(trailing, (seed) => frame(seed, trailers), { "content-encoding": "gzip,aws-chunked" });
    expect(answer.text).to.equal("");
    expect(answer.headers["x-amz-checksum-crc32"]).to.equal(crcOf(text));
    expect(await stored()).to.equal(text);
    const head = await fixture.s3.send(new HeadObjectCommand({ Bucket, Key: "k" }));
    expect(head.ContentEncoding).to.equal("gzip");
  });

  const altered: readonly [what: string, hash: string, alter: (framed: string) => string, code: string][] = [
    ["changed data", plain, (framed) => framed.replace("aaa", "aab"), "SignatureDoesNotMatch"],
    ["changed data in the last chunk", plain, (framed) => framed.replace("ccc", "ccd"), "SignatureDoesNotMatch"],
    [
      "a changed signature",
      plain,
      (framed) => framed.replace(/=[0-9a-f]{64}/, `=${"0".repeat(64)}`),
      "SignatureDoesNotMatch",
    ],
    [
      "a changed signature of the end",
      plain,
      (framed) => framed.replace(/\r\n0;chunk-signature=[0-9a-f]{64}/, `\r\n0;chunk-signature=${"0".repeat(64)}`),
      "SignatureDoesNotMatch",
    ],
    ["a chunk left out", plain, (framed) => framed.replace(/2000;[^\r]*\r\nb*\r\n/, ""), "SignatureDoesNotMatch"],
    [
      "a chunk without a signature",
      plain,
      (framed) => framed.replace(/;chunk-signature=[0-9a-f]{64}/, ""),
      "IncompleteBody",
    ],
    [
      "a trailer that was not announced",
      plain,
      (framed) => `${framed.slice(0, -2)}a:b\r\n\r\n`,
      "MalformedTrailerError",
    ],
    ["a changed trailer", trailing, (framed) => framed.replace(crcOf(text), "AAAAAA=="), "SignatureDoesNotMatch"],
    [
      "a changed signature of the trailer",
      trailing,
      (framed) => framed.replace(/(trailer-signature:)[0-9a-f]{64}/, `$1${"0".repeat(64)}`),
      "SignatureDoesNotMatch",
    ],
    [
      "no signature of the trailer",
      trailing,
      (framed) => framed.replace(/x-amz-trailer-signature:.*\r\n/, ""),
      "MalformedTrailerError",
    ],
    [
      "a trailer behind the signature",
      trailing,
      (framed) => `${framed.slice(0, -2)}a:b\r\n\r\n`,
      "MalformedTrailerError",
    ],
  ];
  for (const [what, hash, alter, code] of altered)
    it(`are refused for ${what}, and nothing is stored`, async () => {
      const body = (seed: Seed): string => {
        const framed = frame(seed, hash === trailing ? trailers : undefined);
        const changed = alter(framed);
        expect(changed).not.to.equal(framed);
        return changed;
      };
      expect((await put(hash, body)).code).to.equal(code);
      expect(await isMissing()).to.equal(true);
    });

  it("are refused when one that is not the last has less than 8 KiB", async () => {
    const cut = [text.slice(0, 8191), text.slice(8191)];
    expect(await put(plain, (seed) => frame(seed, undefined, cut))).to.include({
      status: 403,
      code: "InvalidChunkSizeError",
    });
    expect(await isMissing()).to.equal(true);
  });

  it("are refused for a wrong checksum that is rightly signed", async () => {
    const wrong = { "x-amz-checksum-crc32": crcOf("other") };
    expect((await put(trailing, (seed) => frame(seed, wrong))).code).to.equal("BadDigest");
    expect(await isMissing()).to.equal(true);
  });

  it("are refused when they continue from another request's signature", async () => {
    const body = (seed: Seed): string => frame({ ...seed, signature: "0".repeat(64) });
    expect((await put(plain, body)).code).to.equal("SignatureDoesNotMatch");
  });
});
