import { createCipheriv, createSecretKey } from "node:crypto";
import { readFileSync } from "node:fs";
import fc from "fast-check";
import { type GcmParameters, keyBits } from "../../dist/gcm/gcm-parameters.js";

/** A message as AES-GCM makes it in one pass. */
export interface Message {
  readonly parameters: GcmParameters;
  readonly plaintext: Buffer;
  readonly ciphertext: Buffer;
  readonly tag: Buffer;
}

export interface KnownMessage extends Message {
  readonly name: string;
  readonly valid: boolean;
}

/** The known answers of one file of `test-vectors/gcm`. */
export function knownMessages(file: "nist-cavp" | "wycheproof"): KnownMessage[] {
  const path = new URL(`../../../../test-vectors/gcm/${file}.json`, import.meta.url);
  const { vectors }: { vectors: Record<string, string>[] } = JSON.parse(readFileSync(path, "utf8"));
  return vectors.map((vector, index) => {
    const [key, iv, aad, plaintext, ciphertext, tag] = ["key", "nonce", "aad", "plaintext", "ciphertext", "tag"].map(
      (field) => Buffer.from(vector[field] ?? "", "hex"),
    ) as [Buffer, Buffer, Buffer, Buffer, Buffer, Buffer];
    const parameters = { key: createSecretKey(key), iv, aad };
    const valid = (vector.valid as unknown) !== false;
    return { name: `${file} ${vector.id ?? index}`, parameters, plaintext, ciphertext, tag, valid };
  });
}

export function sealed(parameters: GcmParameters, plaintext: Buffer): Message {
  const cipher = createCipheriv(`aes-${keyBits(parameters)}-gcm`, parameters.key, parameters.iv, { authTagLength: 16 });
  cipher.setAAD(parameters.aad);
  const ciphertext = Buffer.concat([cipher.update(plaintext), cipher.final()]);
  return { parameters, plaintext, ciphertext, tag: cipher.getAuthTag() };
}

const bytes = (length: { minLength: number; maxLength: number }): fc.Arbitrary<Buffer> =>
  fc.uint8Array(length).map((array) => Buffer.from(array));

/** Messages of any key length, of no bytes and more, with additional data of any length. */
export const anyMessage: fc.Arbitrary<Message> = fc
  .record({
    key: fc.constantFrom(16, 24, 32).chain((length) => bytes({ minLength: length, maxLength: length })),
    iv: bytes({ minLength: 12, maxLength: 12 }),
    aad: fc.oneof(bytes({ minLength: 0, maxLength: 40 }), fc.constant(Buffer.from([0, 0x73]))),
    plaintext: fc.oneof(bytes({ minLength: 0, maxLength: 50 }), bytes({ minLength: 0, maxLength: 700 })),
  })
  .map(({ key, iv, aad, plaintext }) => sealed({ key: createSecretKey(key), iv, aad }, plaintext));

/** Where to cut `length` bytes, from 0 to `length`, at multiples of `unit`; `choices` decide. */
export function cuts(length: number, choices: readonly number[], unit = 1): number[] {
  const places = choices.map((choice) => Math.floor((choice * (length + 1)) / unit) * unit).filter((at) => at < length);
  return [...new Set([0, ...places, length])].sort((a, b) => a - b);
}

export const anyCuts: fc.Arbitrary<number[]> = fc.array(fc.double({ min: 0, max: 0.999, noNaN: true }), {
  maxLength: 6,
});

/** The intervals between cuts. */
export function intervals(places: readonly number[]): { offset: number; end: number }[] {
  return places.slice(1).map((end, index) => ({ offset: places[index] ?? 0, end }));
}
