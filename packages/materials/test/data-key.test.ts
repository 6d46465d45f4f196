import { createSecretKey, generateKeyPairSync, type KeyObject } from "node:crypto";
import { COMMITTING_GCM, GCM } from "@s3ec/envelope";
import { expect } from "chai";
import { createDataKey, importDataKey, lendDataKey } from "../dist/data-key.js";

const BYTES = Buffer.from(Array.from({ length: 32 }, (_, index) => index + 1));
const ZEROES = Buffer.alloc(32);

describe("data keys", () => {
  it("are created with 32 fresh random bytes, for every suite that is written (H19)", () => {
    const keys = [COMMITTING_GCM, GCM].flatMap((suite) => Array.from({ length: 50 }, () => createDataKey(suite)));
    for (const key of keys) expect(key).to.include({ type: "secret", symmetricKeySize: 32 });
    expect(new Set(keys.map((key) => key.export().toString("hex"))).size).to.equal(100);
  });

  it("are taken over from bytes, which are zeroed", () => {
    const bytes = Buffer.from(BYTES);
    expect(importDataKey(bytes).export()).to.deep.equal(BYTES);
    expect(bytes).to.deep.equal(ZEROES);
  });

  it("are taken over from a view, of which nothing else is touched", () => {
    const pool = Buffer.alloc(64, 7);
    BYTES.copy(pool, 16);
    expect(importDataKey(new Uint8Array(pool.buffer, pool.byteOffset + 16, 32)).export()).to.deep.equal(BYTES);
    expect(pool).to.deep.equal(Buffer.concat([Buffer.alloc(16, 7), ZEROES, Buffer.alloc(16, 7)]));
  });

  const uses: [what: string, use: (bytes: Uint8Array) => unknown][] = [
    ["a use that returns", () => "done"],
    ["a use that returns later", async () => "done"],
    [
      "a use that throws",
      () => {
        throw new Error("failed");
      },
    ],
    ["a use that fails later", () => Promise.reject(new Error("failed"))],
  ];
  for (const [what, use] of uses) {
    it(`are lent to ${what}, as bytes that are zeroed afterwards`, async () => {
      const key = createSecretKey(BYTES);
      let lent: Uint8Array = ZEROES;
      let seen = ZEROES;
      const result = await lendDataKey(key, (bytes) => {
        lent = bytes;
        seen = Buffer.from(bytes);
        return use(bytes);
      }).catch((error: Error) => error.message);
      expect(result).to.equal(what.endsWith("returns") || what.endsWith("returns later") ? "done" : "failed");
      expect(seen).to.deep.equal(BYTES);
      expect(Buffer.from(lent)).to.deep.equal(ZEROES);
      expect(key.export()).to.deep.equal(BYTES);
    });
  }

  it("are lent for as long as an asynchronous use takes", async () => {
    const seen = await lendDataKey(createSecretKey(BYTES), async (bytes) => {
      await new Promise(setImmediate);
      return Buffer.from(bytes);
    });
    expect(seen).to.deep.equal(BYTES);
  });

  it("are secret keys: no other key is lent", async () => {
    const { publicKey, privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
    for (const key of [publicKey, privateKey] satisfies KeyObject[]) {
      let used = false;
      const error: unknown = await lendDataKey(key, () => {
        used = true;
      }).catch((reason: unknown) => reason);
      expect(error).to.have.property("code", "invalid-argument");
      expect(used).to.equal(false);
    }
  });
});
