import { Worker } from "node:worker_threads";
import { expect } from "chai";
import { hashesInPieces } from "../../dist/gcm/self-check.js";

/** What the check says in a thread whose ciphers take additional data so; it asks once a thread. */
async function asked(setAAD: string): Promise<unknown> {
  const source = `
    const { parentPort, workerData } = require("node:worker_threads");
    const crypto = require("node:crypto");
    const { createCipheriv } = crypto;
    crypto.createCipheriv = (...options) => {
      const cipher = createCipheriv(...options);
      const original = cipher.setAAD.bind(cipher);
      let calls = 0;
      cipher.setAAD = (bytes) => { calls++; ${setAAD}; return cipher; };
      return cipher;
    };
    require("node:module").syncBuiltinESMExports();
    import(workerData).then(({ hashesInPieces }) => parentPort.postMessage(hashesInPieces()));`;
  const workerData = new URL("../../dist/gcm/self-check.js", import.meta.url).href;
  return new Promise((resolve, reject) => {
    const worker = new Worker(source, { eval: true, workerData });
    worker.once("message", resolve).once("error", reject);
  });
}

describe("the check whether this runtime hashes in pieces (G10)", () => {
  it("holds here", async () => {
    expect(hashesInPieces()).to.equal(true);
    expect(hashesInPieces()).to.equal(true);
    expect(await asked("original(bytes)")).to.equal(true);
  });

  it("fails where only the first, or the last, piece counts, and where a second one is refused", async () => {
    expect(await asked("if (calls === 1) original(bytes)")).to.equal(false);
    expect(await asked("if (calls > 1) original(bytes)")).to.equal(false);
    expect(await asked('if (calls > 1) throw new Error("once"); original(bytes)')).to.equal(false);
  });
});
