import { type Damage, flip, renumber, splice, wrappedKeyOf } from "./message-damage.js";

/** For every message with a key commitment under an AES key. */
export const HEADER_DAMAGES: readonly Damage[] = [
  renumber("version-3", "malformed", ({ version }) => version, 3, "there is no message format 3"),
  renumber("version-1", "malformed", ({ version }) => version, 1, "read as format 1, its type is 4"),
  renumber("suite-unknown", "malformed", ({ suite }) => suite, 0x0479, "there is no suite 0x0479"),
  renumber("suite-of-format-1", "malformed", ({ suite }) => suite, 0x0178, "format 2 has no suite 0x0178"),
  renumber(
    "suite-signed",
    "malformed",
    ({ suite }) => suite,
    0x0578,
    "the suite is a signed one, and no public key is in the context",
  ),
  flip("message-id", "commitment", ({ messageId }) => messageId),
  flip("context-length", "malformed", ({ contextLength }) => contextLength),
  flip("context-value", "unwrap", ({ context }) => context, "the wrap is bound to the context"),
  renumber("no-wrapped-key", "malformed", ({ wrappedKeyCount }) => wrappedKeyCount, 0, "it has no wrapped key"),
  renumber(
    "wrapped-key-missing",
    "malformed",
    ({ wrappedKeyCount }) => wrappedKeyCount,
    2,
    "it has one wrapped key less than it says",
  ),
  flip("provider-id", "unwrap", (layout) => wrappedKeyOf(layout).providerId),
  flip("key-name", "unwrap", (layout) => {
    const { start } = wrappedKeyOf(layout).providerInfo;
    return { start, end: start + 1 };
  }),
  flip("wrap-iv", "unwrap", (layout) => wrappedKeyOf(layout).providerInfo),
  flip("wrapped-key", "unwrap", (layout) => wrappedKeyOf(layout).ciphertext),
  renumber("content-type-3", "malformed", ({ contentType }) => contentType, 3, "there is no content type 3"),
  renumber(
    "content-type-unframed",
    "malformed",
    ({ contentType }) => contentType,
    1,
    "it says that it has no frames, and has a frame length",
  ),
  renumber("frame-length-0", "malformed", ({ frameLength }) => frameLength, 0, "it has frames of no length"),
  flip("frame-length", "header-tag", ({ frameLength }) => frameLength),
  flip("commitment", "commitment", ({ commitment }) => commitment),
  flip("header-tag", "header-tag", ({ headerTag }) => headerTag),
  splice("context-swapped", "header-tag", "the context's two entries have changed places", (bytes, { context }) => {
    const [first, second] = entriesOf(bytes, context.start);
    return [{ start: context.start + 2, end: context.end }, second, first];
  }),
  splice("context-repeated", "malformed", "the context names its second entry twice", (bytes, { context }) => {
    const [, second] = entriesOf(bytes, context.start);
    return [{ start: context.start + 2, end: context.end }, second, second];
  }),
];

/** The two entries of a context that starts here, each with its lengths. */
function entriesOf(bytes: Buffer, start: number): [Buffer, Buffer] {
  const end = (from: number): number => {
    const value = from + 2 + bytes.readUInt16BE(from);
    return value + 2 + bytes.readUInt16BE(value);
  };
  const first = end(start + 2);
  return [bytes.subarray(start + 2, first), bytes.subarray(first, end(first))];
}
