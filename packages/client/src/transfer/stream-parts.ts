import { NOTHING } from "../streams.js";
import type { SealedObject } from "../write/seal-object.js";
import { piecesToSend } from "../write/sent-body.js";
import type { ObjectToSend, Part } from "./parts-to-send.js";

/**
 * An object that is encrypted as a stream gives it, in one pass (S18). A part's ciphertext is kept, as it came from the
 * cipher, until S3 has it: that is what is sent again.
 *
 * @param assertUnchanged asked before its parts become an object. Default: nothing
 */
export function streamToSend(sealed: SealedObject, assertUnchanged = async (): Promise<void> => {}): ObjectToSend {
  const { input, siblings, telemetry, length, overhead, destroy, ciphertext } = sealed;
  return {
    input,
    siblings,
    telemetry,
    length,
    overhead,
    holdsParts: true,
    parts: (partSize) => partsOf(ciphertext, partSize),
    assertUnchanged,
    // One pass puts nothing into a place twice.
    abandon: NOTHING,
    destroy: () => {
      destroy();
      ciphertext.return(undefined).catch(NOTHING);
    },
  };
}

async function* partsOf(ciphertext: AsyncIterable<Uint8Array>, partSize: number): AsyncGenerator<Part> {
  let number = 1;
  let chunks: Uint8Array[] = [];
  let length = 0;
  let offsetOfPart = 0;
  for await (const chunk of ciphertext) {
    for (let offset = 0; offset < chunk.length; ) {
      // Only now is it certain that a full one is not the last.
      if (length === partSize) {
        yield { number: number++, offset: offsetOfPart, length, isLast: false, bytes: bytesOf(chunks) };
        offsetOfPart += length;
        chunks = [];
        length = 0;
      }
      const taken = chunk.subarray(offset, offset + partSize - length);
      chunks.push(taken);
      length += taken.length;
      offset += taken.length;
    }
  }
  yield { number, offset: offsetOfPart, length, isLast: true, bytes: bytesOf(chunks) };
}

function bytesOf(chunks: readonly Uint8Array[]): Part["bytes"] {
  const all = async function* (): AsyncGenerator<Uint8Array> {
    yield* chunks;
  };
  return () => piecesToSend(all());
}
