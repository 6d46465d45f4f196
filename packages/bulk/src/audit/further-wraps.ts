import { annotatedWraps } from "@s3ec/client";
import { annotatedFacts, MAX_INSTRUCTION_FILE_LENGTH, readWrapBeside } from "@s3ec/envelope";
import { listObjects } from "../sources/list-objects.js";
import type { StoredObject } from "../sources/stored-object.js";
import type { AuditTarget } from "./audit-target.js";
import type { AuditedWrap } from "./audited-object.js";
import { problemOf } from "./problem.js";
import { storedText } from "./stored-text.js";
import { auditedWrap, MALFORMED_FILE, wrapIn } from "./wrap-found.js";

/** Files beside one object that are looked at. */
const MAX_FILES = 1000;

/**
 * Wraps in an object's annotations; that they may not be listed is a problem, since there may be one.
 *
 * @param etag of the current version, where it is that one
 */
export async function annotatedWrapsOf(target: AuditTarget, etag: string | undefined): Promise<AuditedWrap[]> {
  const { auditing, address, problems } = target;
  const { client, request, wrapAlgorithms, store } = auditing;
  try {
    const annotated = await annotatedWraps(client, { ...address, ETag: etag, ...request });
    if (annotated.state === "listed") store.knowsAnnotations = true;
    if (annotated.state === "unknown") problems.push(NO_ANNOTATIONS);
    if (annotated.state === "none") store.hidesAnnotations = true;
    // A store that knows them has not shown those of this object.
    if (annotated.state === "none" && store.knowsAnnotations) problems.push(ANNOTATIONS_NOT_SHOWN);
    const wraps: AuditedWrap[] = [];
    for (const { recipient, name, text } of annotated.state === "listed" ? annotated.wraps : []) {
      const { encryptedDataKey } = readWrapBeside({ text, suffix: `.${recipient}` }, { wrapAlgorithms });
      const place = { in: "annotation", name } as const;
      const found = { place, recipient, wrappingKey: annotatedFacts(text).kmsKey };
      wraps.push(await auditedWrap(auditing, encryptedDataKey, found));
    }
    return wraps;
  } catch (error) {
    problems.push(`Of its annotations: ${problemOf(error, "They")}`);
    return [];
  }
}

/** Wraps in files beside an object, where no listing shows them anyway, or the object is not readable without (`isNeeded`). */
export async function wrapsBeside(
  target: AuditTarget,
  { isNeeded = false, known }: { readonly isNeeded?: boolean; readonly known?: string } = {},
): Promise<AuditedWrap[]> {
  const { auditing, stored, address, problems } = target;
  const { areFilesListed, suffixesRead } = auditing;
  if (stored.isLatest === false) {
    if (!areFilesListed) problems.push(FILES_OF_BEFORE);
    return [];
  }
  const { Bucket, Key } = address;
  const { client, request, wrapAlgorithms } = auditing;
  const wraps: AuditedWrap[] = [];
  const isListed = isNeeded || !areFilesListed;
  const files = isListed ? listObjects(client, { Bucket, Prefix: `${Key}.`, ...request }) : named(Key, suffixesRead);
  try {
    let count = 0;
    for await (const { Key: file, Size = 1 } of files) {
      const suffix = file.slice(Key.length);
      if (count++ === MAX_FILES) {
        problems.push(`More than ${MAX_FILES} keys begin with its own and a dot: not all were looked at.`);
        break;
      }
      if (suffix === known || Size === 0 || Size > MAX_INSTRUCTION_FILE_LENGTH) continue;
      const text = await storedText(client, { Bucket, Key: file }, request);
      const wrap = text === undefined ? undefined : wrapIn({ text, suffix }, wrapAlgorithms);
      if (wrap === "malformed") problems.push(`The file ${JSON.stringify(suffix)} beside it: ${MALFORMED_FILE}`);
      else if (wrap !== undefined) {
        const place = { in: "instruction-file", suffix } as const;
        wraps.push(await auditedWrap(auditing, wrap, { place, recipient: suffix.slice(1) }));
      }
    }
  } catch (error) {
    problems.push(`Of the files beside it: ${problemOf(error, "They")}`);
  }
  return wraps;
}

async function* named(Key: string, suffixes: readonly string[]): AsyncGenerator<StoredObject> {
  for (const suffix of suffixes) yield { Key: `${Key}${suffix}` };
}

const FILES_OF_BEFORE =
  "The files that were beside this older version were not looked at: there may be wrapped keys in them.";
const ANNOTATIONS_NOT_SHOWN =
  "The store shows other objects' annotations, and not its own: there may be wrapped keys in them.";
const NO_ANNOTATIONS =
  "Its annotations may not be listed (s3:ListObjectAnnotations): there may be wrapped keys in them.";
