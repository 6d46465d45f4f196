import { createSecretKey } from "node:crypto";
import { Worker } from "node:worker_threads";
import { expect } from "chai";
import fc from "fast-check";
import type { Piece } from "../../dist/gcm/gcm-pieces.js";
import { GcmWriting } from "../../dist/gcm/gcm-writing.js";
import { Ghash } from "../../dist/gcm/ghash.js";
import { timesX64 } from "../../dist/gcm/times-x64.js";
import { anyCuts, anyMessage, cuts, intervals, knownMessages, type Message, sealed } from "./messages.js";

/** Encrypts a message in the parts between these places, in the order that `ranks` say. */
function written({ parameters, plaintext }: Message, places: readonly number[], ranks: readonly number[] = []): Buffer {
  const writing = new GcmWriting(parameters);
  const ciphertext = Buffer.alloc(plaintext.length);
  const parts = intervals(places).map((part, index) => ({ ...part, rank: ranks[index % ranks.length] ?? index }));
  for (const { offset, end } of parts.sort((a, b) => a.rank - b.rank)) {
    writing.encrypt(offset, plaintext.subarray(offset, end)).ciphertext.copy(ciphertext, offset);
  }
  return Buffer.concat([ciphertext, writing.close()]);
}

const parameters = { key: createSecretKey(Buffer.alloc(32, 7)), iv: Buffer.alloc(12, 1), aad: Buffer.from([0, 0x73]) };
const plaintext = Buffer.from(Array.from({ length: 1000 }, (_, index) => index % 251));
const message = sealed(parameters, plaintext);

describe("writing AES-GCM in parts", () => {
  for (const file of ["nist-cavp", "wycheproof"] as const) {
    it(`makes each known answer of ${file}`, () => {
      for (const known of knownMessages(file).filter(({ valid, plaintext: { length } }) => valid && length > 0)) {
        const { length } = known.plaintext;
        const expected = Buffer.concat([known.ciphertext, known.tag]);
        for (const places of [[0, length], cuts(length, [0.1, 0.5, 0.7])]) {
          expect(written(known, places, [2, 0, 1]), known.name).to.deep.equal(expected);
        }
      }
    });
  }

  it("makes what the one-pass cipher makes, whatever the parts and their order", () => {
    fc.assert(
      fc.property(anyMessage, anyCuts, fc.array(fc.nat(9), { maxLength: 7 }), (any, choices, ranks) => {
        fc.pre(any.plaintext.length > 0);
        const places = cuts(any.plaintext.length, choices);
        expect(written(any, places, ranks)).to.deep.equal(Buffer.concat([any.ciphertext, any.tag]));
      }),
      { numRuns: 600 },
    );
  });

  it("makes a part again from the same plaintext, also after the tag", () => {
    const writing = new GcmWriting(parameters);
    const { piece, ciphertext } = writing.encrypt(0, plaintext);
    expect(ciphertext).to.deep.equal(message.ciphertext);
    expect(writing.encryptAgain(piece, plaintext)).to.deep.equal(ciphertext);
    expect(writing.close()).to.deep.equal(message.tag);
    expect(writing.encryptAgain(piece, Buffer.from(plaintext))).to.deep.equal(ciphertext);
    expect(writing.close()).to.deep.equal(message.tag);
  });

  it("ends a long message without hashing as many bytes again, all at once", () => {
    const writing = new GcmWriting(parameters);
    const part = Buffer.alloc(64 * 1024);
    for (let offset = 0; offset < 32 * part.length; offset += part.length) writing.encrypt(offset, part);
    let hashed = 0;
    const add = Reflect.get(Ghash.prototype, "add");
    try {
      Ghash.prototype.add = function count(bytes): Ghash {
        hashed += bytes.length;
        return Reflect.apply(add, this, [bytes]);
      };
      writing.close();
    } finally {
      Ghash.prototype.add = add;
    }
    expect(hashed).to.be.below(1024);
  });

  // Each change, of any byte, of the length, and of the record that is brought.
  const changes: Record<string, (first: Piece) => [Piece, Buffer]> = {
    "another first byte": (first) => [first, Buffer.concat([Buffer.from([9]), plaintext.subarray(1, 200)])],
    "another byte in the middle": (first) => [
      first,
      Buffer.concat([plaintext.subarray(0, 99), Buffer.from([9]), plaintext.subarray(100, 200)]),
    ],
    "another last byte": (first) => [first, Buffer.concat([plaintext.subarray(0, 199), Buffer.from([9])])],
    "one byte less": (first) => [first, plaintext.subarray(0, 199)],
    "one byte more": (first) => [first, plaintext.subarray(0, 201)],
    "a shorter record": (first) => [{ ...first, length: 199 }, plaintext.subarray(0, 199)],
    "a record of another place": (first) => [{ ...first, offset: 200 }, plaintext.subarray(200, 400)],
    "a record of something else": (first) => [{ ...first, hash: Buffer.alloc(16) }, plaintext.subarray(0, 200)],
  };
  for (const [name, change] of Object.entries(changes)) {
    it(`ends a message for good when a part is to be made again with ${name} (S18, G3)`, () => {
      const writing = new GcmWriting(parameters);
      const { piece } = writing.encrypt(0, plaintext.subarray(0, 200));
      writing.encrypt(200, plaintext.subarray(200, 300));
      const [first, again] = change(piece);
      expect(() => writing.encryptAgain(first, again)).to.throw();
      expect(() => writing.encryptAgain(piece, plaintext.subarray(0, 200))).to.throw("ended");
      expect(() => writing.encrypt(300, plaintext.subarray(300))).to.throw("ended");
      expect(() => writing.close()).to.throw("ended");
    });
  }

  it("looks at the length of what is sent again before it is encrypted (G3)", () => {
    for (const length of [199, 201]) {
      const writing = new GcmWriting(parameters);
      const { piece } = writing.encrypt(0, plaintext.subarray(0, 200));
      expect(() => writing.encryptAgain(piece, plaintext.subarray(0, length))).to.throw("another length");
    }
  });

  it("ends a message for good when a position would be used twice, wherever two parts meet (G2)", () => {
    for (const [offset, end] of [
      [100, 200],
      [100, 101],
      [199, 300],
      [0, 101],
      [120, 130],
      [0, 400],
    ] as const) {
      const writing = new GcmWriting(parameters);
      writing.encrypt(100, plaintext.subarray(100, 200));
      writing.encrypt(500, plaintext.subarray(500, 600));
      expect(() => writing.encrypt(offset, plaintext.subarray(offset, end)), `${offset}-${end}`).to.throw(
        "same keystream",
      );
      expect(() => writing.encrypt(600, plaintext.subarray(600))).to.throw("ended");
    }
    const writing = new GcmWriting(parameters);
    writing.encrypt(100, plaintext.subarray(100, 200));
    writing.encrypt(200, plaintext.subarray(200));
    writing.encrypt(0, plaintext.subarray(0, 100));
    expect(writing.close()).to.deep.equal(message.tag);
  });

  it("makes one tag, of a message without gaps that holds something, and takes nothing afterwards (G1)", () => {
    expect(() => new GcmWriting(parameters).close()).to.throw("no parts");
    expect(() => new GcmWriting(parameters).encrypt(0, Buffer.alloc(0))).to.throw(RangeError);
    const writing = new GcmWriting(parameters);
    writing.encrypt(0, plaintext.subarray(0, 100));
    writing.encrypt(101, plaintext.subarray(101));
    expect(() => writing.close()).to.throw("gap at 100");
    writing.encrypt(100, plaintext.subarray(100, 101));
    expect(writing.close()).to.deep.equal(message.tag);
    expect(() => writing.encrypt(1000, Buffer.alloc(1))).to.throw("closed");
    expect(() => writing.close()).to.not.throw();
  });

  it("refuses a position outside of a message without using it up (G10)", () => {
    const writing = new GcmWriting(parameters);
    for (const offset of [-1, 0.5, 2 ** 36 - 32, Number.NaN]) {
      expect(() => writing.encrypt(offset, Buffer.alloc(1))).to.throw(RangeError);
    }
    writing.encrypt(0, plaintext);
    expect(writing.close()).to.deep.equal(message.tag);
  });

  it("multiplies by x^64 as GHASH does: a length of data becomes one of text", () => {
    const unit = Buffer.alloc(16);
    unit[0] = 0x80;
    expect(timesX64(unit).toString("hex")).to.equal("00000000000000008000000000000000");
    // x^64 · x^64 = x^128 = 1 + x + x^2 + x^7.
    expect(timesX64(timesX64(unit)).toString("hex")).to.equal("e1000000000000000000000000000000");
  });

  it("has no state that other threads would share: what is encrypted, hashed and decrypted there is the message", async () => {
    const pieces = await Promise.all(
      intervals([0, 320, 640, 1000]).map(({ offset, end }) =>
        inThread<{ ciphertext: Uint8Array; piece: Piece }>(
          "new GcmWriting(parameters).encrypt(offset, bytes)",
          offset,
          plaintext.subarray(offset, end),
        ),
      ),
    );
    const ciphertext = Buffer.concat(pieces.map((sealed) => sealed.ciphertext));
    expect(ciphertext).to.deep.equal(message.ciphertext);
    const hashed = await Promise.all(
      pieces.map(({ piece: { offset }, ciphertext: bytes }) =>
        inThread<Piece>("new PieceHash(parameters, offset).add(bytes).end()", offset, bytes),
      ),
    );
    expect(hashed.map(({ hash }) => Buffer.from(hash))).to.deep.equal(
      pieces.map(({ piece }) => Buffer.from(piece.hash)),
    );
    const { proveInPieces } = await import("../../dist/gcm/gcm-reading.js");
    expect((await proveInPieces(parameters, hashed, message.tag))?.length).to.equal(1000);
    const decrypted = await Promise.all(
      intervals([0, 7, 500, 1000]).map(({ offset, end }) =>
        inThread<Uint8Array>(
          "(await proveInPieces(parameters, pieces, tag)).decrypt(offset, bytes)",
          offset,
          ciphertext.subarray(offset, end),
          hashed,
        ),
      ),
    );
    expect(Buffer.concat(decrypted)).to.deep.equal(plaintext);
  });
});

/** What a thread of its own makes of bytes that have their place at `offset`. */
function inThread<T>(what: string, offset: number, bytes: Uint8Array, pieces: readonly Piece[] = []): Promise<T> {
  const modules = ["gcm-pieces", "gcm-reading", "gcm-writing"].map(
    (name) => new URL(`../../dist/gcm/${name}.js`, import.meta.url).href,
  );
  const source = `
    const { parentPort, workerData } = require("node:worker_threads");
    const { parameters, bytes, offset, pieces, tag, modules } = workerData;
    Promise.all(modules.map((module) => import(module))).then(async (loaded) => {
      const { PieceHash, proveInPieces, GcmWriting } = Object.assign({}, ...loaded);
      parentPort.postMessage(${what});
    });`;
  return new Promise((resolve, reject) => {
    const workerData = { parameters, bytes, offset, pieces, tag: message.tag, modules };
    const worker = new Worker(source, { eval: true, workerData });
    worker.once("message", resolve).once("error", reject);
  });
}
