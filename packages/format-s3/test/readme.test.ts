import { randomBytes } from "node:crypto";
import { Readable } from "node:stream";
import { RawAesKeyring } from "@s3ec/keyring-raw-aes";
import type { Keyring } from "@s3ec/materials";
import { collect, importExample, plaintextOf } from "@s3ec/test-support";
import { expect } from "chai";

interface Example {
  seal(
    keyring: Keyring,
    plaintext: AsyncIterable<Uint8Array>,
  ): Promise<{ metadata: Record<string, string>; ciphertext: AsyncIterable<Uint8Array> }>;
  open(keyring: Keyring, metadata: Record<string, string>, body: AsyncIterable<Uint8Array>): AsyncIterable<Uint8Array>;
}

describe("README", () => {
  it("shows an example that runs", async () => {
    const { seal, open } = await importExample<Example>(import.meta.url);
    const keyring = new RawAesKeyring({ wrappingKey: randomBytes(32) });
    const { metadata, ciphertext } = await seal(keyring, Readable.from([plaintextOf(100_000)]));
    const body = await collect(ciphertext);
    expect(body.length).to.equal(100_016);
    const back = await collect(open(keyring, metadata, Readable.from([body])));
    expect(back.equals(plaintextOf(100_000))).to.equal(true);
  });
});
