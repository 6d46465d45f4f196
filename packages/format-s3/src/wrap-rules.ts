import type { KeyObject } from "node:crypto";
import {
  ANNOTATION_PREFIX,
  assertMayDecrypt,
  type ContentHeader,
  classifyEnvelope,
  DESCRIBING_ANNOTATION,
  DOTNET_V1_SUFFIX,
  describingText,
  EMPTY_STRING_MAP,
  type EncryptedDataKey,
  type Envelope,
  holdsEnvelope,
  type InstructionFile,
  instructionFileSuffix,
  malformedEnvelope,
  newFile,
  objectMark,
  recipientOfAnnotation,
  replaceInMetadata,
  wrapBeside,
  wrapInAnnotation,
} from "@s3ec/envelope";
import {
  type HeldDataKey,
  type LaidOutObject,
  type LaidOutWrap,
  type ObjectRequest,
  type ObjectWithWrap,
  reencrypted,
  S3EncryptionError,
  type StoredWrap,
  UnopenedWrapError,
  type WrapPlace,
  type WrapRequest,
  type WrapRules,
} from "@s3ec/materials";
import { unwrapEnvelope } from "./open-content.js";
import { OpenedContent } from "./opened-content.js";
import type { ResolvedS3FormatOptions } from "./s3-format-options.js";
import { laidOut } from "./seal-content.js";

/** How objects of the S3 encryption clients get another wrapped key: IV, message id and commitment stay. */
export class EnvelopeWraps implements WrapRules {
  readonly annotationPrefix: string = ANNOTATION_PREFIX;
  readonly #options: ResolvedS3FormatOptions;

  constructor(options: ResolvedS3FormatOptions) {
    this.#options = options;
  }

  find({ metadata, place, text, request }: ObjectWithWrap): StoredWrap {
    const { materialsManager, commitmentPolicy } = request;
    const { wrapAlgorithms } = materialsManager;
    // An annotation may take the place of the wrapped key, never of what holds that to the content (S19).
    if (place.in === "annotation" && !holdsEnvelope(metadata)) {
      throw malformedEnvelope(
        "Annotations hold wrapped keys of objects whose own metadata says how they are encrypted.",
      );
    }
    const file = place.in === "metadata" ? undefined : { text: text ?? "", suffix: suffixOf(place) };
    const classified = classifyEnvelope(metadata, { wrapAlgorithms, preferInstructionFile: file !== undefined });
    if (classified.placement === "instruction-file" && file === undefined) {
      throw new S3EncryptionError("not-encrypted", "The object's metadata holds no wrapped key.");
    }
    const envelope = classified.placement === "metadata" ? classified.envelope : classified.complete(file ?? NO_FILE);
    assertMayDecrypt(envelope, { ...this.#options, commitmentPolicy }, wrapAlgorithms);
    const { suite, algorithmBinding, encryptedDataKey } = envelope;
    if (place.in === "annotation" && suite.cipher === "cbc") throw noRecipientOfCbc();
    return Object.freeze({ place, suite, algorithmBinding, encryptedDataKey, envelope, metadata, file });
  }

  assertMayHold(stored: StoredWrap, { isFurther, place }: Pick<WrapRequest, "isFurther" | "place">): void {
    if (isFurther) this.#assertFurther(found(stored), place);
    if (place.in !== "instruction-file" || place.suffix !== DOTNET_V1_SUFFIX) return;
    throw new S3EncryptionError(
      "unsupported-operation",
      "The instruction file of .NET's first client cannot say how its key is wrapped: write the object anew (migrateObject).",
    );
  }

  async unwrap(stored: StoredWrap, request: ObjectRequest): Promise<HeldDataKey> {
    const { envelope, metadata } = found(stored);
    const { dataKey, content } = await unwrapEnvelope(this.#options, request, envelope);
    // Which the opening of V3 compared, and nothing else does (S5).
    return { stored, dataKey, isProven: envelope.format === "V3", opened: new OpenedContent(content, metadata) };
  }

  async wrap(held: HeldDataKey, request: WrapRequest): Promise<LaidOutWrap> {
    const stored = found(held.stored);
    this.assertMayHold(stored, request);
    const encryptedDataKey = await wrapped(stored, held.dataKey, request);
    if (!request.isTrusted) await assertOpens(stored, held.dataKey, encryptedDataKey, request);
    return this.#laidOut(stored, encryptedDataKey, request.place);
  }

  async wrapAnew(held: HeldDataKey, request: ObjectRequest): Promise<LaidOutObject> {
    const stored = found(held.stored);
    if (!held.isProven) {
      throw new S3EncryptionError(
        "unsupported-operation",
        "Nothing has proven that the wrapped key is the object's own, so that it is wrapped for no other readers: read the object and put it.",
      );
    }
    const keys = await wrappedKeys(stored, held.dataKey, request);
    const own = keys.find((key) => key.instructionFileSuffix === undefined) ?? keys[0];
    if (own === undefined) throw invalid("The new keyring gave no encrypted data key.");
    await assertOpens(stored, held.dataKey, own, request);
    return laidOut(this.#options, headerOf(stored.envelope), keys, undefined);
  }

  async reencrypt(
    stored: StoredWrap,
    from: ObjectRequest,
    to: WrapRequest,
  ): Promise<(LaidOutWrap & { readonly isSameKey: boolean }) | undefined> {
    const standing = found(stored);
    // What a raw key has wrapped, no key store opens.
    if (standing.encryptedDataKey.wrapAlgorithm.keyKind !== "kms") return undefined;
    this.assertMayHold(standing, to);
    const { suite, algorithmBinding, encryptedDataKey } = standing;
    const shared = { suite, algorithmBinding, bucket: from.bucket, key: from.key };
    const reading = { ...shared, commitmentPolicy: from.commitmentPolicy, encryptionContext: from.encryptionContext };
    const writing = { ...shared, commitmentPolicy: to.commitmentPolicy, encryptionContext: to.encryptionContext };
    const done = await reencrypted(
      from.materialsManager.keyringFor?.({ ...reading, encryptedDataKeys: [encryptedDataKey] }),
      to.materialsManager.keyringFor?.(writing),
      {
        encryptedDataKey,
        reading: Object.freeze({ suite, algorithmBinding, encryptionContext: from.encryptionContext }),
        writing: Object.freeze({
          suite,
          algorithmBinding,
          encryptionContext: to.encryptionContext,
          encryptedDataKeys: Object.freeze([]),
        }),
      },
      to.place.in === "metadata" ? undefined : suffixOf(to.place),
    );
    if (done === undefined) return undefined;
    return { ...this.#laidOut(standing, done.encryptedDataKey, to.place), isSameKey: done.isSameKey };
  }

  #laidOut(stored: FoundWrap, encryptedDataKey: EncryptedDataKey, place: WrapPlace): LaidOutWrap {
    const laid = laidOutAt(stored, encryptedDataKey, place);
    if (place.in !== "metadata" || !this.#options.describeInAnnotation) return laid;
    // An object of V1 has an envelope of V2 then.
    const format = stored.envelope.format === "V3" ? "V3" : "V2";
    return { ...laid, describes: { name: DESCRIBING_ANNOTATION, text: describingText(format, encryptedDataKey) } };
  }

  /** Whoever writes an object without key commitment can give each of its readers another content (S19). */
  #assertFurther({ envelope, metadata }: FoundWrap, place: WrapPlace): void {
    if (place.in === "annotation" && !holdsEnvelope(metadata)) {
      throw new S3EncryptionError(
        "unsupported-operation",
        'No reader takes an annotation of an object whose own metadata does not say how it is encrypted: put the recipient in a file (in: "instruction-file").',
      );
    }
    if (envelope.suite.committing) return;
    if (envelope.suite.cipher === "cbc") throw noRecipientOfCbc();
    if (this.#options.enableUncommittedChildren) return;
    throw new S3EncryptionError(
      "unsupported-operation",
      "Format V2 does not commit to its key, so that it gets no further recipient: write the object anew (migrateObject), or set enableUncommittedChildren.",
    );
  }
}

function noRecipientOfCbc(): S3EncryptionError {
  return new S3EncryptionError(
    "unsupported-operation",
    "Nothing holds CBC content to its key, so that it has no further recipients: write the object anew (migrateObject).",
  );
}

/** What `find` gives: the envelope, and what it was read from. */
interface FoundWrap extends StoredWrap {
  readonly envelope: Envelope;
  /** The object's. */
  readonly metadata: Readonly<Record<string, string>>;
  /** Absent where the wrap is in the metadata. */
  readonly file: InstructionFile | undefined;
}

/** What a put of the same content would store of it: format V1 is written by nobody here. */
function headerOf(envelope: Envelope): ContentHeader {
  return envelope.format === "V3" ? envelope : { format: "V2", iv: envelope.iv };
}

function found(stored: StoredWrap): FoundWrap {
  if ("envelope" in stored && "metadata" in stored) return stored as FoundWrap;
  throw new S3EncryptionError("invalid-argument", "This stored wrap was not found by the format that is asked.");
}

const NO_FILE: InstructionFile = { text: "", suffix: "" };

/** What a keyring calls the place by. */
function suffixOf(place: WrapPlace): string {
  if (place.in === "instruction-file") return place.suffix;
  if (place.in === "metadata") return "";
  return `.${recipientOfAnnotation(place.name) ?? ""}`;
}

async function wrapped(stored: FoundWrap, dataKey: KeyObject, request: WrapRequest): Promise<EncryptedDataKey> {
  const chosen = chosenFor(request.place, await materialsFor(stored, dataKey, request));
  if (chosen.wrapAlgorithm.legacy) throw readOnly(chosen);
  return chosen;
}

/** All that the manager makes. */
async function wrappedKeys(
  stored: FoundWrap,
  dataKey: KeyObject,
  request: ObjectRequest,
): Promise<readonly EncryptedDataKey[]> {
  const keys = await materialsFor(stored, dataKey, request);
  const legacy = keys.find(({ wrapAlgorithm }) => wrapAlgorithm.legacy);
  if (legacy !== undefined) throw readOnly(legacy);
  return keys;
}

function readOnly({ wrapAlgorithm }: EncryptedDataKey): S3EncryptionError {
  return invalid(`The wrap ${wrapAlgorithm.name} can be read but never written.`);
}

async function materialsFor(
  { suite, algorithmBinding }: FoundWrap,
  dataKey: KeyObject,
  request: ObjectRequest,
): Promise<readonly EncryptedDataKey[]> {
  const { materialsManager, encryptionContext, materialDescription, bucket, key } = request;
  const materials = await materialsManager.getEncryptionMaterials({
    suite,
    algorithmBinding,
    commitmentPolicy: request.commitmentPolicy,
    encryptionContext,
    bucket,
    key,
    ...(materialDescription === undefined ? {} : { materialDescription }),
    dataKey,
  });
  if (!materials.dataKey.equals(dataKey)) {
    throw invalid(
      "The new keyring wrapped a data key of its own instead of the object's: its manager must wrap the dataKey of the request.",
    );
  }
  return materials.encryptedDataKeys;
}

/** A hierarchy wraps for all of its places; the object's other wraps stay as they are. */
function chosenFor(place: WrapPlace, keys: readonly EncryptedDataKey[]): EncryptedDataKey {
  const [first, ...others] = keys;
  if (first === undefined) throw invalid("The new keyring gave no encrypted data key.");
  if (others.length === 0) return first;
  const suffix = suffixOf(place);
  const named = keys.filter(
    ({ instructionFileSuffix: own }) => own !== undefined && instructionFileSuffix(own) === suffix,
  );
  const fitting = named.length > 0 ? named : keys.filter((each) => each.instructionFileSuffix === undefined);
  const [chosen, second] = fitting;
  if (chosen !== undefined && second === undefined) return chosen;
  throw invalid(
    "The new keyring wraps the data key more than once for the place that is to be written: pass the one keyring that is meant.",
  );
}

/** By the manager that wrapped it, before the old wrap is gone. */
async function assertOpens(
  { suite, algorithmBinding }: FoundWrap,
  dataKey: KeyObject,
  encryptedDataKey: EncryptedDataKey,
  request: ObjectRequest,
): Promise<void> {
  const { materialsManager, commitmentPolicy, encryptionContext, bucket, key } = request;
  const isBound = encryptedDataKey.wrapAlgorithm.describedBy === "encryption-context";
  let opened: KeyObject;
  try {
    const materials = await materialsManager.getDecryptionMaterials({
      suite,
      algorithmBinding,
      commitmentPolicy,
      encryptionContext: isBound ? encryptionContext : EMPTY_STRING_MAP,
      bucket,
      key,
      encryptedDataKeys: [encryptedDataKey],
    });
    opened = materials.dataKey;
  } catch (error) {
    throw notOpened(error);
  }
  if (!opened.equals(dataKey)) throw notOpened(undefined);
}

function notOpened(error: unknown): unknown {
  return error === undefined || error instanceof S3EncryptionError ? new UnopenedWrapError(error) : error;
}

function laidOutAt(
  { envelope, metadata, file }: FoundWrap,
  encryptedDataKey: EncryptedDataKey,
  place: WrapPlace,
): LaidOutWrap {
  if (place.in === "metadata")
    return { place, encryptedDataKey, ...replaceInMetadata(envelope, encryptedDataKey, metadata) };
  return {
    place,
    encryptedDataKey,
    metadata: place.in === "annotation" ? {} : newFile(objectMark(metadata)),
    replaces: [],
    text:
      place.in === "annotation"
        ? wrapInAnnotation(envelope, encryptedDataKey)
        : wrapBeside(envelope, encryptedDataKey, file),
  };
}

function invalid(message: string): S3EncryptionError {
  return new S3EncryptionError("invalid-configuration", message);
}
