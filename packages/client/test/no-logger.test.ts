import { createReadStream } from "node:fs";
import { fileURLToPath } from "node:url";
import { GetObjectCommand, PutObjectCommand, S3Client } from "@aws-sdk/client-s3";
import { EncryptedUpload, encryptS3 } from "@s3ec/client";
import { expect } from "chai";
import { BUCKET, Fixture, refusal, TEST_KEYRING } from "./fixture.js";

type Logger = NonNullable<S3Client["config"]["logger"]>;

/** The class of the logger that the SDK puts into the place of none. */
const SILENT = new S3Client({ region: "us-west-2" }).config.logger.constructor;

describe("a client without a logger", () => {
  let fixture: Fixture;
  const said: string[] = [];
  const { warn } = console;
  before(async () => {
    fixture = await Fixture.start();
    console.warn = (...words: unknown[]) => void said.push(words.join(" "));
  });
  after(async () => {
    console.warn = warn;
    await fixture.close();
  });
  afterEach(() => {
    said.length = 0;
    fixture.server.faults.clear();
  });

  /** Of a file in one request, which the SDK does not send again, and would say so: the upload does. */
  async function uploadAgain(Key: string): Promise<void> {
    fixture.server.faults.add({ operation: "PutObject", status: 503, code: "SlowDown", times: 1 });
    const client = fixture.track(new S3Client(fixture.server.clientConfig));
    const params = { Bucket: BUCKET, Key, Body: createReadStream(fileURLToPath(import.meta.url)) };
    await new EncryptedUpload({ client, encryption: { keyring: TEST_KEYRING }, params }).done();
    expect(fixture.server.requests.filter(({ key }) => key === Key)).to.have.length(2);
  }

  it("leaves the console alone", async () => {
    await uploadAgain("again");
    expect(said).to.deep.equal([]);
  });

  it("leaves it alone in a minified bundle, whose classes have other names", async () => {
    const named = { ...Object.getOwnPropertyDescriptor(SILENT, "name") };
    Object.defineProperty(SILENT, "name", { ...named, value: "a" });
    try {
      await uploadAgain("minified");
    } finally {
      Object.defineProperty(SILENT, "name", named);
    }
    expect(said).to.deep.equal([]);
  });

  const heard: unknown[] = [];
  const hear = (entry: unknown) => void heard.push(entry);
  const EMPTY = { debug() {}, info() {}, error() {}, warn() {} };
  const HEARD = {
    "one that does something at one level": { ...EMPTY, warn: hear },
    "one whose methods are bound": { ...EMPTY, warn: hear.bind(undefined) },
    "one whose methods are watched": {
      ...EMPTY,
      warn: new Proxy(EMPTY.warn, { apply: (_, __, [entry]) => hear(entry) }),
    },
    "one that is watched": new Proxy(EMPTY, {
      get: (target, level) => (level === "warn" ? hear : Reflect.get(target, level)),
    }),
    "one of a class that has methods of its own": new (class extends (SILENT as new () => Logger) {
      override warn = hear;
    })(),
  };
  for (const [what, logger] of Object.entries(HEARD)) {
    it(`is not taken for one with ${what}`, async () => {
      heard.length = 0;
      const client = fixture.track(new S3Client({ ...fixture.server.clientConfig, logger }));
      await fixture.plain.send(new PutObjectCommand({ Bucket: BUCKET, Key: "plain", Body: "plain" }));
      const { code } = await refusal(
        encryptS3(client, { keyring: TEST_KEYRING }).send(new GetObjectCommand({ Bucket: BUCKET, Key: "plain" })),
      );
      expect(heard).to.deep.include({
        message: "s3ec.refused",
        "error.type": code,
        commandName: "GetObjectCommand",
        bucket: BUCKET,
        key: "plain",
      });
    });
  }
});
