import { setImmediate as turn } from "node:timers/promises";
import { COMMITTING_GCM, type ContentKey, contentProof, createContentKey, encryptContent } from "@s3ec/envelope";
import { createDataKey, type OpenedObject } from "@s3ec/materials";
import { expect } from "chai";
import fc from "fast-check";
import { resolveOptions } from "../dist/options.js";
import { CiphertextBuffers } from "../dist/read/ciphertext-buffers.js";
import type { Take } from "../dist/read/drained.js";
import { type CiphertextBody, openWhole, type Plaintext } from "../dist/read/whole-content.js";
import { bytesOfLength, chunksOf, Fixture, get, put, refusal, TEST_KEYRING } from "./fixture.js";
import { errorOf } from "./transfers.js";

const KiB = 1024;
const MiB = 1024 * KiB;

describe("buffers that ciphertext waits in", () => {
  it("are lent to one at a time, and are as long as was asked for (G6)", async () => {
    const lengths = fc.array(fc.tuple(fc.integer({ min: 1, max: MiB }), fc.nat(5)), { maxLength: 30 });
    await fc.assert(
      fc.asyncProperty(lengths, async (asked) => {
        const buffers = new CiphertextBuffers();
        const lent = new Set<ArrayBufferLike>();
        const using = async ([length, turns]: readonly [number, number]): Promise<void> => {
          await buffers.lend(length, async (buffer) => {
            expect(buffer.length).to.be.at.least(length);
            expect(lent.has(buffer.buffer)).to.equal(false);
            lent.add(buffer.buffer);
            for (let count = 0; count < turns; count++) await turn();
            lent.delete(buffer.buffer);
            if (turns === 5) throw new Error("It failed.");
          });
        };
        await Promise.allSettled(asked.slice(0, 15).map(using));
        await Promise.allSettled(asked.slice(15).map(using));
        expect(lent.size).to.equal(0);
        expect(buffers.kept).to.be.at.most(4 * MiB);
      }),
      { numRuns: 50 },
    );
  });

  it("serve again, whatever their use ended in, unless they are small", async () => {
    const buffers = new CiphertextBuffers();
    const used: Uint8Array[] = [];
    const use = async (buffer: Uint8Array): Promise<void> => void used.push(buffer);
    await buffers.lend(MiB, use);
    await errorOf(
      buffers.lend(MiB, async (buffer) => {
        await use(buffer);
        throw new Error("It failed.");
      }),
    );
    await buffers.lend(500 * KiB, use);
    expect(new Set(used).size).to.equal(1);
    await buffers.lend(MiB + 1, use);
    expect(new Set(used).size).to.equal(2);
    const kept = buffers.kept;
    await buffers.lend(KiB, use);
    expect(buffers.kept).to.equal(kept);
    expect(new Set(used).size).to.equal(3);
  });
});

describe("a get of what is small", () => {
  const contents = Array.from({ length: 12 }, (_, index) => bytesOfLength(MiB - index * 1000));
  let fixture: Fixture;
  before(async () => {
    fixture = await Fixture.start();
    for (const [index, content] of contents.entries()) await fixture.client().send(put(`object-${index}`, content));
  });
  after(() => fixture.close());
  afterEach(() => fixture.server.faults.clear());

  /** What was lent meanwhile, of which other tests in this process may have left some to serve again. */
  async function lent(work: () => Promise<unknown>): Promise<Uint8Array[]> {
    const original = CiphertextBuffers.prototype.lend;
    const buffers: Uint8Array[] = [];
    CiphertextBuffers.prototype.lend = function (length, use) {
      return original.call(this, length, (buffer) => {
        buffers.push(buffer);
        return use(buffer);
      }) as ReturnType<typeof use>;
    };
    try {
      await work();
    } finally {
      CiphertextBuffers.prototype.lend = original;
    }
    return buffers;
  }

  async function read(index: number): Promise<Buffer[]> {
    const { Body } = await fixture.client().send(get(`object-${index}`));
    const chunks: Buffer[] = [];
    for await (const chunk of Body as AsyncIterable<Buffer>) chunks.push(chunk);
    return chunks;
  }

  it("holds nothing but ciphertext in them, of which the caller gets no view (G5, G6)", async () => {
    let given: Buffer[] = [];
    const buffers = await lent(async () => {
      given = await read(0);
    });
    const { body } = await fixture.stored("object-0");
    expect(buffers).to.have.length(1);
    expect(
      Buffer.from(buffers[0] ?? [])
        .subarray(0, body.length)
        .equals(body),
    ).to.equal(true);
    expect(given.some(({ buffer }) => buffer === buffers[0]?.buffer)).to.equal(false);
  });

  it("gives them back when it is aborted, cut off or refused", async () => {
    const client = fixture.client();
    await read(0);
    const buffers = await lent(async () => {
      for (const fault of [{ cutAfterBytes: 300_000 }, { corruptByteAt: 5 }]) {
        fixture.server.faults.add({ operation: "GetObject", times: 1, ...fault });
        await errorOf(client.send(get("object-1")));
      }
      fixture.server.faults.add({ operation: "GetObject", times: 1, throttleBytesPerSecond: 300_000 });
      const controller = new AbortController();
      const aborted = errorOf(client.send(get("object-1"), { abortSignal: controller.signal }));
      setTimeout(() => controller.abort(), 100);
      expect((await aborted).name).to.equal("AbortError");
      expect(Buffer.concat(await read(2)).equals(contents[2] ?? Buffer.alloc(0))).to.equal(true);
    });
    // One after the other, they have the same.
    expect(buffers).to.have.length.of.at.least(4);
    expect(new Set(buffers).size).to.equal(1);
  });

  it("gives what never changes afterwards, however many read at once (G5)", async () => {
    const given = await Promise.all(contents.map((_, index) => read(index)));
    await Promise.all(contents.map((_, index) => read(index)));
    for (const [index, content] of contents.entries()) {
      expect(Buffer.concat(given[index] ?? []).equals(content)).to.equal(true);
    }
  });

  it("takes nothing from a body that has failed, whoever has its buffer by then (G5)", async () => {
    const options = resolveOptions({ keyring: TEST_KEYRING });
    const { content } = createContentKey(COMMITTING_GCM, createDataKey(COMMITTING_GCM));
    const [plaintext = Buffer.alloc(0)] = contents;
    const stored = await all(encryptContent(content, chunksOf(plaintext, 100 * KiB)));
    let late: Take = () => undefined;
    const failing = bodyOf(async (take) => {
      late = take;
      await take(stored.subarray(0, 1000));
      throw new Error("It broke off.");
    });
    expect((await errorOf(openWhole(options, openedOf(content), stored.length, failing))).message).to.equal(
      "It broke off.",
    );
    const whole = bodyOf(async (take) => {
      for (let offset = 0; offset < stored.length; offset += 100 * KiB) {
        await take(stored.subarray(offset, offset + 100 * KiB));
        await late(Buffer.alloc(200 * KiB, 7));
      }
    });
    const opened: Plaintext = await openWhole(options, openedOf(content), stored.length, whole);
    expect((await all(opened.chunks)).equals(plaintext)).to.equal(true);
  });

  it("fails as one of any length where its body is longer than S3 said", async () => {
    const options = resolveOptions({ keyring: TEST_KEYRING });
    const { content } = createContentKey(COMMITTING_GCM, createDataKey(COMMITTING_GCM));
    const stored = await all(encryptContent(content, chunksOf(bytesOfLength(300 * KiB), 100 * KiB)));
    const longer = bodyOf(async (take) => {
      await take(stored);
      await take(bytesOfLength(400 * KiB));
    });
    const { code } = await refusal(openWhole(options, openedOf(content), stored.length, longer));
    expect(code).to.equal("decryption-failed");
  });
});

function openedOf(content: ContentKey): OpenedObject {
  return {
    proves: "whole",
    plaintextLength: (storedLength) => storedLength - 16,
    proof: (inPieces) => contentProof(content, inPieces),
    decrypt: () => {
      throw new Error("It is proven first.");
    },
    range: () => undefined,
  };
}

function bodyOf(read: (take: Take) => Promise<void>): CiphertextBody {
  return { chunks: chunksOf(Buffer.alloc(0), 1), read, destroy: () => {} };
}

async function all(chunks: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const read: Uint8Array[] = [];
  for await (const chunk of chunks) read.push(chunk);
  return Buffer.concat(read);
}
