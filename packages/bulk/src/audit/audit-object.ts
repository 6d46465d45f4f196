import { HeadObjectCommand, type HeadObjectCommandOutput, type S3Client } from "@aws-sdk/client-s3";
import { annotatedWraps } from "@s3ec/client";
import {
  annotatedFacts,
  type Classification,
  classifyEnvelope,
  completeFromBoth,
  DEFAULT_INSTRUCTION_FILE_SUFFIX,
  DOTNET_V1_SUFFIX,
  type Envelope,
  fileMark,
  holdsEnvelope,
  type InstructionFile,
  MAX_INSTRUCTION_FILE_LENGTH,
  objectMark,
  plaintextLength,
  readWrapBeside,
} from "@s3ec/envelope";
import { type EncryptedDataKey, S3EncryptionError, type WrapAlgorithm, type WrapPlace } from "@s3ec/materials";
import type { KeyQuestion, Need } from "../key-question/key-question.js";
import { listObjects } from "../sources/list-objects.js";
import type { StoredObject } from "../sources/stored-object.js";
import type { AuditedObject, AuditedWrap } from "./audited-object.js";
import { type FileOwner, ownerOf, suffixesOf } from "./file-owner.js";
import { problemOf } from "./problem.js";
import { type Address, type Request, statusOf, storedText } from "./stored-text.js";

/** How each object is looked at. */
export interface Auditing {
  /** One that does not encrypt. */
  readonly client: S3Client;
  readonly Bucket: string;
  readonly keyQuestion: KeyQuestion | undefined;
  readonly wrapAlgorithms: readonly WrapAlgorithm[];
  readonly instructionFileSuffixes: readonly string[];
  /** Whether files beside objects come by themselves, as in a listing, and need not be asked for. */
  readonly areFilesListed: boolean;
  /** What one object has shown of the store counts for all of them. */
  readonly store: { knowsAnnotations: boolean; hidesAnnotations: boolean };
  readonly request: Request;
}

type Found = Omit<AuditedObject, "Key" | "VersionId" | "needsKey">;

/** Files beside one object that are looked at. */
const MAX_FILES = 1000;

/** Looks at what is stored at one key, and never throws. */
export async function auditObject(auditing: Auditing, stored: StoredObject): Promise<AuditedObject> {
  const { Key, VersionId } = stored;
  const named = { Key, ...(VersionId === undefined ? {} : { VersionId }) };
  const found = await new ObjectAudit(auditing, stored).found();
  if (auditing.keyQuestion === undefined) return { ...named, ...found };
  return { ...named, ...found, needsKey: needOf(found) };
}

/** Whatever could not be looked at may need the key. */
function needOf({ state, problem, wraps }: Found): Need {
  const needs = wraps.map(({ needsKey = "unknown" }) => needsKey);
  if (needs.includes("yes")) return "yes";
  const isOpen = problem !== undefined || state === "unknown" || state === "unreadable";
  return isOpen || needs.includes("unknown") ? "unknown" : "no";
}

class ObjectAudit {
  readonly #auditing: Auditing;
  readonly #stored: StoredObject;
  readonly #address: Address;
  readonly #problems: string[] = [];
  /** Of the current version. */
  #etag: string | undefined;

  constructor(auditing: Auditing, stored: StoredObject) {
    const { Key, VersionId } = stored;
    this.#auditing = auditing;
    this.#stored = stored;
    this.#address = { Bucket: auditing.Bucket, Key, ...(VersionId === undefined ? {} : { VersionId }) };
  }

  async found(): Promise<Found> {
    if (this.#stored.isDeleteMarker === true) return { state: "nothing", wraps: [] };
    const { client, request } = this.#auditing;
    let found: Found;
    try {
      const head = await client.send(new HeadObjectCommand(this.#address), request);
      found = await this.#ofObject(head);
    } catch (error) {
      if (statusOf(error) === 404) return { state: "nothing", wraps: [] };
      const isMalformed = error instanceof S3EncryptionError && error.code === "malformed-envelope";
      return { state: isMalformed ? "unreadable" : "unknown", problem: problemOf(error, "It"), wraps: [] };
    }
    const problem = [...(found.problem === undefined ? [] : [found.problem]), ...this.#problems].join(" ");
    return { ...found, ...(problem === "" ? {} : { problem }) };
  }

  async #ofObject(head: HeadObjectCommandOutput): Promise<Found> {
    const { Metadata: metadata = {}, ContentLength: storedLength = 0 } = head;
    const { wrapAlgorithms } = this.#auditing;
    this.#etag = this.#stored.isLatest === false ? undefined : head.ETag;
    const isEncrypted = holdsEnvelope(metadata);
    if (!isEncrypted) {
      const file = await this.#asFile(head, storedLength);
      if (file !== undefined) return file;
    }
    const classified = classifyEnvelope(metadata, { wrapAlgorithms });
    if (classified.placement === "metadata") {
      return await this.#encrypted(classified.envelope, storedLength, { in: "metadata" });
    }
    return (await this.#byFile(classified, metadata, storedLength)) ?? this.#withoutWrap(metadata, storedLength);
  }

  async #encrypted(
    envelope: Pick<Envelope, "format" | "suite" | "encryptedDataKey" | "statedPlaintextLength">,
    storedLength: number,
    place: WrapPlace,
  ): Promise<Found> {
    const { format, suite, encryptedDataKey, statedPlaintextLength } = envelope;
    const own = await this.#wrap(encryptedDataKey, place);
    const known = place.in === "instruction-file" ? { known: place.suffix } : {};
    return {
      state: "encrypted",
      format,
      suite: suite.name,
      isAuthenticated: suite.cipher !== "cbc",
      isCommitting: suite.committing,
      storedLength,
      contentLength: plaintextLength(suite, storedLength) ?? statedPlaintextLength ?? null,
      wraps: [own, ...(await this.#annotated()), ...(await this.#beside(known))],
    };
  }

  /** What stands in no metadata may stand in a file that every reader looks for, or in one that a listing shows. */
  async #byFile(
    { complete }: Extract<Classification, { readonly placement: "instruction-file" }>,
    metadata: Readonly<Record<string, string>>,
    storedLength: number,
  ): Promise<Found | undefined> {
    // A file beside it now is of the current object.
    if (this.#stored.isLatest === false) return undefined;
    const isMarked = holdsEnvelope(metadata);
    const files: InstructionFile[] = [];
    const known = [...this.#auditing.instructionFileSuffixes, DEFAULT_INSTRUCTION_FILE_SUFFIX, DOTNET_V1_SUFFIX];
    for (const suffix of new Set(known)) {
      if (files.length > 0 && (isMarked || suffix !== DOTNET_V1_SUFFIX)) continue;
      const text = await this.#text(suffix);
      if (text !== undefined) files.push({ suffix, text });
    }
    const [file, other] = files;
    if (file === undefined) return undefined;
    const envelope = other === undefined ? complete(file) : completeFromBoth(complete, [file, other]);
    return await this.#encrypted(envelope, storedLength, { in: "instruction-file", suffix: file.suffix });
  }

  async #text(suffix: string): Promise<string | undefined> {
    const { Bucket, Key } = this.#address;
    return await storedText(this.#auditing.client, { Bucket, Key: `${Key}${suffix}` }, this.#auditing.request);
  }

  async #withoutWrap(metadata: Readonly<Record<string, string>>, storedLength: number): Promise<Found> {
    // What lies in files alone leaves a mark on the object, where we have written it.
    const isEncrypted = holdsEnvelope(metadata) || objectMark(metadata) !== undefined;
    const beside = await this.#beside({ isNeeded: isEncrypted });
    // Nor does an object say anything of itself whose envelope is in a file with a suffix of its writer's own.
    const annotated = isEncrypted || this.#auditing.keyQuestion !== undefined ? await this.#annotated() : [];
    const wraps = [...beside, ...annotated];
    if (!isEncrypted) return { state: "plain", storedLength, wraps };
    if (wraps.length === 0) return { state: "unreadable", storedLength, problem: NO_WRAP, wraps };
    if (!holdsEnvelope(metadata)) return { state: "encrypted", format: "V2", storedLength, wraps };
    return { state: "encrypted", format: "V3", ...COMMITTED, storedLength, contentLength: storedLength - 16, wraps };
  }

  /** Wraps in annotations; that they may not be listed is a problem, since there may be one. */
  async #annotated(): Promise<AuditedWrap[]> {
    const { client, request, wrapAlgorithms } = this.#auditing;
    try {
      const annotated = await annotatedWraps(client, { ...this.#address, ETag: this.#etag, ...request });
      const { store } = this.#auditing;
      if (annotated.state === "listed") store.knowsAnnotations = true;
      if (annotated.state === "unknown") this.#problems.push(NO_ANNOTATIONS);
      if (annotated.state === "none") store.hidesAnnotations = true;
      // A store that knows them has not shown those of this object.
      if (annotated.state === "none" && store.knowsAnnotations) this.#problems.push(ANNOTATIONS_NOT_SHOWN);
      const wraps: AuditedWrap[] = [];
      for (const { recipient, name, text } of annotated.state === "listed" ? annotated.wraps : []) {
        const { encryptedDataKey } = readWrapBeside({ text, suffix: `.${recipient}` }, { wrapAlgorithms });
        wraps.push(
          await this.#wrap(encryptedDataKey, { in: "annotation", name }, recipient, annotatedFacts(text).kmsKey),
        );
      }
      return wraps;
    } catch (error) {
      this.#problems.push(`Of its annotations: ${problemOf(error, "They")}`);
      return [];
    }
  }

  /** Wraps in files beside it, where no listing shows them anyway, or the object is not readable without (`isNeeded`). */
  async #beside({ isNeeded = false, known }: { isNeeded?: boolean; known?: string } = {}): Promise<AuditedWrap[]> {
    if ((this.#auditing.areFilesListed && !isNeeded) || this.#stored.isLatest === false) return [];
    const { Bucket, Key } = this.#address;
    const { client, request, wrapAlgorithms } = this.#auditing;
    const wraps: AuditedWrap[] = [];
    try {
      let count = 0;
      for await (const { Key: file, Size = 0 } of listObjects(client, { Bucket, Prefix: `${Key}.`, ...request })) {
        const suffix = file.slice(Key.length);
        if (count++ === MAX_FILES) {
          this.#problems.push(`More than ${MAX_FILES} keys begin with its own and a dot: not all were looked at.`);
          break;
        }
        if (suffix === known || Size === 0 || Size > MAX_INSTRUCTION_FILE_LENGTH) continue;
        const text = await this.#text(suffix);
        const wrap = text === undefined ? undefined : wrapIn({ text, suffix }, wrapAlgorithms);
        if (wrap === "malformed")
          this.#problems.push(`The file ${JSON.stringify(suffix)} beside it: ${MALFORMED_FILE}`);
        else if (wrap !== undefined)
          wraps.push(await this.#wrap(wrap, { in: "instruction-file", suffix }, suffix.slice(1)));
      }
    } catch (error) {
      this.#problems.push(`Of the files beside it: ${problemOf(error, "They")}`);
    }
    return wraps;
  }

  /** Many writers mark no file as one, so that what is short and has no envelope is looked at. */
  async #asFile(
    { Metadata: metadata = {} }: HeadObjectCommandOutput,
    storedLength: number,
  ): Promise<Found | undefined> {
    const { client, request, wrapAlgorithms, instructionFileSuffixes } = this.#auditing;
    if (storedLength === 0 || storedLength > MAX_INSTRUCTION_FILE_LENGTH) return undefined;
    const text = await storedText(client, this.#address, request);
    const suffixes = suffixesOf(this.#address.Key, instructionFileSuffixes);
    const suffix = suffixes[0] ?? "";
    const encryptedDataKey = text === undefined ? undefined : wrapIn({ text, suffix }, wrapAlgorithms);
    if (encryptedDataKey === "malformed")
      return { state: "unreadable", storedLength, problem: MALFORMED_FILE, wraps: [] };
    if (encryptedDataKey === undefined) {
      const isMarked = Object.keys(metadata).some((name) => name.toLowerCase() === "x-amz-crypto-instr-file");
      return isMarked ? { state: "unreadable", storedLength, problem: MALFORMED_FILE, wraps: [] } : undefined;
    }
    const owner = await this.#owner();
    const place = { in: "instruction-file", suffix: owner?.suffix ?? suffix } as const;
    const wraps = [await this.#wrap(encryptedDataKey, place, place.suffix.replace(/^\./, ""))];
    if (owner === null) return { state: "instruction-file", storedLength, wraps };
    if (owner === undefined) return { state: "orphaned-file", storedLength, wraps };
    const [mark, ownersMark] = [fileMark(metadata), objectMark(owner.head.Metadata ?? {})];
    const isOfAnother = mark !== undefined && mark !== ownersMark;
    return { state: "instruction-file", storedLength, owner: owner.key, isOfAnother, wraps };
  }

  /** Null where it cannot be told: an older version of a file is of an older version of its object. */
  async #owner(): Promise<FileOwner | undefined | null> {
    if (this.#stored.isLatest === false) return null;
    const { client, request, instructionFileSuffixes } = this.#auditing;
    try {
      return await ownerOf(client, this.#address, instructionFileSuffixes, request);
    } catch (error) {
      this.#problems.push(`Of the object that it is a file of: ${problemOf(error, "It")}`);
      return null;
    }
  }

  async #wrap(
    encryptedDataKey: EncryptedDataKey,
    place: WrapPlace,
    recipient?: string,
    wrappingKey?: string,
  ): Promise<AuditedWrap> {
    const { wrapAlgorithm, description } = encryptedDataKey;
    const { keyQuestion } = this.#auditing;
    const needsKey = await keyQuestion?.needs(encryptedDataKey, wrappingKey).catch((): Need => "unknown");
    return {
      place,
      ...(recipient === undefined ? {} : { recipient }),
      wrapAlgorithm: wrapAlgorithm.name,
      keyKind: wrapAlgorithm.keyKind,
      isLegacy: wrapAlgorithm.legacy,
      description,
      ...(wrappingKey === undefined ? {} : { wrappingKey }),
      ...(needsKey === undefined ? {} : { needsKey }),
    };
  }
}

/** All content whose wrapped key is not with it, and that says so, is of V3. */
const COMMITTED = {
  suite: "ALG_AES_256_GCM_HKDF_SHA512_COMMIT_KEY",
  isAuthenticated: true,
  isCommitting: true,
} as const;

const NO_WRAP =
  "Its wrapped key was not found: it is in none of its annotations, and in no file whose key begins with its own and a dot.";
const MALFORMED_FILE =
  "It says that it holds a wrapped key, and holds none that is known: it is altered, or of a keyring of somebody's own.";
const ANNOTATIONS_NOT_SHOWN =
  "The store shows other objects' annotations, and not its own: there may be wrapped keys in them.";
const NO_ANNOTATIONS =
  "Its annotations may not be listed (s3:ListObjectAnnotations): there may be wrapped keys in them.";

/** What says that it holds a wrapped key, and does not hold one that is known, may be of a keyring of somebody's own. */
function wrapIn(
  file: InstructionFile,
  wrapAlgorithms: readonly WrapAlgorithm[],
): EncryptedDataKey | "malformed" | undefined {
  try {
    return readWrapBeside(file, { wrapAlgorithms }).encryptedDataKey;
  } catch {
    return NAMES_A_KEY.test(file.text) ? "malformed" : undefined;
  }
}

const NAMES_A_KEY = /^\s*\{[\s\S]*"(?:x-amz-key|x-amz-key-v2|x-amz-3|EncryptedEnvelopeKey)"\s*:/;
