import { HeadObjectCommand, type S3Client } from "@aws-sdk/client-s3";
import type { WrapPlace } from "@s3ec/materials";
import { lookingStore } from "../commands/looking-store.js";
import { siblingRules } from "../files-beside.js";
import { encryptionOf, plainClientOf } from "../plain-client.js";
import { BesideObject } from "../read/beside-object.js";
import { annotatedWraps } from "./annotated-wraps.js";
import { checkRecipients, RECIPIENTS, type RecipientsOptions } from "./recipient-options.js";

/** A wrapped key beside an object, as it says of itself. */
export interface Recipient {
  /** Its name: the suffix of a file without its dot. */
  readonly recipient: string;
  /** Where it stands. */
  readonly place: WrapPlace;
  /**
   * `of this object`: S3 keeps it with the object, or the file's mark says so, and what it says of the content agrees.
   * `of another object`: its mark is another's, or it does not agree. `unproven`: nothing speaks against it. None of it is
   * authenticated: only the recipient's key can tell.
   */
  readonly state: "of this object" | "of another object" | "unproven";
  /** Its text: wrap, description, and what an audit asks for. */
  readonly text: string;
}

/** Who can read an object, beside the key whose wrap is in its metadata. */
export interface ListedRecipients {
  /** Whether the object's own metadata holds a wrapped key. */
  readonly hasOwnWrap: boolean;
  /** Annotations, then files. */
  readonly recipients: readonly Recipient[];
  /** Places that may not be listed: there may be more. */
  readonly unknown: readonly WrapPlace["in"][];
}

/**
 * Lists the wrapped keys beside an object: its annotations, and the files at its key plus a suffix. Uses no key.
 *
 * @param client an `S3EncryptionClient`, or one given to `encryptS3`
 * @throws S3EncryptionError `invalid-argument`; `content-mismatch` while its annotations are being moved; S3's own errors
 */
export async function listRecipients(client: S3Client, options: RecipientsOptions): Promise<ListedRecipients> {
  checkRecipients<RecipientsOptions>(options, RECIPIENTS, "listRecipients");
  const encryption = encryptionOf(client, undefined);
  const { abortSignal, ...object } = options;
  const plain = plainClientOf(client);
  const request = abortSignal === undefined ? {} : { abortSignal };
  const { Metadata: metadata = {}, ETag } = await plain.send(new HeadObjectCommand(object), request);
  const rules = siblingRules(encryption);
  const { mark, standsAlone } = rules.kindOf(metadata);
  const isFor = (suffix: string, text: string): boolean =>
    rules.isFileFor(metadata, { suffix, text }, encryption.materialsManager);
  const recipients: Recipient[] = [];
  const unknown: WrapPlace["in"][] = [];

  const annotated = await annotatedWraps(plain, options.VersionId === undefined ? { ...options, ETag } : options);
  if (annotated.state === "unknown") unknown.push("annotation");
  for (const { recipient, name, text } of annotated.state === "listed" ? annotated.wraps : []) {
    const state = isFor(`.${recipient}`, text) ? "of this object" : "of another object";
    recipients.push({ recipient, place: { in: "annotation", name }, state, text });
  }

  // Nothing says which version of a file belongs to one of the object.
  if (options.VersionId !== undefined) {
    return { hasOwnWrap: standsAlone, recipients, unknown: [...unknown, "instruction-file"] };
  }
  const beside = new BesideObject(object, {
    get: () => Promise.reject(new Error("Nothing is read this way.")),
    client: () => plain,
    signal: abortSignal,
  });
  const listed = await beside.suffixes();
  if (listed === undefined) unknown.push("instruction-file");
  const files = lookingStore(plain, object, encryption, abortSignal);
  const known = rules.suffixesBeside(encryption.materialsManager, undefined);
  for (const [suffix, file] of await files.readAll([...known, ...(listed ?? [])])) {
    if (file.state !== "read") continue;
    const of = rules.fileMarkOf(file.metadata);
    // Without a mark, what could be no wrap of this object is somebody else's.
    if (of === undefined && !isFor(suffix, file.body)) continue;
    const isOfThis = of === undefined || of === mark;
    const state =
      isOfThis && of !== undefined && isFor(suffix, file.body)
        ? "of this object"
        : isOfThis
          ? "unproven"
          : "of another object";
    const recipient = suffix.replace(/^\./, "");
    recipients.push({ recipient, place: { in: "instruction-file", suffix }, state, text: file.body });
  }
  return { hasOwnWrap: standsAlone, recipients, unknown };
}
