import { setImmediate as turn } from "node:timers/promises";
import { expect } from "chai";
import { arrivals } from "../dist/read/arrivals.js";
import { bytesOfLength } from "./fixture.js";

const KiB = 1024;
const RECORD = 16 * KiB;

type Take = (chunk: Uint8Array) => Promise<unknown> | undefined;

/** Hands on records of a network, all that are there in one turn of the loop, as far as it may. */
function records(content: Uint8Array, perTurn: number): (take: Take) => Promise<void> {
  return async (take) => {
    for (let offset = 0, count = 1; offset < content.length; offset += RECORD, count++) {
      const busy = take(content.subarray(offset, offset + RECORD));
      if (busy !== undefined) await busy;
      if (count % perTurn === 0) await turn();
    }
  };
}

async function all(pieces: AsyncIterable<Uint8Array>): Promise<Uint8Array[]> {
  const read: Uint8Array[] = [];
  for await (const piece of pieces) read.push(piece);
  return read;
}

describe("what arrives", () => {
  const content = bytesOfLength(5 * 1024 * KiB + 7);
  const nothing = (): void => {};

  it("is handed on in order and whole, in few pieces where much comes at once", async () => {
    for (const perTurn of [1, 3, 1000]) {
      const pieces = await all(arrivals(records(content, perTurn), nothing));
      expect(Buffer.concat(pieces).equals(content)).to.equal(true);
      for (const { length } of pieces) expect(length).to.be.within(1, 256 * KiB);
      if (perTurn === 1000) expect(pieces.length).to.be.below(30);
    }
  });

  it("is a large chunk as it came, in its order among small ones", async () => {
    const large = bytesOfLength(100 * KiB);
    const small = ["a", "b", "c"].map((text) => Buffer.from(text));
    const read = async (take: Take): Promise<void> => {
      for (const chunk of [small[0], small[1], large, small[2], new Uint8Array(0)])
        if (chunk !== undefined) take(chunk);
    };
    const pieces = await all(arrivals(read, nothing));
    expect(pieces.map(({ length }) => length)).to.deep.equal([2, large.length, 1]);
    expect(pieces[1]?.buffer).to.equal(large.buffer);
    expect(Buffer.concat(pieces).equals(Buffer.concat([Buffer.from("ab"), large, Buffer.from("c")]))).to.equal(true);
  });

  it("waits, where its reader does, with a bounded number of bytes", async () => {
    let taken = 0;
    const counting = (take: Take) =>
      records(
        content,
        1000,
      )((chunk) => {
        taken += chunk.length;
        return take(chunk);
      });
    const pieces = arrivals(counting, nothing);
    await pieces.next();
    for (let turns = 0; turns < 50; turns++) await turn();
    expect(taken).to.be.below(2200 * KiB);
    expect((await all(pieces)).reduce((sum, { length }) => sum + length, 0)).to.be.above(4000 * KiB);
    expect(taken).to.equal(content.length);
  });

  it("waits for its reader after some thousand chunks, however short they are", async () => {
    let taken = 0;
    const read = async (take: Take): Promise<void> => {
      for (; taken < 100_000; taken++) await take(Buffer.of(taken & 255));
    };
    const pieces = arrivals(read, nothing);
    await pieces.next();
    for (let turns = 0; turns < 50; turns++) await turn();
    expect(taken).to.be.below(5000);
    expect((await all(pieces)).reduce((sum, { length }) => sum + length, 0)).to.be.above(90_000);
  });

  it("is not asked for before its reader asks, and is let go of when nobody does any more", async () => {
    let begun = false;
    let stopped = 0;
    const stop = (): void => void stopped++;
    const read = (take: Take): Promise<void> => {
      begun = true;
      take(Buffer.from("first"));
      return new Promise(() => {});
    };
    const pieces = arrivals(read, stop);
    await turn();
    expect([begun, stopped]).to.deep.equal([false, 0]);
    for await (const piece of pieces) {
      expect(String(piece)).to.equal("first");
      break;
    }
    expect([begun, stopped]).to.deep.equal([true, 1]);
  });

  it("fails behind what came before", async () => {
    const failure = new Error("reset");
    const pieces = arrivals(async (take) => {
      take(Buffer.from("before"));
      throw failure;
    }, nothing);
    expect(String((await pieces.next()).value)).to.equal("before");
    expect(await pieces.next().catch((error: unknown) => error)).to.equal(failure);
  });
});
