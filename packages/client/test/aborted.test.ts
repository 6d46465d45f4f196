import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { CopyObjectCommand, GetObjectCommand, PutObjectCommand } from "@aws-sdk/client-s3";
import { EncryptedDownload, EncryptedUpload, type S3EncryptionClient, sealObject } from "@s3ec/client";
import { S3Format } from "@s3ec/format-s3";
import type { MaterialsManager } from "@s3ec/materials";
import { expect } from "chai";
import { withCallOptions } from "../dist/call-options.js";
import { copyObject } from "../dist/commands/copy-object.js";
import { encryptionOf } from "../dist/plain-client.js";
import { BUCKET, bytesOfLength, Fixture, put, refusal, TEST_KEYRING } from "./fixture.js";
import { MiB } from "./multipart.js";
import { errorOf } from "./transfers.js";

describe("an abort", () => {
  const content = bytesOfLength(5_000_000);
  let fixture: Fixture;
  let folder: string;
  before(async () => {
    fixture = await Fixture.start();
    folder = await mkdtemp(join(tmpdir(), "s3ec-test-"));
    await fixture.client().send(put("object", content));
    const files = { instructionFileConfig: { enableInstructionFilePutObject: true } };
    await fixture.client(files).send(put("in-a-file"));
    // Without a mark, only a key tells whose file it is.
    await fixture.client().send(put("unmarked"));
    const { body, metadata } = await fixture.stored("in-a-file");
    const file = await fixture.stored("in-a-file.instruction");
    await fixture.plain.send(new PutObjectCommand({ Bucket: BUCKET, Key: "unmarked", Body: body, Metadata: metadata }));
    await fixture.plain.send(new PutObjectCommand({ Bucket: BUCKET, Key: "unmarked.instruction", Body: file.body }));
  });
  after(async () => {
    await fixture.close();
    await rm(folder, { recursive: true });
  });

  /** As packages brought their own before there was one: the SDK takes it, too. */
  function bare(): { readonly signal: AbortSignal; readonly abort: () => void } {
    const signal = { aborted: false, onabort: null as (() => void) | null };
    const abort = (): void => {
      signal.aborted = true;
      signal.onabort?.();
    };
    return { signal: signal as unknown as AbortSignal, abort };
  }

  it("may be told by a signal that has no more than onabort, and ends every call that was given it", async () => {
    const { signal, abort } = bare();
    const client = fixture.client();
    await client.send(put("bare"), { abortSignal: signal });
    const { Body } = await client.send(new GetObjectCommand({ Bucket: BUCKET, Key: "bare" }), { abortSignal: signal });
    expect(await Body?.transformToString()).to.equal("secret");
    const { client: slow, asked } = stalled();
    const puts = ["bare", "bare"].map((key) => errorOf(slow.send(put(key), { abortSignal: signal })));
    await asked;
    abort();
    for (const error of await Promise.all(puts)) expect(error.name).to.equal("AbortError");
    expect((await errorOf(client.send(put("bare"), { abortSignal: signal }))).name).to.equal("AbortError");
    const before = bare();
    before.abort();
    expect((await errorOf(client.send(put("bare"), { abortSignal: before.signal }))).name).to.equal("AbortError");
  });

  it("may be told by a signal of a package, wherever it is waited for", async () => {
    class Polyfilled extends EventTarget {
      aborted = false;
    }
    const polyfilled = new Polyfilled();
    const signal = polyfilled as unknown as AbortSignal;
    const large = bytesOfLength(5 * MiB + 1);
    await fixture.client().send(put("large", large));
    const held = fixture.server.faults.pause({ operation: "UploadPartCopy" });
    // What waits for two signals hears of a foreign one only by way of one of this runtime.
    const s3 = fixture.client();
    const copy = { Bucket: BUCKET, Key: "copy", CopySource: `${BUCKET}/large` };
    const input = withCallOptions(copy, { abortSignal: signal });
    const next = () => Promise.reject(new Error("It is copied in parts."));
    const copying = errorOf(copyObject(encryptionOf(s3, undefined), input, next, s3, { copyLimit: 5 * MiB }));
    await held.reached;
    const { client: slow, asked: stalling } = stalled();
    const putting = errorOf(slow.send(put("polyfilled"), { abortSignal: signal }));
    await stalling;
    polyfilled.aborted = true;
    polyfilled.dispatchEvent(new Event("abort"));
    expect((await putting).name).to.equal("AbortError");
    expect((await copying).name).to.equal("AbortError");
    held.release();
    expect(await fixture.keys("copy")).to.deep.equal([]);
    const late = new Polyfilled();
    late.aborted = true;
    const refused = errorOf(fixture.client().send(put("late"), { abortSignal: late as unknown as AbortSignal }));
    expect((await refused).name).to.equal("AbortError");
  });

  for (const [what, abortSignal] of Object.entries({
    "its controller": new AbortController(),
    "a text": "abort",
    "an event target": new EventTarget(),
    true: true,
  })) {
    it(`is refused by ${what} in place of a signal, before anything is sent`, async () => {
      fixture.server.clearRequests();
      const sent: Promise<unknown> = Reflect.apply(fixture.client().send, fixture.client(), [
        put("refused"),
        { abortSignal },
      ]);
      const { code, message } = await refusal(sent);
      expect([code, message]).to.deep.equal([
        "invalid-argument",
        "abortSignal must be an AbortSignal, such as controller.signal.",
      ]);
      const sealing = sealObject({ Body: "x" }, { keyring: TEST_KEYRING, abortSignal: abortSignal as never });
      expect((await refusal(sealing)).code).to.equal("invalid-argument");
      expect(fixture.server.requests).to.deep.equal([]);
    });
  }

  /** A key store that never answers. */
  function stalled(): { client: S3EncryptionClient; asked: Promise<void>; readonly times: number } {
    let times = 0;
    let tell = (): void => {};
    const asked = new Promise<void>((resolve) => (tell = resolve));
    const never = (): Promise<never> => {
      times++;
      tell();
      return new Promise(() => {});
    };
    const materialsManager: MaterialsManager = {
      wrapAlgorithms: TEST_KEYRING.wrapAlgorithms,
      getEncryptionMaterials: never,
      getDecryptionMaterials: never,
    };
    const formats = [new S3Format({ enableLegacyUnauthenticatedModes: true })];
    const client = fixture.client({ materialsManager, formats });
    return {
      client,
      asked,
      get times() {
        return times;
      },
    };
  }

  const at = { Bucket: BUCKET, Key: "object" };
  const to = (): string => join(folder, "target");
  const calls: Readonly<Record<string, (client: S3EncryptionClient, abort: AbortController) => Promise<unknown>>> = {
    "a put": (client, { signal: abortSignal }) => client.send(put("new"), { abortSignal }),
    "a get": (client, { signal: abortSignal }) => client.send(new GetObjectCommand(at), { abortSignal }),
    "a get of a range": (client, { signal: abortSignal }) =>
      client.send(new GetObjectCommand({ ...at, Range: "bytes=1-2" }), { abortSignal }),
    "a get by an instruction file": (client, { signal: abortSignal }) =>
      client.send(new GetObjectCommand({ Bucket: BUCKET, Key: "in-a-file" }), { abortSignal }),
    "a copy": (client, { signal: abortSignal }) =>
      client.send(new CopyObjectCommand({ Bucket: BUCKET, Key: "copy", CopySource: `${BUCKET}/unmarked` }), {
        abortSignal,
      }),
    "an upload": (client, abortController) =>
      new EncryptedUpload({ client, params: { Bucket: BUCKET, Key: "new", Body: "secret" }, abortController }).done(),
    "a download": (client, abortController) =>
      new EncryptedDownload({ client, params: at, to: to(), abortController }).done(),
  };

  for (const [what, call] of Object.entries(calls)) {
    it(`ends ${what} that waits for a key store, which need not answer any more`, async () => {
      const { client, asked } = stalled();
      const abort = new AbortController();
      const outcome = errorOf(call(client, abort));
      await asked;
      abort.abort();
      expect((await outcome).name).to.equal("AbortError");
      expect(await fixture.keys("new")).to.deep.equal([]);
      expect(await fixture.keys("copy")).to.deep.equal([]);
      expect(existsSync(to())).to.equal(false);
    });
  }

  it("lets go of the body of a put that waits for a key store", async () => {
    const { client, asked } = stalled();
    const abort = new AbortController();
    const body = Readable.from([Buffer.alloc(10)]);
    const outcome = errorOf(client.send(put("new", body), { abortSignal: abort.signal }));
    await asked;
    abort.abort();
    await outcome;
    expect(body.destroyed).to.equal(true);
  });

  for (const what of ["a put", "an upload", "a download"]) {
    it(`that came before ${what} keeps the key store from being asked`, async () => {
      const store = stalled();
      const abort = new AbortController();
      const outcome = errorOf((calls[what] ?? calls["a put"])?.(store.client, abort) ?? Promise.resolve());
      abort.abort();
      expect((await outcome).name).to.equal("AbortError");
      expect(store.times).to.equal(0);
    });
  }

  it("right behind done() ends a download, and leaves the file as it was", async () => {
    writeFileSync(to(), "before");
    const download = new EncryptedDownload({ client: fixture.client(), params: at, to: to() });
    const outcome = errorOf(download.done());
    await download.abort();
    expect((await outcome).name).to.equal("AbortError");
    expect(readFileSync(to(), "utf8")).to.equal("before");
    await rm(to());
  });

  describe("while a request changes what stands", () => {
    const files = { instructionFileConfig: { enableInstructionFilePutObject: true } };
    const writes: Readonly<Record<string, (Key: string, abort: AbortController) => Promise<unknown>>> = {
      "a put": (Key, { signal: abortSignal }) => fixture.client(files).send(put(Key, "new"), { abortSignal }),
      "an upload": (Key, abortController) =>
        new EncryptedUpload({
          client: fixture.client(files),
          params: { Bucket: BUCKET, Key, Body: bytesOfLength(6 << 20) },
          abortController,
        }).done(),
    };
    const text = async (Key: string): Promise<string | undefined> =>
      (await fixture.client().send(new GetObjectCommand({ Bucket: BUCKET, Key }))).Body?.transformToString();
    afterEach(() => fixture.server.faults.clear());

    for (const [what, write] of Object.entries(writes)) {
      it(`lets the file of ${what} be answered, and puts back what was there`, async () => {
        const Key = `put-back-${what.length}`;
        await fixture.client(files).send(put(Key, "old"));
        const pause = fixture.server.faults.pause({ operation: "PutObject", key: `${Key}.instruction`, at: "commit" });
        const abort = new AbortController();
        const outcome = errorOf(write(Key, abort));
        await pause.reached;
        abort.abort();
        await new Promise(setImmediate);
        pause.release();
        expect((await outcome).name).to.equal("AbortError");
        expect(await text(Key)).to.equal("old");
      });
    }

    it("says that a file which was not answered may still change, with the text of both", async () => {
      await fixture.client(files).send(put("unanswered", "old"));
      const previous = (await fixture.stored("unanswered.instruction")).body.toString();
      const pause = fixture.server.faults.pause({
        operation: "PutObject",
        key: "unanswered.instruction",
        at: "commit",
      });
      const abort = new AbortController();
      const outcome = errorOf(fixture.client(files).send(put("unanswered", "new"), { abortSignal: abort.signal }));
      await pause.reached;
      abort.abort();
      const error = await outcome;
      pause.release();
      expect(error).to.include({ code: "outcome-unknown" });
      expect(Reflect.get(error, "files")[0]).to.include({ key: "unanswered.instruction", previous });
    });

    it("lets the completion of an upload be answered, and says what is stored", async () => {
      const pause = fixture.server.faults.pause({
        operation: "CompleteMultipartUpload",
        key: "completed",
        at: "commit",
      });
      const abort = new AbortController();
      const outcome = errorOf(writes["an upload"]?.("completed", abort) ?? Promise.resolve());
      await pause.reached;
      abort.abort();
      await new Promise(setImmediate);
      pause.release();
      expect(await outcome).to.include({ code: "instruction-file-failed" });
      expect((await text("completed"))?.length).to.be.above(0);
    });
  });
});
