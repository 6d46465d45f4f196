import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { S3Client } from "@aws-sdk/client-s3";
import { type DevServer, startDevServer } from "@s3ec/dev-server";
import { loadKeys, loadMessages, loadVectors, plaintextOf, readBody, readMessage } from "@s3ec/test-vectors";
import { expect } from "chai";
import { inspectHex } from "../dist/inspect-hex.js";
import { temporaryFolder } from "./command.js";
import { inProcess as s3ec } from "./objects/in-process.js";

const PAGE = readFileSync(fileURLToPath(new URL("../../../docs/formats.md", import.meta.url)), "utf8");
/** What the page shows, by the object's address. */
const SHOWN = new Map(
  [...PAGE.matchAll(/^```\n(s3:\/\/demo\/(\S+)\n[\s\S]*?)\n```$/gm)].map(([, text = "", key = ""]) => [key, text]),
);
/** Of the bytes on the right side of an offset, in its place. */
const ROW = /^ {4}([0-9a-f]{4,}) {2}([0-9a-f]{2,32})(?: {2}|$)/gm;

/** What inspecting refuses: damaged on purpose. */
const REFUSED = ["malformed-envelope", "not-encrypted", "decryption-failed"];

function bytesIn(text: string): Buffer {
  return Buffer.concat([...text.matchAll(ROW)].map(([, , hex = ""]) => Buffer.from(hex, "hex")));
}

describe("s3ec inspect --hex", () => {
  let server: DevServer;
  let client: S3Client;

  before(async () => {
    server = await startDevServer({ buckets: ["demo"] });
    client = new S3Client({ ...server.clientConfig, maxAttempts: 1 });
    for (const vector of loadVectors()) {
      await server.putRawObject("demo", vector.id, { body: readBody(vector), metadata: { ...vector.metadata } });
      for (const [suffix, { text }] of Object.entries(vector.instructionFiles ?? {})) {
        await server.putRawObject("demo", `${vector.id}${suffix}`, { body: Buffer.from(text), metadata: {} });
      }
    }
    for (const message of loadMessages()) {
      await server.putRawObject("demo", message.id, { body: readMessage(message), metadata: {} });
    }
  });
  after(async () => {
    client.destroy();
    await server.close();
  });
  const inspect = (Key: string): Promise<string> => inspectHex(client, { Bucket: "demo", Key }, {});

  it("prints what docs/formats.md shows of an object of each format", async () => {
    expect([...SHOWN.keys()]).to.have.length(5);
    for (const [key, text] of SHOWN) expect(await inspect(key), key).to.equal(text);
  });

  it("is an option of the command, and no JSON", async () => {
    const { folder, remove } = temporaryFolder();
    try {
      const [key = "", text = ""] = [...SHOWN][0] ?? [];
      const args = ["inspect", `s3://demo/${key}`, "--dev-server", server.endpoint];
      const printed = await s3ec([...args, "--hex"], folder);
      expect([printed.code, printed.stdout, printed.stderr]).to.deep.equal([0, `${text}\n`, ""]);
      expect((await s3ec([...args, "--hex", "--json"], folder)).code).to.equal(2);
    } finally {
      remove();
    }
  });

  it("shows every byte of a message's header once, in order, and of no header what it could not be", async () => {
    let seen = 0;
    for (const message of loadMessages()) {
      const printed = await inspect(message.id).catch((error: Error & { code: string }) => error);
      if (typeof printed !== "string") {
        expect(printed.code, message.id).to.be.oneOf(REFUSED);
        continue;
      }
      const header = bytesIn(printed);
      const body = Buffer.from(readMessage(message));
      expect(header.equals(body.subarray(0, header.length)), message.id).to.equal(true);
      const [, length = ""] = /whose header is (\d+) of them/.exec(printed) ?? [];
      expect(header.length, message.id).to.equal(Number(length));
      seen += 1;
    }
    expect(seen).to.be.above(80);
  });

  it("shows every field of an envelope, and never a key or a plaintext", async () => {
    const keys = Object.values(loadKeys()).flatMap((key) =>
      "base64" in key ? [Buffer.from(key.base64, "base64")] : [],
    );
    let seen = 0;
    // Of each writer some.
    for (const vector of loadVectors().filter((_, index) => index % 5 === 0)) {
      const printed = await inspect(vector.id).catch((error: Error & { code: string }) => error);
      if (typeof printed !== "string") {
        expect(printed.code, vector.id).to.be.oneOf(REFUSED);
        continue;
      }
      const bytes = bytesIn(printed);
      const dataKey = vector.kms === undefined ? [] : [Buffer.from(vector.kms.plaintextDataKey, "base64")];
      const plaintext = vector.expect === "refuse" ? [] : [Buffer.from(plaintextOf(vector)).subarray(0, 16)];
      for (const secret of [...keys, ...dataKey, ...plaintext.filter(({ length }) => length === 16)]) {
        expect(bytes.includes(secret), vector.id).to.equal(false);
      }
      for (const name of Object.keys(vector.metadata).filter((each) => /^x-amz-(key|key-v2|iv|3|d|i)$/.test(each))) {
        expect(bytes.includes(Buffer.from(vector.metadata[name] ?? "", "base64")), vector.id).to.equal(true);
      }
      seen += 1;
    }
    expect(seen).to.be.above(70);
  });
});
