import { HeadObjectCommand, type HeadObjectCommandOutput, NoSuchBucket } from "@aws-sdk/client-s3";
import { httpStatusOf } from "@s3ec/client";
import {
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
} from "@s3ec/envelope";
import { S3EncryptionError, type WrapPlace } from "@s3ec/materials";
import type { Need } from "../key-question/key-question.js";
import { requireBucket } from "../sources/require-bucket.js";
import type { StoredObject } from "../sources/stored-object.js";
import { objectReadable } from "./audit-reader.js";
import type { Auditing, AuditTarget } from "./audit-target.js";
import type { AuditedObject, AuditState } from "./audited-object.js";
import { type FileOwner, ownerOf, suffixesOf } from "./file-owner.js";
import { annotatedWrapsOf, wrapsBeside } from "./further-wraps.js";
import { MESSAGE_START_LENGTH, startsLikeMessage } from "./message-start.js";
import { problemOf } from "./problem.js";
import { type Address, storedBytes, storedText } from "./stored-text.js";
import { auditedWrap, MALFORMED_FILE, wrapIn } from "./wrap-found.js";

type Found = Omit<AuditedObject, "Key" | "VersionId" | "needsKey" | "needsKeys" | "readable" | "whyNot">;

/** Looks at what is stored at one key. Throws nothing but that there is no such bucket. */
export async function auditObject(auditing: Auditing, stored: StoredObject): Promise<AuditedObject> {
  const { Key, VersionId } = stored;
  const named = { Key, ...(VersionId === undefined ? {} : { VersionId }) };
  const { keyQuestion, keyQuestions, reader } = auditing;
  const { found, mayHaveMore } = await new ObjectAudit(auditing, stored).found();
  const needsKeys = Object.keys(keyQuestions ?? {}).map((name) => [name, needOf(found, name)] as const);
  return {
    ...named,
    ...found,
    ...(keyQuestion === undefined ? {} : { needsKey: needOf(found) }),
    ...(keyQuestions === undefined ? {} : { needsKeys: Object.fromEntries(needsKeys) }),
    ...(reader === undefined ? {} : objectReadable(reader, found, mayHaveMore)),
  };
}

/** Whatever could not be looked at may need the key: the one, or that of a name. */
function needOf({ state, problem, wraps }: Found, name?: string): Need {
  const needs = wraps.map((wrap) => (name === undefined ? wrap.needsKey : wrap.needsKeys?.[name]) ?? "unknown");
  if (needs.includes("yes")) return "yes";
  const isOpen = problem !== undefined || MAY_NEED_ANY.has(state);
  return isOpen || needs.includes("unknown") ? "unknown" : "no";
}

/** A message's keys are in its head, which no audit reads. */
const MAY_NEED_ANY: ReadonlySet<AuditState> = new Set(["message", "unknown", "unreadable"]);

class ObjectAudit {
  readonly #auditing: Auditing;
  readonly #stored: StoredObject;
  readonly #address: Address;
  readonly #target: AuditTarget;
  readonly #problems: string[] = [];
  /** Of the current version. */
  #etag: string | undefined;
  /** What it begins with, or all of it, where that was read. */
  #start: Uint8Array | undefined;

  constructor(auditing: Auditing, stored: StoredObject) {
    const { Key, VersionId } = stored;
    this.#auditing = auditing;
    this.#stored = stored;
    this.#address = { Bucket: auditing.Bucket, Key, ...(VersionId === undefined ? {} : { VersionId }) };
    this.#target = { auditing, stored, address: this.#address, problems: this.#problems };
  }

  /** What there is, and whether it may have wraps that were not looked at. */
  async found(): Promise<{ readonly found: Found; readonly mayHaveMore: boolean }> {
    const found = await this.#found();
    const problem = [...(found.problem === undefined ? [] : [found.problem]), ...this.#problems].join(" ");
    // A file beside it now is of the current object.
    const mayHaveMore = this.#problems.length > 0 || this.#stored.isLatest === false;
    return { found: { ...found, ...(problem === "" ? {} : { problem }) }, mayHaveMore };
  }

  async #found(): Promise<Found> {
    if (this.#stored.isDeleteMarker === true) return { state: "nothing", wraps: [] };
    const { client, request } = this.#auditing;
    try {
      const head = await client.send(new HeadObjectCommand(this.#address), request);
      return await this.#ofObject(head);
    } catch (error) {
      if (httpStatusOf(error) === 404) return await this.#nothing();
      const isMalformed = error instanceof S3EncryptionError && error.code === "malformed-envelope";
      return { state: isMalformed ? "unreadable" : "unknown", problem: problemOf(error, "It"), wraps: [] };
    }
  }

  async #nothing(): Promise<Found> {
    const { client, Bucket, request } = this.#auditing;
    try {
      await requireBucket(client, Bucket, request);
      return { state: "nothing", wraps: [] };
    } catch (error) {
      if (error instanceof NoSuchBucket) throw error;
      return { state: "unknown", problem: problemOf(error, "Its bucket"), wraps: [] };
    }
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
    const own = await auditedWrap(this.#auditing, encryptedDataKey, { place });
    // A listing shows files, and not whose they are: a reader who does not open its own wrap may open one of them.
    const isNeeded = own.readable === "no";
    const known = place.in === "instruction-file" ? { known: place.suffix, isNeeded } : { isNeeded };
    return {
      state: "encrypted",
      format,
      suite: suite.name,
      isAuthenticated: suite.cipher !== "cbc",
      isCommitting: suite.committing,
      storedLength,
      contentLength: plaintextLength(suite, storedLength) ?? statedPlaintextLength ?? null,
      wraps: [own, ...(await annotatedWrapsOf(this.#target, this.#etag)), ...(await wrapsBeside(this.#target, known))],
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
    const beside = await wrapsBeside(this.#target, { isNeeded: isEncrypted });
    // Nor does an object say anything of itself whose envelope is in a file with a suffix of its writer's own.
    const isLookedFor = isEncrypted || this.#auditing.isAsked;
    const annotated = isLookedFor ? await annotatedWrapsOf(this.#target, this.#etag) : [];
    const wraps = [...beside, ...annotated];
    if (!isEncrypted) {
      return { state: (await this.#isMessage(storedLength)) ? "message" : "plain", storedLength, wraps };
    }
    if (wraps.length === 0) return { state: "unreadable", storedLength, problem: NO_WRAP, wraps };
    if (!holdsEnvelope(metadata)) return { state: "encrypted", format: "V2", storedLength, wraps };
    return { state: "encrypted", format: "V3", ...COMMITTED, storedLength, contentLength: storedLength - 16, wraps };
  }

  /** Nothing but its first bytes tells a message, which a plain object may begin with, too. */
  async #isMessage(storedLength: number): Promise<boolean> {
    const { client, request, looksForMessages } = this.#auditing;
    if (this.#start === undefined && looksForMessages && storedLength > 0) {
      this.#start = await storedBytes(client, this.#address, MESSAGE_START_LENGTH, request);
    }
    return this.#start !== undefined && startsLikeMessage(this.#start);
  }

  /** Many writers mark no file as one, so that what is short and has no envelope is looked at. */
  async #asFile(
    { Metadata: metadata = {} }: HeadObjectCommandOutput,
    storedLength: number,
  ): Promise<Found | undefined> {
    const { client, request, wrapAlgorithms, instructionFileSuffixes } = this.#auditing;
    if (storedLength === 0 || storedLength > MAX_INSTRUCTION_FILE_LENGTH) return undefined;
    this.#start = await storedBytes(client, this.#address, MAX_INSTRUCTION_FILE_LENGTH + 1, request);
    const text = this.#start === undefined ? undefined : Buffer.from(this.#start).toString("utf8");
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
    const recipient = place.suffix.replace(/^\./, "");
    const wraps = [await auditedWrap(this.#auditing, encryptedDataKey, { place, recipient })];
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
}

/** All content whose wrapped key is not with it, and that says so, is of V3. */
const COMMITTED = {
  suite: "ALG_AES_256_GCM_HKDF_SHA512_COMMIT_KEY",
  isAuthenticated: true,
  isCommitting: true,
} as const;

const NO_WRAP =
  "Its wrapped key was not found: it is in none of its annotations, and in no file whose key begins with its own and a dot.";
