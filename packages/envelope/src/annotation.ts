import type { EncryptedDataKey } from "./envelope.js";
import { S3EncryptionError } from "./errors.js";
import { formatStringMap, parseFlatJson, type StringMap } from "./string-map.js";

/** What the name of every annotation of ours begins with; the recipient's name follows (docs/formats.md 1.10). */
export const ANNOTATION_PREFIX = "x-s3ec/";

/** Marks an object whose annotations are being moved to a copy of it; holds no wrapped key. */
export const MOVING_ANNOTATION = "x-s3ec/moving";

/** Says of an object what an audit asks, and holds no wrapped key; absent where its writer leaves none. */
export const DESCRIBING_ANNOTATION = "x-s3ec/about";

/** Names that are no recipient's. */
const RESERVED: ReadonlySet<string> = new Set([MOVING_ANNOTATION, DESCRIBING_ANNOTATION]);

/** In what describes an object: who else opens it, as text of JSON. */
const RECIPIENTS = "s3ec-recipients";

/** S3's limit for a name is 512 bytes; a re-wrap puts `/` and an id of 36 behind. */
const MAX_RECIPIENT_LENGTH = 512 - ANNOTATION_PREFIX.length - 37;

/** A wrapped key to annotate to an object. */
export interface AnnotationToWrite {
  /** `x-s3ec/` and the recipient's name. */
  readonly name: string;
  /** JSON text, in ASCII. */
  readonly text: string;
}

/** What an audit asks of an annotation, beside the wrapped key: never read to open an object. */
export interface AnnotationFacts {
  /** The object's format. */
  readonly format: "V1" | "V2" | "V3";
  /** The wrap, as the sibling clients call it. */
  readonly wrap: string;
  /** ARN of the KMS key, where KMS has told it. */
  readonly kmsKey?: string | undefined;
  /** When it was made. Default: now. */
  readonly added?: Date;
}

/**
 * The name of a recipient's annotation: a child's suffix counts without its dot.
 * @throws S3EncryptionError `invalid-argument` for a name that is empty, too long, holds a slash or a control character, or
 * is `moving` or `about`
 */
export function annotationName(recipient: string): string {
  const name = recipient.replace(/^\.+/, "");
  const length = Buffer.byteLength(name);
  const isOne = length > 0 && length <= MAX_RECIPIENT_LENGTH && !/[/\p{Cc}\p{Cs}]/u.test(name);
  if (isOne && !RESERVED.has(`${ANNOTATION_PREFIX}${name}`)) return `${ANNOTATION_PREFIX}${name}`;
  throw new S3EncryptionError(
    "invalid-argument",
    `${JSON.stringify(recipient)} is no name of a recipient in an annotation: 1 to ${MAX_RECIPIENT_LENGTH} bytes without a slash, and not "moving" or "about".`,
  );
}

/** The recipient whose wrapped key an annotation holds; undefined for one that is none of ours, or holds none. */
export function recipientOfAnnotation(name: string): string | undefined {
  if (!name.startsWith(ANNOTATION_PREFIX) || RESERVED.has(name)) return undefined;
  const [recipient] = name.slice(ANNOTATION_PREFIX.length).split("/");
  return recipient === "" ? undefined : recipient;
}

/** The text of an annotation: the members of an instruction file, and what an audit asks for. */
export function annotationText(
  fields: StringMap,
  { format, wrap, kmsKey, added = new Date() }: AnnotationFacts,
): string {
  return formatStringMap({
    ...fields,
    "s3ec-format": format,
    "s3ec-wrap": wrap,
    ...(kmsKey === undefined ? {} : { "s3ec-kms-key": kmsKey }),
    "s3ec-added": `${added.toISOString().slice(0, 19)}Z`,
    "s3ec-by": WRITER,
  });
}

/**
 * The text that describes an object: its format, the wrap of its own key, what is stored to tell that, and who else opens it. An
 * encryption context stays out of it, which may name customers.
 *
 * @param recipients of the other wrapped keys, by file or annotation
 */
export function describingText(
  format: "V1" | "V2" | "V3",
  { wrapAlgorithm, description, wrappingKey: kmsKey }: EncryptedDataKey,
  recipients: readonly string[] = [],
): string {
  const isDescribed = wrapAlgorithm.describedBy === "material-description" && Object.keys(description).length > 0;
  return annotationText(
    {
      ...(isDescribed ? { "s3ec-description": formatStringMap(description) } : {}),
      ...(recipients.length === 0 ? {} : { [RECIPIENTS]: JSON.stringify(recipients) }),
    },
    { format, wrap: wrapAlgorithm.name, kmsKey },
  );
}

/** What an annotation says of itself; undefined what it does not say. */
export interface AnnotatedFacts {
  /** The wrap, as the sibling clients call it. */
  readonly wrap: string | undefined;
  /** ARN of the KMS key. */
  readonly kmsKey: string | undefined;
  /** When it was made, as it stands. */
  readonly added: string | undefined;
}

/** What an annotation's text says for an audit. Nothing of it is authenticated; a text that is none of ours says nothing. */
export function annotatedFacts(text: string): AnnotatedFacts {
  const said = saidIn(text);
  return { wrap: said["s3ec-wrap"], kmsKey: said["s3ec-kms-key"], added: said["s3ec-added"] };
}

/**
 * The text that describes an object from now on, of which one wrapped key is another: the recipients that the standing text
 * names are still there. One that is none of ours names nobody.
 */
export function describingAnew(text: string, standing: string): string {
  const recipients = saidIn(standing)[RECIPIENTS];
  return recipients === undefined ? text : formatStringMap({ ...saidIn(text), [RECIPIENTS]: recipients });
}

/** The members that are texts; none of what is somebody else's, or was altered. */
function saidIn(text: string): StringMap {
  try {
    const fields = parseFlatJson(text, "annotation");
    return Object.fromEntries([...fields].filter((field): field is [string, string] => typeof field[1] === "string"));
  } catch {
    return {};
  }
}

/** Who writes it, and which version: that of this package's manifest, which a test compares. */
export const WRITER = "s3ec/0.1.0";
