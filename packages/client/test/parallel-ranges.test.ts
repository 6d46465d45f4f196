import { randomBytes } from "node:crypto";
import { Readable } from "node:stream";
import { PutObjectCommand } from "@aws-sdk/client-s3";
import type { S3EncryptionClient, S3EncryptionOptions } from "@s3ec/client";
import { RawAesKeyring } from "@s3ec/keyring-raw-aes";
import { expect } from "chai";
import { base64, cbc, wrap } from "./craft.js";
import { BUCKET, bytesOfLength, Fixture, get, put, refusal } from "./fixture.js";
import { busySockets, errorOf, retryingClient, until } from "./transfers.js";

const PART = 3 * 1024 * 1024;

describe("a get with parallelRanges", () => {
  const content = bytesOfLength(3 * PART + 1000);
  let fixture: Fixture;
  before(async () => {
    fixture = await Fixture.start();
    await fixture.client().send(put("object", content));
    await fixture.client().send(put("small", "secret"));
    await fixture.client().send(put("empty", ""));
  });
  after(() => fixture.close());
  beforeEach(() => fixture.server.clearRequests());
  afterEach(() => fixture.server.faults.clear());

  const client = (options: Partial<S3EncryptionOptions> = {}): S3EncryptionClient =>
    retryingClient(fixture, { parallelRanges: 4, ...options });
  const ranges = (): (string | undefined)[] => fixture.server.requests.map(({ headers }) => headers.range).sort();

  for (const [where, options] of [
    ["in memory", {}],
    ["in a spool", { bufferSize: 1000 }],
  ] as const) {
    it(`gives what was put, once all ranges of one version are proven: ${where}`, async () => {
      const { Body, ContentLength, ContentRange, ETag, $metadata } = await client(options).send(get("object"));
      expect(ContentLength).to.equal(content.length);
      expect([ContentRange, $metadata.httpStatusCode]).to.deep.equal([undefined, 200]);
      expect(Buffer.from((await Body?.transformToByteArray()) ?? []).equals(content)).to.equal(true);
      const last = content.length + 15;
      expect(ranges()).to.deep.equal([
        `bytes=0-${PART - 1}`,
        `bytes=${PART}-${2 * PART - 1}`,
        `bytes=${2 * PART}-${3 * PART - 1}`,
        `bytes=${3 * PART}-${last}`,
      ]);
      const pins = fixture.server.requests.map(({ headers }) => headers["if-match"]).filter((tag) => tag !== undefined);
      expect(pins).to.deep.equal([ETag, ETag, ETag]);
    });

    it(`gives out nothing of what was altered, and resumes what breaks off: ${where} (S12)`, async () => {
      fixture.server.faults.add({ operation: "GetObject", cutAfterBytes: 100_000, times: 3 });
      const { Body } = await client(options).send(get("object"));
      expect(Buffer.from((await Body?.transformToByteArray()) ?? []).equals(content)).to.equal(true);
      fixture.server.faults.add({ operation: "GetObject", corruptByteAt: 500, times: 1 });
      expect((await refusal(client(options).send(get("object")))).code).to.equal("decryption-failed");
      await until(() => busySockets() === 0);
    });
  }

  it("takes one request for a small object", async () => {
    for (const [key, text] of [
      ["small", "secret"],
      ["empty", ""],
    ] as const) {
      fixture.server.clearRequests();
      const { Body, ContentLength } = await client().send(get(key));
      expect([await Body?.transformToString(), ContentLength]).to.deep.equal([text, text.length]);
      expect(fixture.server.requests.length).to.equal(1);
    }
  });

  it("reads an object whose key is in an instruction file", async () => {
    const files = { instructionFileConfig: { enableInstructionFilePutObject: true } };
    await fixture.client(files).send(put("beside", content));
    const { Body } = await client().send(get("beside"));
    expect(Buffer.from((await Body?.transformToByteArray()) ?? []).equals(content)).to.equal(true);
  });

  it("is refused when the object is replaced between two ranges", async () => {
    await fixture.client().send(put("replaced", content));
    const held = fixture.server.faults.pause({ operation: "GetObject", key: "replaced", at: "answer" });
    const reading = refusal(client().send(get("replaced")));
    await held.reached;
    await fixture.client().send(put("replaced", content));
    held.release();
    expect((await reading).code).to.equal("content-mismatch");
    await until(() => busySockets() === 0);
  });

  it("lets go of everything when it is aborted, and passes on what S3 says", async () => {
    fixture.server.faults.add({ operation: "GetObject", throttleBytesPerSecond: 1_000_000 });
    const aborting = new AbortController();
    const reading = errorOf(client().send(get("object"), { abortSignal: aborting.signal }));
    await until(() => fixture.server.requests.length === 4);
    aborting.abort();
    expect((await reading).name).to.equal("AbortError");
    await until(() => busySockets() === 0);
    fixture.server.faults.clear();
    expect((await errorOf(client().send(get("none")))).name).to.equal("NoSuchKey");
  });

  it("asks for what nothing would prove, and for what is streamed at once, over one connection", async () => {
    const [kek, dataKey, iv] = [randomBytes(32), randomBytes(32), randomBytes(16)];
    const metadata = { "x-amz-key": base64(wrap.aesEcb(kek, dataKey)), "x-amz-iv": base64(iv), "x-amz-matdesc": "{}" };
    const body = cbc(dataKey, iv, content);
    await fixture.plain.send(new PutObjectCommand({ Bucket: BUCKET, Key: "cbc", Body: body, Metadata: metadata }));
    fixture.server.clearRequests();
    const legacy = client({
      keyring: new RawAesKeyring({ wrappingKey: kek }),
      commitmentPolicy: "REQUIRE_ENCRYPT_ALLOW_DECRYPT",
      enableLegacyWrappingAlgorithms: true,
      enableLegacyUnauthenticatedModes: true,
    });
    const read = await legacy.send(get("cbc"));
    expect(Buffer.from((await read.Body?.transformToByteArray()) ?? []).equals(content)).to.equal(true);
    expect(ranges()).to.deep.equal([`bytes=0-${PART - 1}`, undefined]);
    fixture.server.clearRequests();
    const streamed = await client({ enableDelayedAuthenticationMode: true }).send(get("object"));
    expect(Buffer.from((await streamed.Body?.transformToByteArray()) ?? []).equals(content)).to.equal(true);
    expect(ranges()).to.deep.equal([undefined]);
  });

  it("is a whole number", () => {
    for (const parallelRanges of [0, 1.5, "4" as unknown as number]) {
      expect(() => client({ parallelRanges })).to.throw("parallelRanges must be a whole number, 1 or more.");
    }
  });

  it("gives a stream that can be destroyed", async () => {
    const { Body } = await client({ bufferSize: 1000 }).send(get("object"));
    if (!(Body instanceof Readable)) throw new Error("Not a Node stream.");
    Body.destroy();
    await until(() => busySockets() === 0);
  });
});
