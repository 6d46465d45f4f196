import crypto from "node:crypto";
import { readdirSync, readlinkSync, statSync } from "node:fs";
import fs, { mkdtemp, readdir, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { syncBuiltinESMExports } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { setTimeout as delay } from "node:timers/promises";
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
  const content = (): Readable => Readable.from([bytesOfLength(1000)]);

  it("has no name from the beginning on, and letting go of it is no error", async () => {
    const { destroy } = await spoolContent(opened, { chunks: content() }, directory);
    expect(await readdir(directory)).to.deep.equal([]);
    await destroy();
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
