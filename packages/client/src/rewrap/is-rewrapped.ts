import type { S3Client } from "@aws-sdk/client-s3";
import { annotationName } from "@s3ec/envelope";
import { S3EncryptionError } from "@s3ec/materials";
import { AnnotationStore } from "../annotations/annotation-store.js";
import { requestOf } from "../call-options.js";
import { encryptionOf, plainClientOf } from "../plain-client.js";
import { unlessAborted } from "../request-aborted.js";
import { fileToRewrap } from "./file-beside.js";
import { DOES_NOT_OPEN, proveByContent, type StandingWrap } from "./new-wrap.js";
import { recipientWithoutFile, wrapsOfRecipient } from "./rewrap-annotation.js";
import { standsInMetadata } from "./rewrap-object.js";
import { invalid, type Rewrap, type RewrapOptions, resolveRewrap } from "./rewrap-options.js";
import { type StandingObject, standingObject } from "./standing-object.js";

/**
 * Whether what is to wrap from now on opens the wrap that stands: whether `rewrapObject` with the same options has been done.
 * A wrap that opens with any key to something proves itself by the content, which is read for that. Changes nothing.
 *
 * @param client an `S3EncryptionClient`, or one given to `encryptS3`
 * @throws S3EncryptionError `not-encrypted` where there is no such wrap; `malformed-envelope`, `commitment-policy`, `legacy-disabled`,
 *   `key-unavailable` and `unsupported-operation` as `rewrapObject`; `invalid-argument`; S3's own errors
 */
export async function isRewrapped(client: S3Client, options: RewrapOptions): Promise<boolean> {
  const asked = resolveRewrap(encryptionOf(client, undefined), options);
  const further = asked.to.instructionFileSuffix;
  const rewrap = further === undefined ? asked : { ...asked, from: { ...asked.from, instructionFileSuffix: further } };
  const plain = plainClientOf(client);
  const object = await standingObject(plain, rewrap);
  for (const standing of await standingWraps(plain, rewrap, object)) {
    if (!(await isOpened(plain, rewrap, object, standing))) return false;
  }
  return true;
}

async function isOpened(
  client: S3Client,
  rewrap: Rewrap,
  { rules }: StandingObject,
  { head, place, text }: StandingWrap,
): Promise<boolean> {
  const { encryption, object, to, from } = rewrap;
  const { materialDescription: _, ...request } = requestOf(
    { ...encryption, materialsManager: to.materialsManager },
    to,
    object,
  );
  try {
    const metadata = head.Metadata ?? {};
    const stored = rules.find({ metadata, place, request, ...(text === undefined ? {} : { text }) });
    const held = await unlessAborted(() => rules.unwrap(stored, request), from.abortSignal);
    if (!held.isProven && stored.encryptedDataKey.wrapAlgorithm.legacy) {
      if (stored.suite.cipher === "cbc") return false;
      await proveByContent(client, rewrap, head, held);
    }
    return true;
  } catch (error) {
    if (error instanceof S3EncryptionError && DOES_NOT_OPEN.has(error.code)) return false;
    throw error;
  }
}

/** All of a recipient's annotations: one that the old key opens may be left beside the new one. */
async function standingWraps(
  client: S3Client,
  rewrap: Rewrap,
  object: StandingObject,
): Promise<readonly StandingWrap[]> {
  const { head, format } = object;
  const recipient = rewrap.recipient ?? (await recipientWithoutFile(client, rewrap, object));
  if (recipient !== undefined) {
    const store = new AnnotationStore(client, rewrap.version, rewrap.from.abortSignal);
    await store.prove();
    const wraps = await wrapsOfRecipient(store, annotationName(recipient));
    return wraps.map(({ name, text }) => ({ head, place: { in: "annotation", name }, text }));
  }
  if (standsInMetadata(rewrap, object)) return [{ head, place: { in: "metadata" }, text: undefined }];
  if (format.siblings === undefined) throw invalid(`Objects of the format "${format.name}" have no instruction files.`);
  const { suffix, found } = await fileToRewrap(client, rewrap, format.siblings, head.Metadata ?? {});
  return [{ head, place: { in: "instruction-file", suffix }, text: found.body }];
}
