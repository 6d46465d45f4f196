import { expect } from "chai";
import { readHead } from "../dist/write/ciphertext-head.js";
import type { SealedObject } from "../dist/write/seal-object.js";

const MiB = 1024 * 1024;

describe("readHead", () => {
  /** Ciphertext that is there at once, as that of a body in memory is; tells when what else waits has had its turn. */
  const turnsIn = async (pieces: number): Promise<{ turns: number; length: number | undefined }> => {
    const piece = Buffer.alloc(4 * MiB);
    let turns = 0;
    let waiting = true;
    const count = (): void => {
      turns += 1;
      if (waiting) setImmediate(count);
    };
    async function* ciphertext(): AsyncGenerator<Uint8Array> {
      setImmediate(count);
      for (let given = 0; given < pieces; given++) yield piece;
    }
    const sealed = { ciphertext: ciphertext(), length: pieces * piece.length, isInMemory: true };
    const { whole } = await readHead(sealed as unknown as SealedObject);
    waiting = false;
    return { turns, length: whole?.length };
  };

  it("lets timers, requests and an abort have their turn each 16 MiB of a body in memory", async () => {
    expect(await turnsIn(16)).to.eql({ turns: 4, length: 64 * MiB });
  });

  it("takes a short body in one turn", async () => {
    expect(await turnsIn(3)).to.eql({ turns: 0, length: 12 * MiB });
  });
});
