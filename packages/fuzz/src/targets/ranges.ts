import { alignRange, decryptContentRange, parseByteRange } from "@s3ec/envelope";
import { inPieces } from "../chunks.js";
import { knownObjects } from "../known-objects.js";
import { mutateText } from "../mutate.js";
import type { Random } from "../random.js";
import { ALLOW_ALL, openStored } from "../read-object.js";
import { assertRight, refusalOf, type Target } from "../target.js";

const objects = knownObjects();

/** `Range` headers of any text, and answers that are not what was asked for. */
export const ranges: Target = {
  name: "ranges",
  async try(random) {
    const object = random.pick(objects);
    const { content } = await openStored(object, ALLOW_ALL, object.file !== undefined);
    const text = rangeText(random, object.plaintext.length);
    // A store may state another length than the object has, or answer with other bytes.
    const honest = !random.oneIn(4);
    const stated = honest ? object.body.length : random.below(2 * object.body.length + 2);
    try {
      const range = parseByteRange(text);
      const aligned = alignRange(content.suite, range, stated);
      if (aligned === undefined) return "past the end";
      const { fetchFirst, fetchLast, blockOffset, skip, take } = aligned;
      const fetched = honest || random.oneIn(2) ? object.body : random.bytes(object.body.length);
      const served = fetched.subarray(fetchFirst, fetchLast + 1 + (honest ? 0 : random.below(3) - 1));
      const released: Uint8Array[] = [];
      for await (const chunk of decryptContentRange(content, aligned, inPieces(random, served))) released.push(chunk);
      const plaintext = Buffer.concat(released);
      assertRight(plaintext.length <= take, `${object.id} ${text}: more than was asked for`);
      if (!honest) return "answered";
      const first = blockOffset + skip;
      const wanted = object.plaintext.subarray(first, first + take);
      assertRight(plaintext.equals(wanted), `${object.id} ${text}: other bytes`);
      return "answered rightly";
    } catch (error) {
      return refusalOf(error);
    }
  },
};

function rangeText(random: Random, length: number): string {
  const number = (): string => String(random.oneIn(20) ? 10 ** random.below(17) : random.below(length + 40));
  const text = random.pick([`bytes=${number()}-${number()}`, `bytes=${number()}-`, `bytes=-${number()}`]);
  return random.oneIn(5) ? mutateText(random, text) : text;
}
