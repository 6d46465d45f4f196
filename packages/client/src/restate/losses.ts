import { S3EncryptionError } from "@s3ec/materials";

/**
 * What of an object may get lost when it is copied, only where the caller allows it by name:
 *
 * - `acl`: its access control list may not be read.
 * - `annotations`: what is annotated to it may not be read, or is too much to be carried over.
 * - `expires`, `metadata`: said in a form that no request can repeat.
 * - `generator`: whoever the wrapped key in its metadata or instruction file is for, where it was read by another key beside it, and neither the old
 *   keyring nor the new one opens that.
 * - `kms-context`: an encryption context for SSE-KMS of its own, which S3 tells nobody. Naming it says that there is none.
 * - `lock`: retention and legal hold may not be read.
 * - `missing-metadata`: metadata that S3 has and cannot give out in headers (`MissingMeta`).
 * - `recipients`: whether other keys than the new ones open it, by files beside it or annotations, may not be listed.
 * - `tags`: its tags may not be read.
 */
export type Loss =
  | "acl"
  | "annotations"
  | "expires"
  | "generator"
  | "kms-context"
  | "lock"
  | "metadata"
  | "missing-metadata"
  | "recipients"
  | "tags";

const LOSSES: Readonly<Record<Loss, true>> = {
  acl: true,
  annotations: true,
  expires: true,
  generator: true,
  "kms-context": true,
  lock: true,
  metadata: true,
  "missing-metadata": true,
  recipients: true,
  tags: true,
};

const byName = (loss: Loss): string => `To go on all the same, allow it by name: allowLoss: ["${loss}"].`;

const ANEW = 'Say its metadata and headers anew: MetadataDirective: "REPLACE".';
const OF_COPY: Partial<Readonly<Record<Loss, string>>> = {
  annotations: 'To go on without them: AnnotationDirective: "EXCLUDE".',
  expires: ANEW,
  metadata: ANEW,
  "missing-metadata": ANEW,
  tags: 'Say its tags anew: TaggingDirective: "REPLACE".',
};

/** What a caller allows to get lost, and what of that did. */
export class AllowedLosses {
  readonly #allowed: ReadonlySet<string>;
  readonly #advice: (loss: Loss) => string;
  readonly #lost = new Set<Loss>();

  /** Throws `invalid-argument` for what is no list of names, or has another one in it. */
  constructor(allowed: readonly Loss[] = [], advice: (loss: Loss) => string = byName) {
    const isList = Array.isArray(allowed) && allowed.every((name) => Object.hasOwn(LOSSES, name));
    if (!isList) {
      const names = Object.keys(LOSSES).map((name) => `"${name}"`);
      throw new S3EncryptionError("invalid-argument", `allowLoss must be a list of any of ${names.join(", ")}.`);
    }
    this.#allowed = new Set(allowed);
    this.#advice = advice;
  }

  /** None: a copy is told otherwise what it is to do without. */
  static ofCopy(): AllowedLosses {
    return new AllowedLosses([], (loss) => OF_COPY[loss] ?? "Read the object, and put it there.");
  }

  /** By name, in the order in which they were found. */
  get lost(): readonly Loss[] {
    return [...this.#lost];
  }

  /**
   * Something would be lost. Throws `unsupported-operation` where that is not allowed: nothing was written yet.
   *
   * @param what a sentence about the object
   */
  accept(loss: Loss, what: string): void {
    if (!this.#allowed.has(loss)) {
      throw new S3EncryptionError("unsupported-operation", `${what} Nothing was written. ${this.#advice(loss)}`);
    }
    this.#lost.add(loss);
  }
}
