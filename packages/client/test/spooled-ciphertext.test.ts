import { type FileHandle, mkdtemp, open, rm, truncate } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PROOF_PIECE_LENGTH } from "@s3ec/envelope";
import { expect } from "chai";
import { SpoolFile } from "../dist/read/spool-file.js";
import { bytesOfLength } from "./fixture.js";
import { errorOf } from "./transfers.js";

const MiB = 1024 * 1024;

describe("ciphertext that waits in a file", () => {
  let directory: string;
  let path: string;
  let file: FileHandle;

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), "s3ec-test-"));
    path = join(directory, "spool");
    file = await open(path, "wx+");
  });
  afterEach(async () => {
    await file.close();
    await rm(directory, { recursive: true });
  });

  /** Pieces as a proof of so many bytes has them. */
  function pieces(length: number): { offset: number; length: number }[] {
    return Array.from({ length: Math.ceil(length / PROOF_PIECE_LENGTH) }, (_, index) => {
      const offset = index * PROOF_PIECE_LENGTH;
      return { offset, length: Math.min(PROOF_PIECE_LENGTH, length - offset) };
    });
  }

  async function written(spool: SpoolFile, content: Uint8Array, chunkLength: number): Promise<void> {
    for (let offset = 0; offset < content.length; offset += chunkLength) {
      const chunk = Buffer.from(content.subarray(offset, offset + chunkLength));
      const busy = spool.take(chunk);
      // Where there is nothing to wait for, the chunk is the caller's again.
      if (busy === undefined) chunk.fill(0);
      await busy;
    }
    await spool.end();
  }

  /** What was read, copied before the next piece is asked for. */
  async function readBack(spool: SpoolFile, length: number): Promise<Buffer[]> {
    const read: Buffer[] = [];
    for await (const piece of spool.read(pieces(length))) read.push(Buffer.from(piece));
    return read;
  }

  it("is what was looked at and what is read back, in chunks of any length", async () => {
    for (const [length, chunkLength] of [
      [0, 1],
      [1, 1],
      [16 * 1024 + 7, 1000],
      [MiB, MiB],
      [MiB, PROOF_PIECE_LENGTH + 1],
      [2 * MiB, 16 * 1024],
      [5 * MiB + 17, 16 * 1024],
      [5 * MiB + 17, 5 * MiB + 17],
    ] as const) {
      const content = bytesOfLength(length);
      const seen: Buffer[] = [];
      await file.truncate();
      const spool = new SpoolFile(file, (bytes) => seen.push(Buffer.from(bytes)));
      await written(spool, content, chunkLength);
      expect(Buffer.concat(seen).equals(content), `looked at ${length}`).to.equal(true);
      const read = await readBack(spool, length);
      expect(Buffer.concat(read).equals(content), `read back ${length}`).to.equal(true);
      expect(read.map((piece) => piece.length)).to.deep.equal(pieces(length).map((piece) => piece.length));
    }
  });

  it("is written as it was looked at, whoever changes a chunk afterwards (G5)", async () => {
    const seen: Buffer[] = [];
    const spool = new SpoolFile(file, (bytes) => seen.push(Buffer.from(bytes)));
    const chunk = Buffer.alloc(PROOF_PIECE_LENGTH, "a");
    await spool.take(chunk);
    chunk.fill("b");
    await spool.end();
    expect(Buffer.concat(seen).equals(Buffer.alloc(PROOF_PIECE_LENGTH, "a"))).to.equal(true);
    expect(Buffer.concat(await readBack(spool, chunk.length)).equals(Buffer.concat(seen))).to.equal(true);
  });

  it("waits for the disk with two buffers, which serve for all of it in both directions", async () => {
    const real = { writev: file.writev.bind(file), read: file.read.bind(file) };
    const used = new Set<ArrayBufferLike>();
    let write: (() => void) | undefined;
    const begun: number[] = [];
    file.writev = (async (buffers: readonly Uint8Array[], position: number) => {
      begun.push(position);
      for (const { buffer } of buffers) used.add(buffer);
      if (begun.length === 1) await new Promise<void>((go) => (write = go));
      return await real.writev(buffers, position);
    }) as typeof file.writev;
    file.read = (async (buffer: Uint8Array, ...where: [number, number, number]) => {
      used.add(buffer.buffer);
      return await real.read(buffer, ...where);
    }) as typeof file.read;

    const content = bytesOfLength(4 * MiB);
    const spool = new SpoolFile(file, () => {});
    let taken = 0;
    const all = (async () => {
      for (; taken < content.length; taken += MiB / 2) await spool.take(content.subarray(taken, taken + MiB / 2));
      await spool.end();
    })();
    await new Promise((turns) => setTimeout(turns, 50));
    expect(begun).to.deep.equal([0]);
    expect(taken).to.be.at.most(2 * MiB);
    write?.();
    await all;
    expect(Buffer.concat(await readBack(spool, content.length)).equals(content)).to.equal(true);
    expect(used.size).to.equal(2);
  });

  it("fails with what the disk says, and nothing is being written any more once it is idle", async () => {
    let writes = 0;
    let failing = true;
    file.writev = (async () => {
      writes++;
      await new Promise((later) => setTimeout(later, 20));
      failing = false;
      throw new Error("The disk is full.");
    }) as typeof file.writev;
    const spool = new SpoolFile(file, () => {});
    const content = bytesOfLength(3 * MiB);
    await spool.take(content.subarray(0, MiB));
    await spool.idle();
    expect(failing).to.equal(false);
    expect((await errorOf(Promise.resolve(spool.take(content.subarray(MiB))))).message).to.equal("The disk is full.");
    expect((await errorOf(spool.end())).message).to.equal("The disk is full.");
    expect(writes).to.equal(1);
  });

  it("is read as far as the disk still has it, and no reading goes on once nobody reads any more", async () => {
    const content = bytesOfLength(3 * MiB);
    const spool = new SpoolFile(file, () => {});
    await written(spool, content, MiB);
    await truncate(path, MiB + 10);
    const read = await readBack(spool, content.length);
    expect(read.slice(0, 5).map(({ length }) => length)).to.deep.equal([...Array(4).fill(PROOF_PIECE_LENGTH), 10]);
    expect(read.slice(5).every(({ length }) => length === 0)).to.equal(true);

    let reading = 0;
    const { read: real } = file;
    file.read = (async (...how: Parameters<typeof real>) => {
      reading++;
      await new Promise((later) => setTimeout(later, 20));
      return await real.apply(file, how).finally(() => reading--);
    }) as unknown as typeof file.read;
    for await (const _piece of spool.read(pieces(content.length))) {
      expect(reading).to.equal(1);
      break;
    }
    expect(reading).to.equal(0);
  });
});
