import { createHash } from "node:crypto";
import { createReadStream, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { setTimeout as delay } from "node:timers/promises";
import { type PutObjectCommandInput, S3Client } from "@aws-sdk/client-s3";
import { EncryptedUpload, S3EncryptionClient, type S3EncryptionOptions } from "@s3ec/client";
import { AwsMessageFormat } from "@s3ec/format-aws-message";
import { S3Format } from "@s3ec/format-s3";
import { MultiKeyring } from "@s3ec/keyring-multi";
import { RawAesKeyring } from "@s3ec/keyring-raw-aes";
import { expect } from "chai";
import { BUCKET, chunksOf, Fixture, put, TEST_KEYRING } from "./fixture.js";
import { DrivenUpload } from "./multipart.js";
import { RecordingProxy } from "./recording-proxy.js";

type Body = NonNullable<PutObjectCommandInput["Body"]>;

const SECRET = "plaintext of 16.";
const MiB = 1024 * 1024;
const secret = (length: number): Buffer => Buffer.alloc(length, SECRET);

/** Of this content, any 16 bytes in a row hold one of these halves: looking for two texts is looking for every place. */
const HALVES = [SECRET.slice(0, 8), SECRET.slice(8)];
/** The same behind an encoding, as in headers and JSON: in base64, what 8 bytes are depends on where they begin. */
const NEEDLES = HALVES.flatMap((half) => [
  half,
  Buffer.from(half).toString("hex"),
  Buffer.from(half).toString("base64").slice(0, 8),
  Buffer.from(`.${half}`).toString("base64").slice(4, 12),
  Buffer.from(`..${half}`).toString("base64").slice(4, 12),
]);

const SMALL = 100_000;
/** More than is buffered of a stream, and more than one part. */
const LARGE = 9 * MiB;

const BODIES: Readonly<Record<string, (length: number, folder: string) => unknown>> = {
  string: (length) => secret(length).toString("latin1"),
  Buffer: secret,
  "view of 16-bit words": (length) => new Uint16Array(new Uint8Array(secret(length)).buffer),
  ArrayBuffer: (length) => new Uint8Array(secret(length)).buffer,
  Blob: (length) => new Blob([secret(length)]),
  "Node Readable": (length) => Readable.from(chunksOf(secret(length), 60_000)),
  "file stream": (length, folder) => {
    writeFileSync(join(folder, "file"), secret(length));
    return createReadStream(join(folder, "file"));
  },
  "web ReadableStream": (length) => new Blob([secret(length)]).stream(),
  "async generator": (length) => chunksOf(secret(length), 60_000),
};

/** One for each way that a body is read in. */
const FAILING = ["Buffer", "Node Readable", "file stream", "web ReadableStream", "async generator"];

const NEWEST: Partial<S3EncryptionOptions> = {};
const OPTIONS: Readonly<Record<string, Partial<S3EncryptionOptions>>> = {
  "in the newest format": NEWEST,
  "with instruction files": { instructionFileConfig: { enableInstructionFilePutObject: true } },
  "with several keys": {
    keyring: new MultiKeyring({
      generator: TEST_KEYRING,
      children: [
        { keyring: new RawAesKeyring({ wrappingKey: Buffer.alloc(32, 9) }), instructionFileSuffix: ".escrow" },
      ],
    }),
  },
  "as messages": {
    keyring: new RawAesKeyring({ wrappingKey: Buffer.alloc(32, 8), messageKey: { namespace: "tests", name: "key" } }),
    formats: [new AwsMessageFormat(), new S3Format()],
  },
};

describe("nothing is sent in the clear", () => {
  let fixture: Fixture;
  let proxy: RecordingProxy;
  let folder: string;
  before(async () => {
    fixture = await Fixture.start();
    proxy = await RecordingProxy.start(fixture.server.endpoint);
    folder = mkdtempSync(join(tmpdir(), "s3ec-test-"));
  });
  after(async () => {
    await proxy.close();
    await fixture.close();
    rmSync(folder, { recursive: true });
  });
  beforeEach(() => {
    fixture.server.faults.clear();
    proxy.take();
  });

  function client(options: Partial<S3EncryptionOptions> = {}): S3EncryptionClient {
    const encryption = { keyring: TEST_KEYRING, ...options } as S3EncryptionOptions;
    const config = { ...fixture.server.clientConfig, endpoint: proxy.endpoint, maxAttempts: 2 };
    return fixture.track(new S3EncryptionClient({ ...config, encryption }));
  }

  const WAYS: Readonly<
    Record<string, (s3: S3Client, Body: unknown, more?: Partial<PutObjectCommandInput>) => Promise<unknown>>
  > = {
    PutObjectCommand: (s3, body, more) => s3.send(put("secret", body as Body, more)),
    EncryptedUpload: (s3, body, more) =>
      new EncryptedUpload({
        client: s3,
        params: { Bucket: BUCKET, Key: "secret", Body: body as Body, ...more },
      }).done(),
    "the multipart commands": async (s3, body, more = {}) => {
      const { ContentLength, ChecksumSHA256 } = more;
      const upload = await DrivenUpload.create(s3, "secret");
      const first = upload.part(1, body as Body, { ContentLength, ChecksumSHA256 });
      // Held until the end, and behind a part that must not be held.
      if ((ContentLength ?? 0) > SMALL) await Promise.all([first, upload.part(2, secret(500))]);
      await first;
      await upload.complete();
    },
  };

  /** Whatever became of it: what was sent, and that none of it can be read. */
  async function sentBy(sending: Promise<unknown>): Promise<{ readonly sent: Buffer; readonly isStored: boolean }> {
    const isStored = await sending.then(
      () => true,
      () => false,
    );
    // What is still under way when a call fails arrives here a little later.
    await delay(20);
    const sent = proxy.take();
    for (const text of NEEDLES) expect(sent.includes(text), text).to.equal(false);
    return { sent, isStored };
  }

  it("which would be seen: any 16 bytes of what the plain client sends are found, encoded too", async () => {
    const plain = fixture.track(new S3Client({ ...fixture.server.clientConfig, endpoint: proxy.endpoint }));
    for (const encoding of ["latin1", "base64", "hex"] as const) {
      for (let start = 0; start < 16; start++) {
        await plain.send(put("secret", secret(32).toString(encoding, start, start + 16)));
        const sent = proxy.take();
        expect(
          NEEDLES.some((text) => sent.includes(text)),
          `${encoding} from ${start}`,
        ).to.equal(true);
      }
    }
  });

  for (const [way, send] of Object.entries(WAYS)) {
    describe(`by ${way}`, () => {
      for (const [format, options] of Object.entries(OPTIONS)) {
        if (way === "the multipart commands" && format === "as messages") continue;
        for (const [kind, make] of Object.entries(BODIES)) {
          for (const length of options === NEWEST ? [SMALL, LARGE] : [SMALL]) {
            it(`${format}: ${kind} of ${length} bytes`, async () => {
              // The SDK would not know how much of a stream to wait for.
              const { sent, isStored } = await sentBy(
                send(client(options), make(length, folder), { ContentLength: length }),
              );
              expect(isStored).to.equal(true);
              expect(sent.length).to.be.greaterThan(length);
            });
          }
        }
      }

      for (const [kind, make] of Object.entries(BODIES).filter(([name]) => FAILING.includes(name))) {
        const FAILURES: Readonly<Record<string, () => void>> = {
          "S3 fails once": () => void fixture.server.faults.add({ status: 503, times: 1 }),
          "S3 fails whatever it is asked": () => void fixture.server.faults.add({ status: 500 }),
          "the connection is cut once": () => void fixture.server.faults.add({ cutAfterBytes: 70_000, times: 1 }),
          "the connection is always cut": () => void fixture.server.faults.add({ cutAfterBytes: 70_000 }),
          "S3 answers before it has the body": () => proxy.answerEarly("503 Slow Down"),
          "S3 refuses before it has the body": () => proxy.answerEarly("403 Forbidden"),
          "S3 says it has it before it does": () => proxy.answerEarly("200 OK"),
        };
        for (const [what, fail] of Object.entries(FAILURES)) {
          it(`though ${what}: ${kind}`, async () => {
            fail();
            await sentBy(send(client(), make(LARGE, folder), { ContentLength: LARGE }));
          });
        }

        it(`though the same command is sent again: ${kind}`, async () => {
          fixture.server.faults.add({ status: 400, times: 1 });
          const [s3, body] = [client(), make(LARGE, folder)];
          await sentBy(send(s3, body, { ContentLength: LARGE }));
          await sentBy(send(s3, body, { ContentLength: LARGE }));
        });

        for (const ContentLength of [LARGE - 1, LARGE + 1]) {
          it(`though the body is not of the ${ContentLength} bytes that were stated: ${kind}`, async () => {
            const { isStored } = await sentBy(send(client(), make(LARGE, folder), { ContentLength }));
            expect(isStored).to.equal(false);
          });
        }

        it(`though a checksum of it is stated, rightly or wrongly: ${kind}`, async () => {
          const right = createHash("sha256").update(secret(SMALL)).digest("base64");
          const wrong = createHash("sha256").update("another").digest("base64");
          const { sent, isStored } = await sentBy(send(client(), make(SMALL, folder), { ChecksumSHA256: right }));
          expect(isStored).to.equal(true);
          // It is of the plaintext, and tells whether two are the same (S3).
          expect(sent.includes(right)).to.equal(false);
          expect(await sentBy(send(client(), make(SMALL, folder), { ChecksumSHA256: wrong }))).to.include({
            isStored: false,
          });
        });
      }

      it("though its source breaks off", async () => {
        async function* breaking(): AsyncGenerator<Uint8Array> {
          yield* chunksOf(secret(10 * MiB), 60_000);
          throw new Error("The source broke.");
        }
        const { isStored } = await sentBy(send(client(), Readable.from(breaking()), { ContentLength: LARGE }));
        expect(isStored).to.equal(false);
      });
    });
  }

  it("though it is aborted while it is sent", async () => {
    for (const make of FAILING.map((kind) => BODIES[kind] ?? secret)) {
      fixture.server.faults.add({ operation: "PutObject", throttleBytesPerSecond: 4 * MiB });
      const controller = new AbortController();
      const sending = client().send(put("secret", make(LARGE, folder) as Body, { ContentLength: LARGE }), {
        abortSignal: controller.signal,
      });
      setTimeout(() => controller.abort(), 50);
      expect((await sentBy(sending)).isStored).to.equal(false);
      fixture.server.faults.clear();
    }
  });

  it("though an upload of a file is aborted", async () => {
    writeFileSync(join(folder, "file"), secret(LARGE));
    fixture.server.faults.add({ operation: "UploadPart", throttleBytesPerSecond: 4 * MiB });
    const params = { Bucket: BUCKET, Key: "secret" };
    const upload = new EncryptedUpload({ client: client(), params, file: join(folder, "file") });
    setTimeout(() => void upload.abort(), 50);
    expect((await sentBy(upload.done())).isStored).to.equal(false);
  });
});
