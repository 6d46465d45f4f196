import { createSign, createVerify, type KeyObject } from "node:crypto";
import { decryptionFailed } from "@s3ec/materials";
import type { BodyReader } from "./body-reader.js";

type Hash = "sha256" | "sha384";

/** Signs everything that a message consists of (ECDSA, DER) and appends the footer: `length(2) ‖ signature`. */
export async function* signed(
  hash: Hash,
  key: KeyObject,
  message: AsyncIterable<Uint8Array>,
): AsyncGenerator<Uint8Array> {
  const signer = createSign(hash);
  for await (const piece of message) {
    signer.update(piece);
    yield piece;
  }
  const signature = signer.sign(key);
  const length = Buffer.alloc(2);
  length.writeUInt16BE(signature.length);
  yield Buffer.concat([length, signature]);
}

/** Verifies the signature of a message that is being read. */
export class SignatureCheck {
  readonly #verifier: ReturnType<typeof createVerify>;
  readonly #key: KeyObject;

  constructor(hash: Hash, key: KeyObject) {
    this.#verifier = createVerify(hash);
    this.#key = key;
  }

  readonly update = (bytes: Uint8Array): void => {
    this.#verifier.update(bytes);
  };

  /** Reads the footer, which the signature does not cover. Throws the uniform failure. */
  async verifyFooter(body: BodyReader): Promise<void> {
    const reader = body.unobserved();
    if (!(await reader.has(2))) throw decryptionFailed();
    const length = reader.take(2).readUInt16BE();
    if (length === 0 || !(await reader.has(length))) throw decryptionFailed();
    if (!this.#verifier.verify(this.#key, reader.take(length)) || (await reader.has(1))) throw decryptionFailed();
  }
}
