import { timingSafeEqual } from "node:crypto";
import { GCM } from "@s3ec/envelope";
import type { DecryptionMaterials } from "./materials.js";

/** What an unwrap may return: a data key of one of these lengths, bound to one of these texts where the wrap binds. */
export interface ExpectedDataKey {
  /** Texts of the content algorithm; the wrap must be bound to one of them. */
  readonly bindings: readonly string[];
  /** In bytes. */
  readonly dataKeyLengths: readonly number[];
}

/**
 * What the data key of an object may be. `acceptGcmForCbc` is the keyrings' `enableCbcRewrapBoundToGcm`: it opens CBC
 * content whose wrap is bound to GCM (H1), and so gives up the check of S2 for it, and for nothing else.
 */
export function expectedDataKey(
  { suite, algorithmBinding }: DecryptionMaterials,
  acceptGcmForCbc = false,
): ExpectedDataKey {
  const rewrapped = acceptGcmForCbc && suite.cipher === "cbc";
  const bindings = rewrapped ? [algorithmBinding, GCM.storedName] : [algorithmBinding];
  return { bindings, dataKeyLengths: suite.dataKeyLengths };
}

/**
 * `length(1) ‖ data key ‖ binding`: what RSA-OAEP-SHA1 encrypts, since it has no place of its own for the binding
 * (docs/formats.md 1.4). The caller zeroes it.
 */
export function bindDataKey(dataKey: Uint8Array, binding: string): Uint8Array {
  return Buffer.concat([Uint8Array.of(dataKey.length), dataKey, Buffer.from(binding)]);
}

/**
 * The data key of what `bindDataKey` made, copied, or undefined for any reason: one answer whether the length byte or
 * the binding is wrong, and no earlier for one than for the other (S2, S6). The caller zeroes `bound`.
 */
export function unbindDataKey(bound: Uint8Array, expected: ExpectedDataKey): Uint8Array | undefined {
  for (const binding of expected.bindings) {
    const text = Buffer.from(binding);
    const length = bound.length - 1 - text.length;
    if (!expected.dataKeyLengths.includes(length)) continue;
    // The whole rest is compared: a prefix or trailing bytes are another algorithm.
    const head = timingSafeEqual(bound.subarray(0, 1), Uint8Array.of(length));
    const tail = timingSafeEqual(bound.subarray(1 + length), text);
    if (head && tail) return Uint8Array.from(bound.subarray(1, 1 + length));
  }
  return undefined;
}
