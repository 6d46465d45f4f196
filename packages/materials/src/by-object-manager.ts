import type { KeyObject } from "node:crypto";
import { assertKnownOptions, type OptionNames, S3EncryptionError, type WrapAlgorithm } from "@s3ec/envelope";
import { DefaultMaterialsManager } from "./default-manager.js";
import type { Keyring } from "./keyring.js";
import type { DecryptionMaterials, EncryptionMaterials, WithDataKey } from "./materials.js";
import type { DecryptionRequest, EncryptionRequest, MaterialsManager, RequestedObject } from "./materials-manager.js";

/** Which objects, and what gives their data keys: a keyring, or a manager, and not both. */
export interface ObjectRule {
  /** The bucket's name, or the access point's ARN, exactly as callers name it. Default: any. */
  readonly bucket?: string;
  /** What the object's key begins with. Default: whatever it is. */
  readonly prefix?: string;
  /** Asked anew for each of these objects. Default: none. */
  readonly keyring?: Keyring;
  /** Decides about each of these objects. Default: none. */
  readonly manager?: MaterialsManager;
}

/** The rules, at least one; their order does not matter. */
export interface ByObjectManagerOptions {
  /** No two of them name the same bucket and prefix. */
  readonly rules: readonly ObjectRule[];
}

const RULE: OptionNames<ObjectRule> = { bucket: true, prefix: true, keyring: true, manager: true };

interface Rule {
  readonly bucket: string | undefined;
  readonly prefix: string;
  readonly manager: MaterialsManager;
}

/**
 * Chooses the keyring by bucket and key, as the caller names them. Of the rules that name the object's bucket, the one with
 * the longest prefix serves it; only where none of them fits, of those that name no bucket. What no rule names is refused.
 *
 * Bucket and key are advice: an object that was copied to another rule's place does not open there.
 */
export class ByObjectManager implements MaterialsManager {
  readonly #rules: readonly Rule[];

  /**
   * @throws S3EncryptionError `invalid-argument` for an unknown option, no rule at all, two rules for the same objects, and a
   * rule without exactly one of keyring and manager
   */
  constructor(options: ByObjectManagerOptions) {
    assertKnownOptions(options, { rules: true }, "ByObjectManager");
    const { rules } = options;
    if (!Array.isArray(rules) || rules.length === 0) {
      throw new S3EncryptionError(
        "invalid-argument",
        "Give at least one rule: { bucket, prefix, keyring }, of which bucket and prefix may be left out.",
      );
    }
    // The first that fits is the most particular one.
    this.#rules = rules.map(ruleOf).sort(byParticularity);
    const names = this.#rules.map(nameOf);
    if (new Set(names).size < names.length) {
      throw new S3EncryptionError("invalid-argument", "Two rules name the same bucket and prefix; leave one out.");
    }
  }

  /** What any of the rules reads. */
  get wrapAlgorithms(): readonly WrapAlgorithm[] {
    return [...new Set(this.#rules.flatMap(({ manager }) => manager.wrapAlgorithms))];
  }

  /** Those of all rules. */
  get instructionFileSuffixes(): readonly string[] {
    return [...new Set(this.#rules.flatMap(({ manager }) => manager.instructionFileSuffixes ?? []))];
  }

  /** The rule, with what its own manager makes of the request: no data key is shared across rules. */
  cachePartition(request: EncryptionRequest | DecryptionRequest): string | undefined {
    const rule = this.#ruleFor(request);
    const inner = rule?.manager.cachePartition?.(request);
    return rule === undefined || inner === undefined ? undefined : JSON.stringify([nameOf(rule), inner]);
  }

  /** Has the managers of all rules forget it. */
  forget(dataKey: KeyObject): void {
    for (const { manager } of this.#rules) manager.forget?.(dataKey);
  }

  /** That of the rule's manager; none where no rule names the object. */
  keyringFor(request: EncryptionRequest | DecryptionRequest): Keyring | undefined {
    return this.#ruleFor(request)?.manager.keyringFor?.(request);
  }

  /**
   * Materials of the rule's manager.
   * @throws S3EncryptionError `invalid-argument` where no rule names the object, and what the rule's manager throws
   */
  async getEncryptionMaterials(request: EncryptionRequest): Promise<WithDataKey<EncryptionMaterials>> {
    const rule = this.#ruleFor(request);
    if (rule === undefined) {
      throw new S3EncryptionError("invalid-argument", `${NO_RULE} Nothing was written.`);
    }
    return await rule.manager.getEncryptionMaterials(request);
  }

  /**
   * The data key, of the rule's manager.
   * @throws S3EncryptionError `no-matching-key` where no rule names the object, and what the rule's manager throws
   */
  async getDecryptionMaterials(request: DecryptionRequest): Promise<WithDataKey<DecryptionMaterials>> {
    const rule = this.#ruleFor(request);
    if (rule === undefined) throw new S3EncryptionError("no-matching-key", NO_RULE);
    return await rule.manager.getDecryptionMaterials(request);
  }

  #ruleFor({ bucket, key = "" }: RequestedObject): Rule | undefined {
    return this.#rules.find(
      (rule) => (rule.bucket === undefined || rule.bucket === bucket) && key.startsWith(rule.prefix),
    );
  }
}

const NO_RULE = "No rule gives a wrapping key for this object: add one for its bucket, or for a prefix of its key.";

function ruleOf(options: ObjectRule): Rule {
  assertKnownOptions(options, RULE, "ObjectRule");
  const { bucket, prefix = "", keyring, manager } = options;
  const isText = (value: unknown): boolean => typeof value === "string";
  if (!isText(prefix) || !(bucket === undefined || (isText(bucket) && bucket !== ""))) {
    throw new S3EncryptionError("invalid-argument", "The bucket and the prefix of a rule are texts.");
  }
  if ((keyring === undefined) === (manager === undefined)) {
    throw new S3EncryptionError("invalid-argument", "Give each rule a keyring or a manager, and not both.");
  }
  return { bucket, prefix, manager: manager ?? new DefaultMaterialsManager(keyring as Keyring) };
}

/** Rules for one bucket before those for any; among them, longer prefixes first. */
function byParticularity(one: Rule, other: Rule): number {
  const named = Number(other.bucket !== undefined) - Number(one.bucket !== undefined);
  return named === 0 ? other.prefix.length - one.prefix.length : named;
}

function nameOf({ bucket, prefix }: Rule): string {
  return JSON.stringify([bucket ?? null, prefix]);
}
