import {
  be32,
  bytesOf,
  cut,
  type Damage,
  flip,
  frameAt,
  renumber,
  required,
  splice,
  wrappedKeyOf,
} from "./message-damage.js";
import { HEADER_DAMAGES } from "./message-header-damages.js";
import type { MessageLayout } from "./message-layout.js";

const swapped = (bytes: Buffer, layout: MessageLayout, ...order: readonly number[]): Buffer[] =>
  order.map((index) => bytesOf(bytes, frameAt(layout, index).whole));

/** A frame under another number. */
const renumbered = (bytes: Buffer, layout: MessageLayout, index: number, number: number): Buffer => {
  const frame = frameAt(layout, index);
  return Buffer.concat([be32(number), bytes.subarray(frame.sequenceNumber.end, frame.whole.end)]);
};

const firstTwo = (layout: MessageLayout) => ({
  start: frameAt(layout, 0).whole.start,
  end: frameAt(layout, 1).whole.end,
});

/** For messages of two frames and a final one, which is shorter. */
const BODY: readonly Damage[] = [
  flip("sequence-number", "malformed", (layout) => frameAt(layout, 0).sequenceNumber),
  flip("frame-iv", "body-tag", (layout) => frameAt(layout, 0).iv),
  flip("frame-content", "body-tag", (layout) => frameAt(layout, 0).content),
  flip("frame-tag", "body-tag", (layout) => frameAt(layout, 0).tag),
  flip("second-frame-content", "body-tag", (layout) => frameAt(layout, 1).content),
  flip(
    "end-mark",
    "malformed",
    (layout) => frameAt(layout, -1).endMark,
    "what was the mark of the end is no next number",
  ),
  flip("final-sequence-number", "malformed", (layout) => frameAt(layout, -1).sequenceNumber),
  flip("final-iv", "body-tag", (layout) => frameAt(layout, -1).iv),
  flip("final-content", "body-tag", (layout) => frameAt(layout, -1).content),
  flip("final-tag", "body-tag", (layout) => frameAt(layout, -1).tag),
  renumber(
    "final-length-over-frame",
    "malformed",
    (layout) => frameAt(layout, -1).contentLength,
    129,
    "the final frame says that it is longer than a frame",
  ),
  splice("frames-swapped", "malformed", "the first two frames have changed places", (bytes, layout) => [
    firstTwo(layout),
    ...swapped(bytes, layout, 1, 0),
  ]),
  splice("frames-swapped-renumbered", "body-tag", "the same, and each has the other's number", (bytes, layout) => [
    firstTwo(layout),
    renumbered(bytes, layout, 1, 1),
    renumbered(bytes, layout, 0, 2),
  ]),
  splice("frame-repeated", "malformed", "the first frame comes twice, the second not at all", (bytes, layout) => [
    firstTwo(layout),
    ...swapped(bytes, layout, 0, 0),
  ]),
  splice("frame-repeated-renumbered", "body-tag", "the same, and the second has number 2", (bytes, layout) => [
    firstTwo(layout),
    ...swapped(bytes, layout, 0),
    renumbered(bytes, layout, 0, 2),
  ]),
  splice("frame-dropped", "malformed", "the first frame is missing", (bytes, layout) => [
    firstTwo(layout),
    ...swapped(bytes, layout, 1),
  ]),
  splice(
    "second-frame-dropped-renumbered",
    "body-tag",
    "the final frame follows the first, as number 2",
    (bytes, layout) => {
      const final = frameAt(layout, -1);
      const rest = bytes.subarray(final.sequenceNumber.end, final.whole.end);
      const parts = [be32(0xffffffff), be32(2), rest];
      return [{ start: frameAt(layout, 1).whole.start, end: final.whole.end }, ...parts];
    },
  ),
  splice("final-forged", "body-tag", "the second frame is made to look like the final one", (bytes, layout) => {
    const { iv, content, tag, whole } = frameAt(layout, 1);
    const parts = [be32(0xffffffff), be32(2), bytesOf(bytes, iv), be32(content.end - content.start)];
    const rest = bytes.subarray(content.start, tag.end);
    return [{ start: whole.start, end: frameAt(layout, -1).whole.end }, ...parts, rest];
  }),
  splice("final-emptied", "body-tag", "the final frame's content is gone, and its length says so", (_, layout) => {
    const { contentLength, content } = frameAt(layout, -1);
    return [{ start: required(contentLength).start, end: content.end }, be32(0)];
  }),
];

const CUTS: readonly Damage[] = [
  cut("before its first byte", () => 0),
  cut("after the version", ({ version }) => version.end),
  cut("within the message id", ({ messageId }) => messageId.end - 1),
  cut("within the context", ({ context }) => context.start + 5),
  cut("after the context", ({ context }) => context.end),
  cut("within the wrapped key", (layout) => wrappedKeyOf(layout).ciphertext.end - 1),
  cut("before the header tag", ({ headerTag }) => headerTag.start),
  cut("after the header", ({ headerTag }) => headerTag.end),
  cut("within the first frame", (layout) => frameAt(layout, 0).content.end),
  cut("after the first frame", (layout) => frameAt(layout, 0).whole.end),
  cut("before the final frame", (layout) => frameAt(layout, -1).whole.start),
  cut("within the final frame", (layout) => frameAt(layout, -1).whole.end - 1),
];

const TRAILING: readonly Damage[] = [
  trailing("trailing-zero", "a zero byte follows", () => Buffer.alloc(1)),
  trailing("trailing-message", "the whole message follows once more", (bytes) => bytes),
];

const SIGNED: readonly Damage[] = [
  renumber(
    "suite-unsigned",
    "malformed",
    ({ suite }) => suite,
    0x0478,
    "the suite is not a signed one, and a public key is in the context",
  ),
  flip("signature", "signature", ({ footer }) => footer),
  cut("before the signature", ({ footer }) => required(footer).start),
  cut("within the signature", ({ footer }) => required(footer).end - 1),
  splice("signature-empty", "signature", "the signature has no bytes", (_, { footer }) => [
    required(footer),
    Buffer.alloc(2),
  ]),
  flip("header-tag", "header-tag", ({ headerTag }) => headerTag),
  flip("final-content", "body-tag", (layout) => frameAt(layout, -1).content),
];

/** Under an RSA key nothing binds the context to the wrap: the header's tag must. */
const RSA: readonly Damage[] = [
  flip("context-value", "header-tag", ({ context }) => context, "the wrap is not bound to the context, the header is"),
  flip("wrapped-key", "unwrap", (layout) => wrappedKeyOf(layout).ciphertext),
];

const KMS: readonly Damage[] = [
  flip("context-value", "unwrap", ({ context }) => context, "KMS is asked under another context"),
  flip("key-arn", "unwrap", (layout) => wrappedKeyOf(layout).providerInfo),
  flip("wrapped-key", "unwrap", (layout) => wrappedKeyOf(layout).ciphertext),
];

const FORMAT_1: readonly Damage[] = [
  renumber("type-129", "malformed", ({ type }) => type, 129, "there is no message type 129"),
  renumber("reserved-1", "malformed", ({ reserved }) => reserved, 1, "the reserved bytes are not zero"),
  renumber("iv-length-13", "malformed", ({ ivLength }) => ivLength, 13, "the suite's IVs have 12 bytes"),
  flip("message-id", "header-tag", ({ messageId }) => messageId),
  flip("header-iv", "header-tag", ({ headerIv }) => headerIv),
  flip("header-tag", "header-tag", ({ headerTag }) => headerTag),
  flip("frame-content", "body-tag", (layout) => frameAt(layout, 0).content),
  cut("before the final frame", (layout) => frameAt(layout, -1).whole.start),
];

const UNFRAMED: readonly Damage[] = [
  flip(
    "content-length",
    "body-tag",
    (layout) => frameAt(layout, 0).contentLength,
    "the body is said to be a byte shorter",
  ),
  flip("content", "body-tag", (layout) => frameAt(layout, 0).content),
  flip("tag", "body-tag", (layout) => frameAt(layout, 0).tag),
];

const EXACT: readonly Damage[] = [cut("before the final frame", (layout) => frameAt(layout, -1).whole.start)];

/** By the id of the intact message that they are made from. */
export const DAMAGES: Readonly<Record<string, readonly Damage[]>> = {
  "java-aes-256-0478-257-ascii": [...HEADER_DAMAGES, ...BODY, ...CUTS, ...TRAILING],
  "python-aes-256-0578-257-ascii": [...SIGNED, ...TRAILING],
  "java-rsa-oaep-sha256-0478-257-ascii": RSA,
  "python-kms-0478-257-ascii": KMS,
  "java-aes-256-0178-257-ascii": FORMAT_1,
  "python-aes-256-0478-257-ascii-unframed": UNFRAMED,
  "python-aes-256-0478-256-none": EXACT,
};

function trailing(name: string, why: string, more: (bytes: Buffer) => Buffer): Damage {
  return {
    name,
    failure: "trailing-bytes",
    why,
    apply: (bytes) => Buffer.concat([bytes, more(bytes)]),
  };
}
