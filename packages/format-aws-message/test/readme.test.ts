import type { Keyring } from "@s3ec/materials";
import { collect, importExample, plaintextOf } from "@s3ec/test-support";
import { expect } from "chai";
import { chunksOf, RawKeyring } from "./fixture.js";

interface Example {
  encrypt(keyring: Keyring, plaintext: AsyncIterable<Uint8Array>): AsyncIterable<Uint8Array>;
  decrypt(keyring: Keyring, message: Uint8Array): AsyncIterable<Uint8Array>;
}

describe("README", () => {
  it("shows an example that runs", async () => {
    const { encrypt, decrypt } = await importExample<Example>(import.meta.url);
    const message = await collect(encrypt(new RawKeyring(), chunksOf(plaintextOf(100_000), 999)));
    const back = await collect(decrypt(new RawKeyring(), message));
    expect(back.equals(plaintextOf(100_000))).to.equal(true);
  });
});
