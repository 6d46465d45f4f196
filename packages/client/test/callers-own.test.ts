import { closeSync, createReadStream, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { GetObjectCommand, PutObjectCommand, S3Client } from "@aws-sdk/client-s3";
import { EncryptedDownload, EncryptedUpload, encryptS3 } from "@s3ec/client";
import { expect } from "chai";
import { BUCKET, Fixture, refusal, TEST_KEYRING } from "./fixture.js";
import { errorOf } from "./transfers.js";

describe("what belongs to the caller", () => {
  let fixture: Fixture;
  let folder: string;
  before(async () => {
    fixture = await Fixture.start();
    folder = mkdtempSync(join(tmpdir(), "s3ec-callers-"));
  });
  after(async () => {
    await fixture.close();
    rmSync(folder, { recursive: true });
  });
  afterEach(() => fixture.server.faults.clear());

  const params = (Key: string) => ({ Bucket: BUCKET, Key });

  it("leaves a file open that the caller closes, however its upload ends", async () => {
    const client = fixture.client();
    const path = join(folder, "file");
    writeFileSync(path, Buffer.alloc(20_000_000, "0123456789"));
    const fd = openSync(path, "r");
    const piece = (start: number, end = start + 4) => createReadStream("", { fd, start, end, autoClose: false });
    await client.send(new PutObjectCommand({ ...params("first"), Body: piece(0) }));
    fixture.server.faults.add({ operation: "PutObject", cutAfterBytes: 1_000_000, times: 1 });
    await errorOf(client.send(new PutObjectCommand({ ...params("cut"), Body: piece(0, 19_999_999) })));
    await refusal(client.send(new PutObjectCommand({ ...params("refused"), Body: piece(0), ContentLength: 1 })));
    await new EncryptedUpload({ client, params: { ...params("second"), Body: piece(5) } }).done();
    closeSync(fd);
    const { Body } = await client.send(new GetObjectCommand(params("second")));
    expect(await Body?.transformToString()).to.equal("56789");
  });

  it("keeps middleware that has its place relative to the encryption", async () => {
    const client = fixture.client();
    const seen: unknown[] = [];
    const audit = <Next>(next: Next, context: { commandName?: string }): Next => {
      seen.push(context.commandName);
      return next;
    };
    const place = { name: "audit", relation: "before", toMiddleware: "s3EncryptionMiddleware" } as const;
    client.middlewareStack.addRelativeTo(audit, place);
    await new EncryptedUpload({ client, params: { ...params("audited"), Body: "x" } }).done();
    await new EncryptedDownload({ client, params: params("audited"), to: join(folder, "audited") }).done();
    expect(readFileSync(join(folder, "audited"), "utf8")).to.equal("x");
    expect(seen).to.deep.equal(["PutObjectCommand", "GetObjectCommand"]);
  });

  it("fails the put whose body broke, where the SDK's cached handlers share one context", async () => {
    const client = fixture.track(new S3Client({ ...fixture.server.clientConfig, cacheMiddleware: true }));
    encryptS3(client, { keyring: TEST_KEYRING });
    const ContentLength = 20_000_000;
    async function* halves(second: () => Uint8Array): AsyncGenerator<Uint8Array> {
      yield new Uint8Array(ContentLength / 2);
      yield second();
    }
    const broken = Readable.from(
      halves(() => {
        throw new Error("The body broke.");
      }),
    );
    const whole = Readable.from(halves(() => new Uint8Array(ContentLength / 2)));
    const failing = errorOf(client.send(new PutObjectCommand({ ...params("broken"), Body: broken, ContentLength })));
    await client.send(new PutObjectCommand({ ...params("whole"), Body: whole, ContentLength }));
    expect(await failing).to.have.property("message", "The body broke.");
  });

  for (const [place, options] of [
    ["in memory", {}],
    ["in a spool", { bufferSize: 0 }],
  ] as const) {
    it(`rejects with an AbortError when the call is aborted while content is verified ${place}`, async () => {
      const client = fixture.client(options);
      await client.send(new PutObjectCommand({ ...params("aborted"), Body: new Uint8Array(1_000_000) }));
      fixture.server.faults.add({ operation: "GetObject", throttleBytesPerSecond: 200_000 });
      const controller = new AbortController();
      client.middlewareStack.add(
        (next) => async (args) => {
          const result = await next(args);
          setImmediate(() => controller.abort());
          return result;
        },
        { step: "deserialize", priority: "high", name: "abort" },
      );
      const reading = client.send(new GetObjectCommand(params("aborted")), { abortSignal: controller.signal });
      expect((await errorOf(reading)).name).to.equal("AbortError");
    });
  }
});
