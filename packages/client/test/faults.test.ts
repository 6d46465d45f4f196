import { once } from "node:events";
import {
  createReadStream,
  createWriteStream,
  mkdtempSync,
  readdirSync,
  readlinkSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PassThrough, Readable } from "node:stream";
import { setTimeout as delay } from "node:timers/promises";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { DeleteObjectCommand, PutObjectCommand } from "@aws-sdk/client-s3";
import { EncryptedDownload, EncryptedUpload } from "@s3ec/client";
import type { Keyring } from "@s3ec/materials";
import { expect } from "chai";
import { BUCKET, Fixture, get, put, refusal, TEST_KEYRING } from "./fixture.js";
import { errorOf, until } from "./transfers.js";

/** As a key store behind a network is: streams have time to fail before anyone reads them. */
const REMOTE_KEYRING: Keyring = {
  wrapAlgorithms: TEST_KEYRING.wrapAlgorithms,
  onEncrypt: async (materials) => {
    await delay(100);
    return TEST_KEYRING.onEncrypt(materials);
  },
  onDecrypt: async (materials, keys) => {
    await delay(100);
    return TEST_KEYRING.onDecrypt(materials, keys);
  },
};
const FILES = { instructionFileConfig: { enableInstructionFilePutObject: true } };

/** Paths of the files, among other things, that this process has open. */
function openFiles(): string[] {
  return readdirSync("/proc/self/fd").flatMap((fd) => {
    try {
      return readlinkSync(join("/proc/self/fd", fd));
    } catch {
      return [];
    }
  });
}

function openSpools(): number {
  // Other tests of this process have files of other names, which some of them leave to the collector.
  return openFiles().filter((file) => /\/s3ec-[0-9a-f]{8}-[0-9a-f-]{27}/.test(file)).length;
}

/** A file that nobody closes is closed when its memory is collected, with a warning, or with an error that ends the process. */
async function warningsOf(run: () => Promise<void>): Promise<Error[]> {
  const warnings: Error[] = [];
  const onWarning = (warning: Error): unknown => warnings.push(warning);
  process.on("warning", onWarning);
  await run();
  await delay(10);
  process.off("warning", onWarning);
  return warnings;
}

const bun: { readonly gc: (isComplete: boolean) => void } | undefined = Reflect.get(globalThis, "Bun");
if (bun === undefined) setFlagsFromString("--expose-gc");
const collectGarbage: () => void = bun === undefined ? runInNewContext("gc") : () => bun.gc(true);

describe("the client under faults", () => {
  let fixture: Fixture;
  let folder: string;
  before(async () => {
    fixture = await Fixture.start();
    folder = mkdtempSync(join(tmpdir(), "s3ec-review-"));
  });
  after(async () => {
    await fixture.close();
    rmSync(folder, { recursive: true });
  });

  // Mocha fails a test that an error escapes from, which is how these would end a process.
  it("rejects when a body fails while the key store is asked, and lets no error escape", async () => {
    const client = fixture.client({ keyring: REMOTE_KEYRING });
    const error = await errorOf(client.send(put("late", createReadStream(join(folder, "absent")))));
    expect(error).to.have.property("code", "ENOENT");
  });

  it("rejects when an upload's file is not there, and lets no error escape", async () => {
    const client = fixture.client({ keyring: REMOTE_KEYRING });
    const upload = new EncryptedUpload({ client, params: { Bucket: BUCKET, Key: "u" }, file: join(folder, "absent") });
    expect(await errorOf(upload.done())).to.have.nested.property("cause.code", "ENOENT");
  });

  it("rejects when a body fails while the request is still being signed, and lets no error escape", async () => {
    const client = fixture.client();
    client.middlewareStack.add(
      (next) => async (args) => {
        await delay(100);
        return next(args);
      },
      { step: "finalizeRequest", priority: "high", name: "slow" },
    );
    const body = new PassThrough();
    const sent = errorOf(client.send(put("signing", body, { ContentLength: 20_000_000 })));
    setImmediate(() => body.destroy(new Error("The body broke.")));
    expect(await sent).to.have.property("message", "The body broke.");
  });

  it("rejects when the target of a download cannot be written, and lets no error escape", async () => {
    const client = fixture.client({ keyring: REMOTE_KEYRING });
    await client.send(put("target", "x"));
    const to = createWriteStream(join(folder, "absent", "file"));
    await errorOf(new EncryptedDownload({ client, params: { Bucket: BUCKET, Key: "target" }, to }).done());
  });

  it("lets go of what it has spooled when the target of a download has failed meanwhile", async () => {
    const client = fixture.client({ keyring: REMOTE_KEYRING, bufferSize: 0 });
    await client.send(put("spooled", "x"));
    const to = new PassThrough();
    const downloading = new EncryptedDownload({ client, params: { Bucket: BUCKET, Key: "spooled" }, to }).done();
    to.destroy(new Error("The target broke."));
    const warnings = await warningsOf(async () => {
      expect(await errorOf(downloading)).to.have.property("message", "The target broke.");
      await until(() => openSpools() === 0);
    });
    expect(warnings).to.deep.equal([]);
  });

  it("lets go of what it has spooled when the answer is dropped, unread or half read", async () => {
    const client = fixture.client({ bufferSize: 0 });
    await client.send(put("dropped", "x".repeat(1_000_000)));
    const halfRead = async (): Promise<unknown> => {
      const { Body } = await client.send(get("dropped"));
      if (Body instanceof Readable) await once(Body, "readable");
      return Body;
    };
    const warnings = await warningsOf(async () => {
      const answers = [await client.send(get("dropped")), await halfRead()];
      expect(openSpools()).to.equal(2);
      answers.length = 0;
      await until(() => {
        collectGarbage();
        return openSpools() === 0;
      });
    });
    expect(warnings).to.deep.equal([]);
  });

  it("reads instruction files although every connection holds an object", async () => {
    await fixture.client(FILES).send(put("many", "x"));
    const client = fixture.client();
    const reads = Array.from({ length: 50 }, async () => (await client.send(get("many"))).Body?.transformToString());
    expect(new Set(await Promise.all(reads))).to.deep.equal(new Set(["x"]));
  });

  it("downloads with instruction files although every connection holds an object", async () => {
    await fixture.client(FILES).send(put("many", "x"));
    const client = fixture.client();
    const params = { Bucket: BUCKET, Key: "many" };
    const reads = Array.from({ length: 50 }, () =>
      new EncryptedDownload({ client, params, to: new PassThrough().resume() }).done(),
    );
    expect((await Promise.all(reads)).every(({ ContentLength }) => ContentLength === 1)).to.equal(true);
  });

  it("stops when the caller aborts while it waits for a small body", async () => {
    const controller = new AbortController();
    const body = new Readable({ read() {} });
    const sent = errorOf(fixture.client().send(put("stalled", body), { abortSignal: controller.signal }));
    setImmediate(() => controller.abort());
    expect((await sent).name).to.equal("AbortError");
    expect(body.destroyed).to.equal(true);
  });

  it("closes the file of a put that it refuses before it reads", async () => {
    const file = join(folder, "file");
    writeFileSync(file, "some bytes");
    const client = fixture.client();
    for (const more of [{ ContentLength: 1 }, { Metadata: { "x-amz-mine": "1" } }, { WriteOffsetBytes: 1 }]) {
      const Body = createReadStream(file);
      await once(Body, "open");
      await refusal(client.send(new PutObjectCommand({ Bucket: BUCKET, Key: "refused", Body, ...more })));
      expect(Body.destroyed, JSON.stringify(more)).to.equal(true);
      const upload = new EncryptedUpload({ client, params: { Bucket: BUCKET, Key: "refused", ...more }, file });
      await refusal(upload.done());
    }
    await delay(50);
    expect(openFiles()).not.to.include(file);
  });

  it("cancels the web stream of a put that it refuses before it reads", async () => {
    let isCancelled = false;
    const Body = new ReadableStream({
      cancel: () => {
        isCancelled = true;
      },
    });
    const refused = new PutObjectCommand({ Bucket: BUCKET, Key: "refused", Body, WriteOffsetBytes: 1 });
    await refusal(fixture.client().send(refused));
    expect(isCancelled).to.equal(true);
  });

  it("reads and deletes the instruction file that it wrote, whether the suffix was given with a dot or without", async () => {
    const client = fixture.client({ instructionFileConfig: { enableInstructionFilePutObject: true, suffix: "s" } });
    await fixture.client().send(put("photos", "another object"));
    await client.send(put("photo", "x"));
    expect(await (await client.send(get("photo"))).Body?.transformToString()).to.equal("x");
    await client.send(new DeleteObjectCommand({ Bucket: BUCKET, Key: "photo" }));
    expect(await fixture.keys("photo")).to.deep.equal(["photos"]);
  });

  it("leaves the object that is there readable when a streamed put breaks off", async () => {
    const client = fixture.client(FILES);
    await client.send(put("kept", "old"));
    async function* breaking(): AsyncGenerator<Uint8Array> {
      for (let i = 0; i < 10; i++) yield Buffer.alloc(1_000_000);
      throw new Error("The body broke.");
    }
    await errorOf(client.send(put("kept", Readable.from(breaking()), { ContentLength: 20_000_000 })));
    expect(await (await client.send(get("kept"))).Body?.transformToString()).to.equal("old");
  });

  it("refuses a stream that was read before instead of storing an empty object", async () => {
    const body = Readable.from([Buffer.from("content")]);
    await body.toArray();
    await errorOf(fixture.client().send(put("consumed", body)));
    expect(await fixture.keys("consumed")).to.deep.equal([]);
  });

  it("downloads to a file whose name is as long as names may be", async () => {
    const client = fixture.client();
    await client.send(put("named", "x"));
    const to = join(folder, "あ".repeat(85));
    await new EncryptedDownload({ client, params: { Bucket: BUCKET, Key: "named" }, to }).done();
  });
});
