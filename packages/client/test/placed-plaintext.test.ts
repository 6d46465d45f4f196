import type { FileHandle } from "node:fs/promises";
import type { UnprovenContent } from "@s3ec/envelope";
import { expect } from "chai";
import { PieceBuffers, PlacedRange } from "../dist/transfer/placed-plaintext.js";
import { bytesOfLength } from "./fixture.js";

describe("Plaintext that is written in its place", () => {
  const bytes = bytesOfLength(1_300_003);

  /** Writes `bytes` by way of what "decrypts" them, and gives what was written and in which chunks. */
  async function written(decrypt: (ciphertext: Uint8Array) => Uint8Array) {
    const file = Buffer.alloc(bytes.length);
    const chunks: Uint8Array[] = [];
    const writev = async (views: readonly Uint8Array[], position: number): Promise<{ bytesWritten: number }> => {
      // Later than what follows has been decrypted.
      await new Promise(setImmediate);
      const all = Buffer.concat(views);
      all.copy(file, position);
      chunks.push(...views);
      return { bytesWritten: all.length };
    };
    const pieceAt = (offset: number) => {
      let length = 0;
      return {
        decrypt(ciphertext: Uint8Array) {
          length += ciphertext.length;
          return decrypt(ciphertext);
        },
        end: () => ({ offset, length, hash: Buffer.alloc(16) }),
      };
    };
    const content = { length: bytes.length, pieceAt, add: () => {} } as unknown as UnprovenContent;
    const buffers = new PieceBuffers();
    const range = new PlacedRange({ content, file: { writev } as unknown as FileHandle, buffers, onWritten() {} }, 0);
    for (let offset = 0; offset < bytes.length; offset += 16 * 1024) {
      await range.take(bytes.subarray(offset, offset + 16 * 1024));
    }
    await range.end();
    return { file, chunks };
  }

  it("is let go of once it is written, and not before", async () => {
    const { file, chunks } = await written((ciphertext) => {
      const plaintext = Buffer.allocUnsafeSlow(ciphertext.length);
      plaintext.set(ciphertext);
      return plaintext;
    });
    expect(file.equals(bytes)).to.equal(true);
    expect(chunks.map(({ length }) => length).filter((length) => length > 0)).to.deep.equal([]);
  });

  it("is left where it shares its memory with something else", async () => {
    const { file, chunks } = await written((ciphertext) => {
      const memory = Buffer.allocUnsafeSlow(ciphertext.length + 1);
      memory.set(ciphertext);
      return memory.subarray(0, -1);
    });
    expect(file.equals(bytes)).to.equal(true);
    expect(Buffer.concat(chunks).equals(bytes)).to.equal(true);
  });
});
