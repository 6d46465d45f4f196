import { COMMITTING_GCM, ContentParts, createContentKey } from "@s3ec/envelope";
import { createDataKey } from "@s3ec/materials";

/** Encrypts and hashes parts behind each other, as an upload does before it sends them. */
export class PartSealing {
  readonly #parts = new ContentParts(createContentKey(COMMITTING_GCM, createDataKey(COMMITTING_GCM)).content);
  #offset = 0;

  seal(plaintext: Uint8Array): Buffer {
    const { ciphertext } = this.#parts.seal(this.#offset, plaintext);
    this.#offset += plaintext.length;
    return ciphertext;
  }
}
