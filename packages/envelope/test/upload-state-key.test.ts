import { createSecretKey, hkdfSync } from "node:crypto";
import { refused } from "@s3ec/test-support";
import { expect } from "chai";
import { COMMITTING_GCM, GCM } from "../dist/algorithm-suites.js";
import { uploadStateKey } from "../dist/upload-state-key.js";

const DATA_KEY = Buffer.alloc(32, 1);
const SECRET = Buffer.alloc(32, 2);
const SALT = Buffer.alloc(28, 3);

const keyOf = (suite = COMMITTING_GCM, dataKey = DATA_KEY, salt = SALT, secret = SECRET): string =>
  uploadStateKey(suite, createSecretKey(dataKey), salt, secret).export().toString("hex");

describe("the key of an upload's state (G7)", () => {
  it("is that of every release", () => {
    const info = Buffer.concat([Buffer.from([0x00, 0x73]), Buffer.from("s3ec upload state v1 mac")]);
    const expected = hkdfSync("sha512", Buffer.concat([DATA_KEY, SECRET]), SALT, info, 32);
    expect(keyOf()).to.equal(Buffer.from(expected).toString("hex"));
  });

  it("is another for another suite, data key, message and user", () => {
    const keys = [
      keyOf(),
      keyOf(GCM),
      keyOf(COMMITTING_GCM, SECRET),
      keyOf(COMMITTING_GCM, DATA_KEY, SECRET),
      keyOf(COMMITTING_GCM, DATA_KEY, SALT, DATA_KEY),
    ];
    expect(new Set(keys).size).to.equal(keys.length);
  });

  it("takes no secret of another length", () => {
    for (const length of [0, 31, 33]) {
      const { message } = refused("invalid-argument", () =>
        keyOf(COMMITTING_GCM, DATA_KEY, SALT, Buffer.alloc(length)),
      );
      expect(message).to.equal("A resume secret must be 32 bytes.");
    }
  });
});
