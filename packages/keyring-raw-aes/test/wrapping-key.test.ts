import { createSecretKey, generateKeyPairSync, type JsonWebKey } from "node:crypto";
import { inspect } from "node:util";
import { bytes, refusal } from "@s3ec/test-support";
import { expect } from "chai";
import { type AesWrappingKey, aesWrappingKey } from "../dist/wrapping-key.js";

const jwk = (length: number, more: JsonWebKey = {}): JsonWebKey => ({
  kty: "oct",
  k: Buffer.from(bytes(0xf0, length)).toString("base64url"),
  ...more,
});

describe("aesWrappingKey", () => {
  for (const length of [16, 24, 32]) {
    it(`takes ${length} bytes, KeyObject and JWK alike`, () => {
      const raw = bytes(0xf0, length);
      const expected = createSecretKey(raw);
      for (const input of [
        raw,
        Buffer.from(raw),
        createSecretKey(raw),
        jwk(length),
        expected.export({ format: "jwk" }),
      ]) {
        expect(aesWrappingKey(input).equals(expected)).to.equal(true);
      }
    });
  }

  it("copies the bytes, and leaves the caller's alone", () => {
    const raw = bytes(1, 32);
    const key = aesWrappingKey(raw);
    expect(raw).to.deep.equal(bytes(1, 32));
    raw.fill(0);
    expect(key.equals(createSecretKey(bytes(1, 32)))).to.equal(true);
  });

  it("takes a JWK that may wrap and unwrap", () => {
    for (const operations of [
      ["wrapKey", "unwrapKey"],
      ["encrypt", "decrypt", "sign"],
    ]) {
      expect(aesWrappingKey(jwk(32, { use: "enc", key_ops: operations })).symmetricKeySize).to.equal(32);
    }
  });

  const wrong: readonly [string, unknown][] = [
    ["no bytes", new Uint8Array(0)],
    ["15 bytes", bytes(1, 15)],
    ["20 bytes", bytes(1, 20)],
    ["33 bytes", bytes(1, 33)],
    ["64 bytes", createSecretKey(bytes(1, 64))],
    ["text", "00112233445566778899aabbccddeeff"],
    ["nothing", undefined],
    ["null", null],
    ["an empty object", {}],
    ["a public key", generateKeyPairSync("ed25519").publicKey],
    ["a JWK of another kind", jwk(32, { kty: "RSA" })],
    ["a JWK without k", { kty: "oct" }],
    ["a JWK in plain base64", jwk(32, { k: `${"+/".repeat(21)}A=` })],
    ["a JWK of 20 bytes", jwk(20)],
    ["a JWK for signing", jwk(32, { use: "sig" })],
    ["a JWK that may only decrypt", jwk(32, { key_ops: ["decrypt", "unwrapKey"] })],
    ["a JWK that may only encrypt", jwk(32, { key_ops: ["encrypt", "wrapKey"] })],
  ];
  for (const [what, input] of wrong) {
    it(`refuses ${what}`, async () => {
      await refusal("invalid-argument", () => aesWrappingKey(input as AesWrappingKey));
    });
  }

  it("says what is wrong with the kind of key", async () => {
    const error = await refusal("invalid-argument", () => aesWrappingKey(generateKeyPairSync("ed25519").publicKey));
    expect(error.message).to.contain("a public KeyObject");
  });

  it("says what it refuses without quoting it", async () => {
    const secret = "c2VjcmV0LXNlY3JldC1zZWNyZXQ";
    for (const input of [jwk(32, { k: `${secret}!` }), jwk(32, { k: secret }), jwk(32, { k: secret, use: "sig" })]) {
      const error = await refusal("invalid-argument", () => aesWrappingKey(input));
      expect(inspect(error, { depth: 9, showHidden: true })).to.not.contain(secret);
    }
    const text = await refusal("invalid-argument", () => aesWrappingKey(secret as unknown as AesWrappingKey));
    expect(inspect(text, { depth: 9, showHidden: true })).to.not.contain(secret);
  });
});
