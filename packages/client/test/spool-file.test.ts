import crypto from "node:crypto";
import { readdirSync, readlinkSync, statSync } from "node:fs";
import fs, { type FileHandle, mkdtemp, open, readdir, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { syncBuiltinESMExports } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { setTimeout as delay } from "node:timers/promises";
import { PROOF_PIECE_LENGTH } from "@s3ec/envelope";
import { expect } from "chai";
import { spoolContent } from "../dist/read/spool.js";
import { bytesOfLength, Fixture, get, put } from "./fixture.js";
import { errorOf } from "./transfers.js";

describe("the file that an object's ciphertext waits in until it is authenticated", () => {
  let fixture: Fixture;
  let directory: string;

  before(async () => {
    fixture = await Fixture.start();
    await fixture.client().send(put("object", bytesOfLength(100_000)));
  });
  after(() => fixture.close());
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), "s3ec-test-"));
  });
  afterEach(() => rm(directory, { recursive: true }));

  async function spooled(): Promise<Readable> {
    const { Body } = await fixture.client({ bufferSize: 0, spool: { directory } }).send(get("object"));
    if (!(Body instanceof Readable)) throw new Error("Not a Node stream.");
    return Body;
  }

  it("is its owner's alone, whatever the umask lets through", async function () {
    // Unlinked at once, it can be looked at through its descriptor only.
    if (process.platform !== "linux") this.skip();
    const umask = process.umask(0);
    let modes: number[];
    let body: Readable;
    try {
      body = await spooled();
      modes = readdirSync("/proc/self/fd")
        .map((fd) => `/proc/self/fd/${fd}`)
        .filter((path) => pointsInto(path, directory))
        .map((path) => statSync(path).mode & 0o777);
    } finally {
      process.umask(umask);
    }
    body.destroy();
    expect(modes).to.deep.equal([0o600]);
  });

  it("is closed as soon as nobody wants it any more", async function () {
    if (process.platform !== "linux") this.skip();
    const isOpen = (): boolean =>
      readdirSync("/proc/self/fd").some((fd) => pointsInto(`/proc/self/fd/${fd}`, directory));
    const body = await spooled();
    expect(isOpen()).to.equal(true);
    body.destroy();
    for (let tries = 0; tries < 100 && isOpen(); tries++) await delay(10);
    expect(isOpen()).to.equal(false);
  });

  it("is never one that is there already, such as a link of somebody who knows its name", async () => {
    const target = join(directory, "target");
    const name = "00000000-0000-4000-8000-000000000000";
    await writeFile(target, "somebody's");
    await symlink(target, join(directory, `s3ec-${name}`));
    const { randomUUID } = crypto;
    crypto.randomUUID = () => name;
    syncBuiltinESMExports();
    let failed: Error;
    try {
      failed = await errorOf(spooled());
    } finally {
      crypto.randomUUID = randomUUID;
      syncBuiltinESMExports();
    }
    expect(failed).to.have.property("code", "EEXIST");
    expect((await readFile(target)).toString()).to.equal("somebody's");
  });

  /** As a format whose content is its own plaintext. */
  const opened = { decrypt: (chunks: AsyncIterable<Uint8Array>) => chunks as AsyncGenerator<Uint8Array> };
  /** As one whose end is a tag: each chunk is held until the next one comes, and all must be as they were. */
  const held = {
    async *decrypt(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
      let before: Uint8Array = new Uint8Array(0);
      let offset = 0;
      const checked = (bytes: Uint8Array): Uint8Array => {
        const expected = whole.subarray(offset, offset + bytes.length);
        if (!expected.equals(bytes)) throw new Error(`Something else came at ${offset}.`);
        offset += bytes.length;
        return Uint8Array.from(bytes);
      };
      for await (const chunk of chunks) {
        // What follows is read meanwhile.
        await delay(1);
        yield checked(before);
        before = chunk;
      }
      yield checked(before);
    },
  };
  const PIECE = PROOF_PIECE_LENGTH;
  const whole = bytesOfLength(12 * PIECE + 17);
  const content = (): Readable => Readable.from([bytesOfLength(1000)]);

  it("has no name from the beginning on, and letting go of it is no error", async () => {
    const { destroy } = await spoolContent(opened, { chunks: content() }, directory);
    expect(await readdir(directory)).to.deep.equal([]);
    await destroy();
  });

  /** Changes the file that has no name any more, through its descriptor. */
  async function changed(change: (file: FileHandle) => Promise<unknown>): Promise<void> {
    const [descriptor] = readdirSync("/proc/self/fd")
      .map((fd) => `/proc/self/fd/${fd}`)
      .filter((path) => pointsInto(path, directory));
    if (descriptor === undefined) throw new Error("Nothing is spooled.");
    const file = await open(descriptor, "r+");
    await change(file).finally(() => file.close());
  }

  for (const [what, change] of [
    ["changed", (file: FileHandle) => file.write(Buffer.from("x"), 0, 1, 600_000)],
    ["put in another's place", (file: FileHandle) => file.write(whole.subarray(0, PIECE), 0, PIECE, 2 * PIECE)],
    ["cut", (file: FileHandle) => file.truncate(600_000)],
    ["removed", (file: FileHandle) => file.truncate(2 * PIECE)],
  ] as const) {
    it(`gives out nothing of a piece that was ${what} meanwhile, where it cannot be hashed as GCM does (G10)`, async function () {
      if (process.platform !== "linux") this.skip();
      const chunks = Readable.from([whole.subarray(0, 500_000), whole.subarray(500_000)]);
      const { chunks: read, destroy } = await spoolContent(opened, { chunks }, directory);
      await changed(change);
      const pieces: Uint8Array[] = [];
      const failed = await errorOf(
        (async () => {
          for await (const piece of read) pieces.push(piece);
        })(),
      );
      await destroy();
      expect(failed).to.have.property("code", "decryption-failed");
      expect(Buffer.concat(pieces).equals(whole.subarray(0, 2 * PIECE))).to.equal(true);
    });
  }

  it("gives out all where nothing was changed, whatever is done with the chunks that it was made of", async () => {
    const chunks = (async function* () {
      for (let offset = 0; offset < whole.length; offset += 100_000) {
        const chunk = Uint8Array.from(whole.subarray(offset, offset + 100_000));
        yield chunk;
        chunk.fill(0);
      }
    })();
    const { chunks: read, length, destroy } = await spoolContent(held, { chunks }, directory);
    const pieces: Uint8Array[] = [];
    for await (const piece of read) pieces.push(Uint8Array.from(piece));
    await destroy();
    expect(length).to.equal(whole.length);
    expect(Buffer.concat(pieces).equals(whole)).to.equal(true);
  });

  /** Where a system does not let a file that is open lose its name. */
  async function spooledWithName(ciphertext: AsyncIterable<Uint8Array>): ReturnType<typeof spoolContent> {
    const { unlink } = fs;
    const restore = (): void => {
      fs.unlink = unlink;
      syncBuiltinESMExports();
    };
    fs.unlink = () => {
      restore();
      return Promise.reject(new Error("The file is open."));
    };
    syncBuiltinESMExports();
    return spoolContent(opened, { chunks: ciphertext }, directory).finally(restore);
  }

  it("keeps its name until it is closed where a system does not allow otherwise, and no longer", async () => {
    const spooled = await spooledWithName(content());
    expect(await readdir(directory)).to.have.length(1);
    await spooled.destroy();
    expect(await readdir(directory)).to.deep.equal([]);
  });

  it("is closed and gone when what should go there breaks", async () => {
    const broken = Readable.from(
      (function* () {
        yield bytesOfLength(1000);
        throw new Error("The body broke.");
      })(),
    );
    expect((await errorOf(spooledWithName(broken))).message).to.equal("The body broke.");
    expect(await readdir(directory)).to.deep.equal([]);
  });
});

function pointsInto(descriptor: string, directory: string): boolean {
  try {
    return readlinkSync(descriptor).startsWith(directory);
  } catch {
    return false;
  }
}
