import { PassThrough } from "node:stream";
import { PutObjectCommand } from "@aws-sdk/client-s3";
import { EncryptedDownload, S3EncryptionClient, type StepTracer } from "@s3ec/client";
import { RawAesKeyring } from "@s3ec/keyring-raw-aes";
import { expect } from "chai";
import { BUCKET, bytesOfLength, Fixture, get, put, refusal, TEST_KEYRING } from "./fixture.js";
import { errorOf } from "./transfers.js";

type Begin = (name: string, options: unknown, run: (span: object) => unknown) => unknown;

const SPAN = { setAttributes() {}, setStatus() {}, end() {} };
const broken = (): never => {
  throw new Error("The exporter is full.");
};

function brokenIfOurs(line: unknown): void {
  if (typeof line === "object" && line !== null && String(Reflect.get(line, "message")).startsWith("s3ec.")) broken();
}

/** Tracers that OpenTelemetry's is none of, and that wrappers of it have been. */
const TRACERS: Readonly<Record<string, Begin>> = {
  "never calls back": () => undefined,
  "gives nothing back": (_name, _options, run) => void run(SPAN),
  "gives something else back": (_name, _options, run) => {
    run(SPAN);
    return { length: 7 };
  },
  "calls twice": (_name, _options, run) => [run(SPAN), run(SPAN)][1],
  "calls back later": (_name, _options, run) => void setImmediate(run, SPAN),
  "fails before": broken,
  "fails behind": (_name, _options, run) => {
    run(SPAN);
    return broken();
  },
  "fails later": (_name, _options, run) => Promise.resolve(run(SPAN)).then(broken),
  "has spans that fail": (_name, _options, run) => run({ setAttributes: broken, setStatus: broken, end: broken }),
};

describe("a tracer or a logger that does not do as it should", () => {
  const content = bytesOfLength(600_000);
  let fixture: Fixture;
  before(async () => {
    fixture = await Fixture.start();
    await fixture.client().send(put("traced", content));
  });
  after(() => fixture.close());

  function client(begin: Begin, options: object = {}): S3EncryptionClient {
    const tracer = { startActiveSpan: begin } as unknown as StepTracer;
    const encryption = { keyring: TEST_KEYRING, tracer, ...options };
    // By these two levels the SDK says of its own; we say nothing by them.
    const logger = { info() {}, error() {}, debug: brokenIfOurs, warn: brokenIfOurs };
    return fixture.track(new S3EncryptionClient({ ...fixture.server.clientConfig, logger, encryption }));
  }

  for (const [what, begin] of Object.entries(TRACERS)) {
    it(`alters nothing, and is not believed: ${what}`, async () => {
      const s3 = client(begin);
      await s3.send(put("again", content));
      for (const options of [{}, { bufferSize: 0 }, { enableDelayedAuthenticationMode: true }]) {
        const { Body } = await client(begin, options).send(get("again"));
        expect(content.equals((await Body?.transformToByteArray()) ?? new Uint8Array())).to.equal(true);
      }
      const to = new PassThrough();
      const params = { Bucket: BUCKET, Key: "again" };
      const [arrived] = await Promise.all([to.toArray(), new EncryptedDownload({ client: s3, params, to }).done()]);
      expect(content.equals(Buffer.concat(arrived as Buffer[]))).to.equal(true);
    });

    it(`does not hide what went wrong: ${what}`, async () => {
      const keyring = new RawAesKeyring({ wrappingKey: Buffer.alloc(32, 3) });
      expect((await refusal(client(begin, { keyring }).send(get("traced")))).code).to.equal("decryption-failed");
      const { body, metadata } = await fixture.stored("traced");
      body[100] = (body[100] ?? 0) ^ 1;
      await fixture.plain.send(
        new PutObjectCommand({ Bucket: BUCKET, Key: "altered", Body: body, Metadata: metadata }),
      );
      for (const options of [{}, { bufferSize: 0 }]) {
        expect((await refusal(client(begin, options).send(get("altered")))).code).to.equal("decryption-failed");
      }
      const { Body } = await client(begin, { enableDelayedAuthenticationMode: true }).send(get("altered"));
      expect(await errorOf(Body?.transformToByteArray() ?? Promise.resolve())).to.have.property(
        "code",
        "decryption-failed",
      );
    });
  }
});
