import { NOTHING } from "../streams.js";
import type { SealedObject } from "../write/seal-object.js";
import { piecesToSend } from "../write/sent-body.js";
import type { ObjectToSend, Part } from "./parts-to-send.js";

/**
 * An object that is encrypted as a stream gives it, in one pass (S18). A part's ciphertext is kept, as it came from the
 * cipher, until S3 has it: that is what is sent again.
 *
 * @param assertUnchanged as of the object. Default: there is nothing that could change
 */
export function streamToSend(
  sealed: SealedObject,
  {
    assertUnchanged = asIs,
    beforeComplete = asIs,
  }: Partial<Pick<ObjectToSend, "assertUnchanged" | "beforeComplete">> = {},
): ObjectToSend {
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
    beforeComplete,
    // One pass puts nothing into a place twice.
    abandon: NOTHING,
    destroy: () => {
      destroy();
      ciphertext.return(undefined).catch(NOTHING);
    },
  };
}

const asIs = async (): Promise<void> => {};
/** What has been gathered waits for nothing. */
const ready = asIs;

async function* partsOf(ciphertext: AsyncIterable<Uint8Array>, partSize: number): AsyncGenerator<Part> {
  let number = 1;
  let chunks: Uint8Array[] = [];
  let length = 0;
  let offsetOfPart = 0;
  for await (const chunk of ciphertext) {
    for (let offset = 0; offset < chunk.length; ) {
      // Only now is it certain that a full one is not the last.
      if (length === partSize) {
        yield { number: number++, offset: offsetOfPart, length, isLast: false, ready, bytes: bytesOf(chunks) };
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
  yield { number, offset: offsetOfPart, length, isLast: true, ready, bytes: bytesOf(chunks) };
}

function bytesOf(chunks: readonly Uint8Array[]): Part["bytes"] {
  const all = async function* (): AsyncGenerator<Uint8Array> {
    yield* chunks;
  };
  return () => piecesToSend(all());
}
