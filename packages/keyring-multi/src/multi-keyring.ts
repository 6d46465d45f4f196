import {
  assertKnownOptions,
  type BlindMatch,
  type DecryptionMaterials,
  type EncryptedDataKey,
  type EncryptionMaterials,
  isSameWrapAlgorithm,
  type Keyring,
  type KeyringPart,
  keyringName,
  type OptionNames,
  S3EncryptionError,
  type WithDataKey,
  type WrapAlgorithm,
  withDataKey,
  withEncryptedDataKey,
} from "@s3ec/materials";
import { aggregateFailure } from "./aggregate-failure.js";
import { withoutGuessing } from "./blind-wraps.js";
import {
  assertKeyring,
  assertPlaces,
  type ChildKeyring,
  childKeyrings,
  type MultiKeyringChild,
} from "./child-keyrings.js";

/** A generator, children or both. */
export interface MultiKeyringOptions {
  /** Creates the data key; its wrapped key goes to the default place, or into the message. Without one the keyring only reads. */
  readonly generator?: Keyring;
  /** Each wraps the same data key, and can open the object without the others. Default: none. */
  readonly children?: readonly MultiKeyringChild[];
  /**
   * Lets a write go on when a child's key store cannot be asked (`key-unavailable`), and is told of it, so that the
   * missing wrap can be made up for. A throw from it fails the write. Default: the write fails.
   */
  readonly allowMissingChildren?: (missing: MissingChild) => void;
}

/** A child whose wrapped key an object was written without. */
export interface MissingChild {
  /** Its position in `children`, from 0. */
  readonly index: number;
  /** Absent where it has none, as it may for messages. */
  readonly instructionFileSuffix?: string;
  /** Why: its code is `key-unavailable`. */
  readonly error: S3EncryptionError;
}

const OPTIONS: OptionNames<MultiKeyringOptions> = { generator: true, children: true, allowMissingChildren: true };

/** One generator and any number of children: any one of them can open what was written with all of them. */
export class MultiKeyring implements Keyring {
  /** Those of the generator and of every child. */
  readonly wrapAlgorithms: readonly WrapAlgorithm[];
  /** Those of the generator, then one of each child that has one. */
  readonly instructionFileSuffixes: readonly string[];
  readonly #generator: Keyring | undefined;
  readonly #children: readonly ChildKeyring[];
  readonly #allowMissingChildren: ((missing: MissingChild) => void) | undefined;

  /**
   * @throws S3EncryptionError `invalid-argument` for an unknown option and what is no keyring, `invalid-configuration` without
   * generator and children, and for a suffix that is taken
   */
  constructor(options: MultiKeyringOptions) {
    assertKnownOptions(options, OPTIONS, "MultiKeyring");
    const { generator, children = [], allowMissingChildren } = options;
    if (generator !== undefined) assertKeyring(generator, "The generator");
    if (generator === undefined && children.length === 0) {
      throw new S3EncryptionError("invalid-configuration", "A multi-keyring needs a generator or children.");
    }
    if (allowMissingChildren !== undefined && typeof allowMissingChildren !== "function") {
      throw new S3EncryptionError(
        "invalid-argument",
        "allowMissingChildren must be a function: it is told of each child that a write goes on without.",
      );
    }
    this.#generator = generator;
    this.#children = Object.freeze(childKeyrings(children));
    this.#allowMissingChildren = allowMissingChildren;
    this.wrapAlgorithms = union(this.#keyrings.flatMap((keyring) => keyring.wrapAlgorithms));
    this.instructionFileSuffixes = Object.freeze([
      ...(generator?.instructionFileSuffixes ?? []),
      ...this.#children.flatMap(({ suffix }) => suffix ?? []),
    ]);
    if (new Set(this.instructionFileSuffixes).size < this.instructionFileSuffixes.length) {
      throw new S3EncryptionError(
        "invalid-configuration",
        "The generator and a child use the same instruction file suffix; give the child another one.",
      );
    }
  }

  /** Whether any of them does. */
  get discoversKeys(): boolean {
    return this.#keyrings.some((keyring) => keyring.discoversKeys === true);
  }

  /** The generator, then the children. */
  get parts(): readonly KeyringPart[] {
    const children = this.#children.map(({ keyring, suffix }) =>
      suffix === undefined ? { keyring } : { keyring, instructionFileSuffix: suffix },
    );
    return this.#generator === undefined ? children : [{ keyring: this.#generator }, ...children];
  }

  get #keyrings(): readonly Keyring[] {
    const children = this.#children.map(({ keyring }) => keyring);
    return this.#generator === undefined ? children : [this.#generator, ...children];
  }

  /**
   * Has the generator make or keep the data key and wrap it, then each child wrap the same one.
   * @throws S3EncryptionError `unsupported-operation` without a generator, `invalid-configuration` for a child without a place
   * or a keyring that does not do its part, and what the generator or a child throws
   */
  async onEncrypt(materials: EncryptionMaterials): Promise<EncryptionMaterials> {
    if (this.#generator === undefined) {
      throw new S3EncryptionError(
        "unsupported-operation",
        "This multi-keyring has no generator, so it only reads; give it one to write.",
      );
    }
    if (!materials.suite.holdsManyWraps) assertPlaces(this.#children);
    const generated = await this.#generator.onEncrypt(materials);
    const { dataKey } = generated;
    const before = materials.encryptedDataKeys;
    const added = addedTo(before, generated);
    const keptDataKey = dataKey !== undefined && (materials.dataKey?.equals(dataKey) ?? true);
    if (!keptDataKey || added.length === 0) {
      throw new S3EncryptionError(
        "invalid-configuration",
        "The generator must add a data key where there is none, keep one that there is, and add an encrypted data key.",
      );
    }
    // Whatever else a keyring may have put into its answer is not taken over.
    let result = added.reduce(withEncryptedDataKey<WithDataKey<EncryptionMaterials>>, withDataKey(materials, dataKey));
    for (const child of this.#children.filter(({ decryptOnly }) => !decryptOnly)) {
      for (const wrapped of await this.#wrapByChild(child, result)) result = withEncryptedDataKey(result, wrapped);
    }
    return result;
  }

  async #wrapByChild(
    { keyring, index, suffix }: ChildKeyring,
    materials: WithDataKey<EncryptionMaterials>,
  ): Promise<readonly EncryptedDataKey[]> {
    const place = suffix === undefined ? {} : { instructionFileSuffix: suffix };
    const name = suffix === undefined ? `children[${index}]` : `"${suffix}"`;
    let answer: EncryptionMaterials;
    try {
      answer = await keyring.onEncrypt(materials);
    } catch (error) {
      if (!(error instanceof S3EncryptionError)) throw error;
      if (error.code === "key-unavailable" && this.#allowMissingChildren !== undefined) {
        this.#allowMissingChildren({ index, ...place, error });
        return [];
      }
      const message = `The child keyring of ${name} could not wrap the data key. ${error.message}`;
      throw new S3EncryptionError(error.code, message, { cause: error });
    }
    const added = addedTo(materials.encryptedDataKeys, answer);
    // An instruction file holds one.
    const { holdsManyWraps } = materials.suite;
    const isRightNumber = holdsManyWraps ? added.length > 0 : added.length === 1;
    if (!isRightNumber || answer.dataKey?.equals(materials.dataKey) !== true) {
      throw new S3EncryptionError(
        "invalid-configuration",
        `The child keyring of ${name} must keep the data key and add ${holdsManyWraps ? "an" : "exactly one"} encrypted data key.`,
      );
    }
    return holdsManyWraps ? added : added.map((key) => ({ ...key, ...place }));
  }

  /**
   * What the first of its keyrings opens, the generator asked before the children; null where none knows a wrap.
   * @throws S3EncryptionError where none opens one and at least one failed: its error or, of several, one that sums them up,
   * such as `key-unavailable` or `decryption-failed`
   */
  async onDecrypt(
    materials: DecryptionMaterials,
    encryptedDataKeys: readonly EncryptedDataKey[],
  ): Promise<DecryptionMaterials | null> {
    const askedOf = withoutGuessing(this.#keyrings, encryptedDataKeys);
    const failures: unknown[] = [];
    for (const keyring of this.#keyrings) {
      try {
        const opened = await keyring.onDecrypt(materials, askedOf(keyring));
        if (opened?.dataKey === undefined) continue;
        const openedBy = `${this.#placeOf(keyring)}: ${opened.openedBy ?? keyringName(keyring)}`;
        return withDataKey({ ...materials, openedBy }, opened.dataKey);
      } catch (failure) {
        failures.push(failure);
      }
    }
    if (failures.length > 0) throw aggregateFailure(failures);
    return null;
  }

  #placeOf(keyring: Keyring): string {
    return keyring === this.#generator
      ? "generator"
      : `children[${this.#children.findIndex((child) => child.keyring === keyring)}]`;
  }

  /** Those of all its keyrings. */
  blindMatches(encryptedDataKey: EncryptedDataKey): readonly BlindMatch[] {
    return this.#keyrings.flatMap((keyring) => keyring.blindMatches?.(encryptedDataKey) ?? []);
  }
}

/** What a keyring appended; nothing when it did anything else to the list. */
function addedTo(
  before: readonly EncryptedDataKey[],
  { encryptedDataKeys: after }: EncryptionMaterials,
): readonly EncryptedDataKey[] {
  return before.every((key, index) => key === after[index]) ? after.slice(before.length) : [];
}

function union(entries: readonly WrapAlgorithm[]): readonly WrapAlgorithm[] {
  const isFirst = (entry: WrapAlgorithm, index: number): boolean =>
    entries.findIndex((other) => isSameWrapAlgorithm(other, entry)) === index;
  return Object.freeze(entries.filter(isFirst));
}
