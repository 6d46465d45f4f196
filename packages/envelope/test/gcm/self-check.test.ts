import { printedBy } from "@s3ec/test-support";
import { expect } from "chai";
import { hashesInPieces } from "../../dist/gcm/self-check.js";

/** Begins a process whose ciphers take additional data so; the check asks once a process. */
const withSetAAD = (setAAD: string): string => `
  import crypto from "node:crypto";
  import { syncBuiltinESMExports } from "node:module";
  const { createCipheriv } = crypto;
  crypto.createCipheriv = (...options) => {
    const cipher = createCipheriv(...options);
    const original = cipher.setAAD.bind(cipher);
    let calls = 0;
    cipher.setAAD = (bytes) => { calls++; ${setAAD}; return cipher; };
    return cipher;
  };
  syncBuiltinESMExports();`;

const url = (path: string): string => JSON.stringify(new URL(path, import.meta.url).href);

async function asked(setAAD: string): Promise<string> {
  return printedBy(`${withSetAAD(setAAD)}
    const { hashesInPieces } = await import(${url("../../dist/gcm/self-check.js")});
    process.stdout.write(String(hashesInPieces()));`);
}

describe("the check whether this runtime hashes in pieces (G10)", () => {
  it("holds here", async () => {
    expect(hashesInPieces()).to.equal(true);
    expect(hashesInPieces()).to.equal(true);
    expect(await asked("original(bytes)")).to.equal("true");
  });

  it("fails where only the first, or the last, piece counts, and where a second one is refused", async () => {
    expect(await asked("if (calls === 1) original(bytes)")).to.equal("false");
    expect(await asked("if (calls > 1) original(bytes)")).to.equal("false");
    expect(await asked('if (calls > 1) throw new Error("once"); original(bytes)')).to.equal("false");
  });

  it("leaves content to the ordinary decipher where it fails", async () => {
    const proof = (setAAD: string): Promise<string> =>
      printedBy(`${withSetAAD(setAAD)}
        const { contentProof } = await import(${url("../../dist/content-proof.js")});
        const { contentKey } = await import(${url("../content-keys.js")});
        const { unprovenContent } = await import(${url("../../dist/unproven-content.js")});
        const content = contentKey("gcm");
        process.stdout.write([typeof contentProof(content, false), typeof unprovenContent(content, 100)].join());`);
    expect(await proof("original(bytes)")).to.equal("object,object");
    expect(await proof("if (calls === 1) original(bytes)")).to.equal("undefined,undefined");
  });
});
