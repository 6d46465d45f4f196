import { type ByteRange, type CommitmentPolicy, canSealInParts, ENVELOPE_FIELDS, holdsEnvelope } from "@s3ec/envelope";
import {
  type Inspection,
  type ObjectFormat,
  type ObjectInParts,
  type ObjectToInspect,
  type ObjectToOpen,
  type ObjectToResume,
  type ObjectToSeal,
  type ObjectToSealInParts,
  type OpenedObject,
  type Recognition,
  S3EncryptionError,
  type SealedObject,
  type SiblingRules,
  type WrapRules,
} from "@s3ec/materials";
import { inspectEnvelope } from "./inspect-envelope.js";
import { openAnnotated } from "./open-annotated.js";
import { OpenedContent } from "./opened-content.js";
import { resumeContent } from "./resume-content.js";
import {
  type ResolvedS3FormatOptions,
  resolveS3FormatOptions,
  type S3FormatOptions,
  suiteToWrite,
} from "./s3-format-options.js";
import { sealContent, sealContentInParts } from "./seal-content.js";
import { InstructionFileRules } from "./sibling-rules.js";
import { statedPlaintextLength } from "./stated-length.js";
import { EnvelopeWraps } from "./wrap-rules.js";

/**
 * Objects of the official S3 encryption clients: reads formats V1, V2 and V3, with their wrapped key in the metadata or in an
 * instruction file, and writes V3, or V2 where the commitment policy forbids V3.
 */
export class S3Format implements ObjectFormat {
  readonly name = "s3";
  readonly metadataNames: readonly string[] = ENVELOPE_FIELDS;
  readonly siblings: SiblingRules;
  readonly wraps: WrapRules;
  readonly #options: ResolvedS3FormatOptions;

  /** @throws S3EncryptionError `invalid-configuration` for wrong options, `invalid-argument` for an unknown algorithm */
  constructor(options: S3FormatOptions = {}) {
    this.#options = resolveS3FormatOptions(options);
    this.siblings = new InstructionFileRules(this.#options);
    this.wraps = new EnvelopeWraps(this.#options);
  }

  get provesAll(): boolean {
    return !this.#options.enableLegacyUnauthenticatedModes;
  }

  assertMayWrite(commitmentPolicy: CommitmentPolicy): void {
    suiteToWrite(this.#options, commitmentPolicy);
  }

  recognise(metadata: Readonly<Record<string, string>>): Recognition {
    return holdsEnvelope(metadata) ? "by-metadata" : "by-sibling";
  }

  /** Wide enough for any suite: whole blocks, one block before for CBC, the tag behind (docs/formats.md 1.7). */
  rangeToFetch(range: ByteRange): string {
    assertRangesEnabled(this.#options);
    if ("suffixLength" in range) return `bytes=-${range.suffixLength + 48}`;
    const first = Math.max(0, range.first - (range.first % 16) - 16);
    return range.last === undefined ? `bytes=${first}-` : `bytes=${first}-${range.last + 32}`;
  }

  async open(object: ObjectToOpen): Promise<OpenedObject> {
    if (object.partial === true) assertRangesEnabled(this.#options);
    const content = await openAnnotated(this.#options, object);
    return new OpenedContent(content, object.metadata);
  }

  async seal(object: ObjectToSeal): Promise<SealedObject> {
    return await sealContent(this.#options, object);
  }

  get sealInParts(): ((object: ObjectToSealInParts) => Promise<ObjectInParts>) | undefined {
    return canSealInParts() ? (object) => sealContentInParts(this.#options, object) : undefined;
  }

  get resumeInParts(): ((object: ObjectToResume) => Promise<ObjectInParts>) | undefined {
    return canSealInParts() ? (object) => resumeContent(this.#options, object) : undefined;
  }

  plaintextLength(metadata: Readonly<Record<string, string>>, storedLength: number): number | undefined {
    return statedPlaintextLength(metadata, storedLength);
  }

  async inspect(object: ObjectToInspect): Promise<Inspection> {
    return await inspectEnvelope(object);
  }
}

/** A range of these formats is not authenticated (S12). */
function assertRangesEnabled({ enableLegacyUnauthenticatedModes }: ResolvedS3FormatOptions): void {
  if (enableLegacyUnauthenticatedModes) return;
  throw new S3EncryptionError(
    "legacy-disabled",
    "Nothing proves a range of an object of this format: get the whole object. Enable legacy unauthenticated modes to use Ranged Get all the same: set enableLegacyUnauthenticatedModes to true, which has CBC content read, too, by everything that this client does. Ranges of objects written as messages (@s3ec/format-aws-message) are authenticated.",
  );
}
