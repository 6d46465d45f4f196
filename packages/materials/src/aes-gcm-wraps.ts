import { randomBytes } from "node:crypto";
import { AES_GCM, type StringMap, serializeEncryptionContext, stringMap } from "@s3ec/envelope";
import type { NamedWrap, RawWrap } from "./raw-keys.js";
import type { Awaitable } from "./wrap.js";

/** Bytes. */
const IV = 12;
const TAG = 16;

/** AES-GCM with an IV of 12 bytes and a tag of 16, wherever the key is. */
export interface AesGcm<Key> {
  /** `ciphertext ‖ tag(16)`. */
  encrypt(key: Key, iv: Uint8Array, aad: Uint8Array, data: Uint8Array): Awaitable<Uint8Array>;
  /** What `encrypt` encrypted, or undefined where the tag is wrong. */
  decrypt(key: Key, iv: Uint8Array, aad: Uint8Array, sealed: Uint8Array): Awaitable<Uint8Array | undefined>;
}

/** `iv(12) ‖ AES-GCM(key, iv, aad = binding, data key) ‖ tag(16)` (docs/formats.md 1.4). */
export function aesGcmWrap<Key>(aes: AesGcm<Key>): RawWrap<Key> {
  return {
    algorithm: AES_GCM,
    wrap: async (key, dataKey, binding) => {
      const iv = randomBytes(IV);
      return Buffer.concat([iv, await aes.encrypt(key, iv, Buffer.from(binding), dataKey)]);
    },
    // The IV may equal the content's: one writer makes it so (H24).
    unwrap: (key, wrapped, { bindings, dataKeyLengths }) => {
      const aads = bindings.map((binding) => Buffer.from(binding));
      return open(aes, key, { iv: wrapped.subarray(0, IV), sealed: wrapped.subarray(IV), aads, dataKeyLengths });
    },
  };
}

/** What stands between a key's name and the IV: the lengths of tag, in bits, and IV, in four bytes each (8.3). */
const LENGTHS: Uint8Array = Uint8Array.of(0, 0, 0, TAG * 8, 0, 0, 0, IV);

/** The raw AES keyring's wrap of the AWS Encryption SDK: AES-GCM over the data key, with the encryption context as AAD. */
export function aesGcmNamedWrap<Key>(aes: AesGcm<Key>): NamedWrap<Key> {
  return {
    infoLength: LENGTHS.length + IV,
    wrap: async (key, dataKey, context) => {
      const iv = randomBytes(IV);
      const ciphertext = await aes.encrypt(key, iv, serializeEncryptionContext(context), dataKey);
      return { ciphertext, info: Buffer.concat([LENGTHS, iv]) };
    },
    unwrap: (key, { ciphertext, info }, { dataKeyLengths }, context) => {
      if (Buffer.compare(info.subarray(0, LENGTHS.length), LENGTHS) !== 0) return undefined;
      const [aad, other] = [serializeEncryptionContext(context), serializeInLocaleOrder(context)];
      const aads = Buffer.compare(aad, other) === 0 ? [aad] : [aad, other];
      return open(aes, key, { iv: info.subarray(-IV), sealed: ciphertext, aads, dataKeyLengths });
    },
  };
}

async function open<Key>(
  aes: AesGcm<Key>,
  key: Key,
  {
    iv,
    sealed,
    aads,
    dataKeyLengths,
  }: Record<"iv" | "sealed", Uint8Array> & {
    readonly aads: readonly Uint8Array[];
    readonly dataKeyLengths: readonly number[];
  },
): Promise<Uint8Array | undefined> {
  // Lengths are public and checked before the key is used (S15).
  if (!dataKeyLengths.includes(sealed.length - TAG)) return undefined;
  for (const aad of aads) {
    const dataKey = await aes.decrypt(key, iv, aad, sealed);
    if (dataKey !== undefined) return dataKey;
  }
  return undefined;
}

/**
 * The same entries in the order that the AWS Encryption SDK for JavaScript authenticates them in, unless it is told
 * `utf8Sorting`: that of `localeCompare`, which puts "b" before "C" (its issue 428). Its wraps would not open otherwise.
 */
function serializeInLocaleOrder(context: StringMap): Uint8Array {
  const entries = Object.entries(context).sort(([a], [b]) => a.localeCompare(b));
  const [count, serialized] = [Buffer.alloc(2), entries.map((entry) => serializeEncryptionContext(stringMap([entry])))];
  count.writeUInt16BE(entries.length);
  return entries.length === 0
    ? new Uint8Array(0)
    : Buffer.concat([count, ...serialized.map((each) => each.subarray(2))]);
}
