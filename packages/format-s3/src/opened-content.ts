import {
  alignRange,
  type ByteRange,
  type ContentKey,
  type ContentProof,
  contentProof,
  decryptContentRange,
  decryptContentUnverified,
  plaintextLength,
  type UnprovenContent,
  unprovenContent,
} from "@s3ec/envelope";
import type { OpenedObject, OpenedRange } from "@s3ec/materials";
import { statedPlaintextLength } from "./stated-length.js";

/** Content whose key was unwrapped, and committed to where its format can. */
export class OpenedContent implements OpenedObject {
  readonly #content: ContentKey;
  readonly #metadata: Readonly<Record<string, string>>;

  /** @param metadata of the object, where the writer of CBC content may have left its length */
  constructor(content: ContentKey, metadata: Readonly<Record<string, string>>) {
    this.#content = content;
    this.#metadata = metadata;
  }

  /** CBC carries no tag. */
  get proves(): "whole" | "nothing" {
    return this.#content.suite.cipher === "cbc" ? "nothing" : "whole";
  }

  plaintextLength(storedLength: number): number | undefined {
    return plaintextLength(this.#content.suite, storedLength);
  }

  proof(inPieces: boolean): ContentProof | undefined {
    return contentProof(this.#content, inPieces);
  }

  unproven(storedLength: number): UnprovenContent | undefined {
    return unprovenContent(this.#content, storedLength);
  }

  decrypt(content: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
    return decryptContentUnverified(this.#content, content);
  }

  /** Nothing of a range is authenticated (S12): the format gives none unless that was asked for by name. */
  range(range: ByteRange, storedLength: number): OpenedRange | undefined {
    const content = this.#content;
    const aligned = alignRange(content.suite, range, storedLength, statedPlaintextLength(this.#metadata, storedLength));
    if (aligned === undefined) return undefined;
    const first = aligned.blockOffset + aligned.skip;
    return {
      fetchFirst: aligned.fetchFirst,
      fetchLast: aligned.fetchLast,
      first,
      last: first + aligned.take - 1,
      endsEarlier: aligned.reachesEnd && aligned.total === undefined,
      total: aligned.total,
      decrypt: (fetched) => decryptContentRange(content, aligned, fetched),
    };
  }
}
