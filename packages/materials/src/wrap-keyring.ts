import { isUint8Array } from "node:util/types";
import {
  canHoldWrap,
  decryptionFailed,
  EMPTY_STRING_MAP,
  type EncryptedDataKey,
  isSameWrapAlgorithm,
  S3EncryptionError,
  type WrapAlgorithm,
} from "@s3ec/envelope";
import { type ExpectedDataKey, expectedDataKey } from "./bound-data-key.js";
import { importDataKey } from "./data-key.js";
import type { BlindMatch, Keyring } from "./keyring.js";
import { type DecryptionMaterials, type EncryptionMaterials, withDataKey, withEncryptedDataKey } from "./materials.js";
import type { Wrap, WrappedDataKey } from "./wrap.js";
import { withWrappedDataKey } from "./wrapped-data-key.js";

/** How a list of wraps reads; each option has a default. */
export interface WrapKeyringOptions {
  /** Also opens CBC content whose wrap is bound to GCM (H1), and so gives up the check of S2 for it. Default false. */
  readonly acceptGcmForCbc?: boolean;
}

/**
 * A list of wraps as a keyring. It writes with the first one that writes and that objects of the suite can hold, and reads
 * with each that they can; it lends and zeroes bytes, and answers alike for all of them (S16).
 */
export class WrapKeyring implements Keyring {
  readonly wrapAlgorithms: readonly WrapAlgorithm[];
  readonly #wraps: readonly Wrap[];
  readonly #acceptGcmForCbc: boolean;

  constructor(wraps: readonly Wrap[], { acceptGcmForCbc = false }: WrapKeyringOptions = {}) {
    this.#wraps = [...wraps];
    this.#acceptGcmForCbc = acceptGcmForCbc;
    const read = wraps.filter(({ unwrap }) => unwrap !== undefined).map(({ algorithm }) => algorithm);
    this.wrapAlgorithms = Object.freeze(
      read.filter((entry, index) => read.findIndex((other) => isSameWrapAlgorithm(other, entry)) === index),
    );
  }

  /**
   * Adds the wrap of the first of the list that writes and that objects of the suite can hold.
   * @throws S3EncryptionError `unsupported-operation` where none does, and what the wrap throws
   */
  async onEncrypt(materials: EncryptionMaterials): Promise<EncryptionMaterials> {
    const { suite, algorithmBinding } = materials;
    const writer = this.#wraps.find((each) => each.wrap !== undefined && canHoldWrap(suite, each.algorithm));
    if (writer === undefined) {
      throw new S3EncryptionError(
        "unsupported-operation",
        `This keyring writes no wrap that an object of ${suite.name} can hold.`,
      );
    }
    if (materials.dataKey === undefined && writer.generate !== undefined) {
      const { dataKey, ...wrapped } = await writer.generate(algorithmBinding, materials);
      return withEncryptedDataKey(withDataKey(materials, importDataKey(dataKey)), stored(writer, wrapped));
    }
    return await withWrappedDataKey(materials, async (bytes) => {
      const wrapped = await writer.wrap?.(bytes, algorithmBinding, materials);
      return stored(writer, wrapped ?? { ciphertext: new Uint8Array(0) });
    });
  }

  async onDecrypt(
    materials: DecryptionMaterials,
    encryptedDataKeys: readonly EncryptedDataKey[],
  ): Promise<DecryptionMaterials | null> {
    const expected = expectedDataKey(materials, this.#acceptGcmForCbc);
    const usable = this.#wraps.filter(({ algorithm }) => canHoldWrap(materials.suite, algorithm));
    const failures: S3EncryptionError[] = [];
    for (const each of encryptedDataKeys) {
      for (const wrap of usable.filter(({ algorithm }) => isSameWrapAlgorithm(algorithm, each.wrapAlgorithm))) {
        const outcome = await outcomeOf(wrap, each, expected, materials);
        if (outcome instanceof Error) failures.push(outcome);
        else if (outcome !== null) return withDataKey(materials, importDataKey(outcome));
      }
    }
    // That a key was tried and failed says more than that another one is not at hand.
    const failure = failures.find(({ code }) => code !== "no-matching-key") ?? failures[0];
    if (failure !== undefined) throw failure;
    return null;
  }

  blindMatches(encryptedDataKey: EncryptedDataKey): readonly BlindMatch[] {
    return this.#wraps
      .filter(({ algorithm }) => isSameWrapAlgorithm(algorithm, encryptedDataKey.wrapAlgorithm))
      .flatMap((wrap) => wrap.blindMatch?.(encryptedDataKey) ?? []);
  }
}

function stored({ algorithm }: Wrap, wrapped: WrappedDataKey): EncryptedDataKey {
  // A text would be stored, and be no wrap for any reader.
  if (!isUint8Array(wrapped.ciphertext) || wrapped.ciphertext.length === 0) {
    throw new S3EncryptionError(
      "invalid-configuration",
      `The keyring of ${algorithm.name} must return the wrapped data key as bytes, one or more: a Uint8Array or Buffer.`,
    );
  }
  return { wrapAlgorithm: algorithm, description: EMPTY_STRING_MAP, ...wrapped };
}

async function outcomeOf(
  wrap: Wrap,
  encryptedDataKey: EncryptedDataKey,
  expected: ExpectedDataKey,
  materials: DecryptionMaterials,
): Promise<Uint8Array | S3EncryptionError | null> {
  try {
    const dataKey = wrap.unwrap === undefined ? null : await wrap.unwrap(encryptedDataKey, expected, materials);
    if (dataKey === null) return null;
    if (ArrayBuffer.isView(dataKey) && expected.dataKeyLengths.includes(dataKey.length)) return dataKey;
    dataKey?.fill(0);
    // One error without a cause, whichever check failed (S16).
    return decryptionFailed();
  } catch (error) {
    return error instanceof S3EncryptionError ? error : decryptionFailed(error);
  }
}
