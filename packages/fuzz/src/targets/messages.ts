import { parseByteRange } from "@s3ec/envelope";
import { AwsMessageFormat } from "@s3ec/format-aws-message";
import type { ObjectHead, OpenedObject } from "@s3ec/materials";
import { inPieces } from "../chunks.js";
import { type KnownMessage, knownMessages } from "../known-messages.js";
import { mutateBytes, mutateFields } from "../mutate.js";
import type { Random } from "../random.js";
import { ALLOW_ALL, contextOf } from "../read-object.js";
import { assertRight, refusalOf, type Target } from "../target.js";

const messages = knownMessages();
const format = new AwsMessageFormat();

/** Messages whose header, body or context is damaged, read as a whole or in a range. */
export const messagesTarget: Target = {
  name: "messages",
  async try(random) {
    const message = random.pick(messages);
    const donor = random.pick(messages);
    const bytes = random.oneIn(8) ? Buffer.from(message.bytes) : mutateBytes(random, message.bytes, donor.bytes);
    // Spliced near its beginning it has become the donor, which the same key may open.
    const known = [message, donor];
    const sameContext = !random.oneIn(8);
    const released: Uint8Array[] = [];
    let from = 0;
    let outcome: string;
    try {
      const header = headerOf(random, bytes);
      if (header === null) return "no message";
      const opened = await open(random, message, header, sameContext);
      if (random.oneIn(3)) {
        const range = opened.range(parseByteRange(someRange(random, message.plaintext.length)), bytes.length);
        if (range === undefined) return "past the end";
        from = range.first;
        const fetched = bytes.subarray(range.fetchFirst, range.fetchLast + 1);
        for await (const chunk of range.decrypt(inPieces(random, fetched))) released.push(chunk);
        const length = Buffer.concat(released).length;
        assertRight(length === range.last - range.first + 1, `${message.id}: another length than the range has`);
        outcome = "answered";
      } else {
        const body = inPieces(random, bytes.subarray(header.length));
        for await (const chunk of opened.decrypt(body)) if (opened.proves === "pieces") released.push(chunk);
        const whole = known.some((intact) => bytes.equals(intact.bytes));
        assertRight(whole, `${message.id} is opened although it was changed`);
        outcome = "opened";
      }
    } catch (error) {
      outcome = refusalOf(error);
    }
    const bytesReleased = Buffer.concat(released);
    const right = known.some(({ plaintext }) =>
      bytesReleased.equals(plaintext.subarray(from, from + bytesReleased.length)),
    );
    // Whatever was given out before the end is authentic, and where it belongs (S12).
    assertRight(right, `${message.id}: other bytes were released from ${from}`);
    return outcome;
  },
};

/** The header, from a beginning that grows as it arrives. */
function headerOf(random: Random, bytes: Uint8Array): ObjectHead | null {
  for (let length = random.below(bytes.length + 1); ; length += 1 + random.below(300)) {
    const parsed = format.readHead(bytes.subarray(0, length));
    if (parsed !== "incomplete") return parsed;
    if (length >= bytes.length) return null;
  }
}

async function open(
  random: Random,
  message: KnownMessage,
  header: ObjectHead,
  sameContext: boolean,
): Promise<OpenedObject> {
  const { encryptionContext } = message;
  const context = sameContext ? encryptionContext : { ...mutateFields(random, encryptionContext, {}), other: "x" };
  const opened = await format.open({
    head: header,
    materialsManager: random.pick(message.managers),
    commitmentPolicy: ALLOW_ALL.commitmentPolicy,
    encryptionContext: contextOf(context),
  });
  assertRight(sameContext, `${message.id} was opened with another context`);
  return opened;
}

function someRange(random: Random, length: number): string {
  const [a, b] = [random.below(length + 20), random.below(length + 20)];
  return random.pick([`bytes=${Math.min(a, b)}-${Math.max(a, b)}`, `bytes=${a}-`, `bytes=-${b}`]);
}
