import type { S3Client } from "@aws-sdk/client-s3";
import type { AnnotatedRecipient } from "@s3ec/client";
import { printable, quotedList } from "@s3ec/envelope";
import type { MessageInspection } from "@s3ec/format-aws-message";
import type { EnvelopeInspection } from "@s3ec/format-s3";
import { type EnvelopeExplanation, explainEnvelope } from "./explain-envelope.js";
import { describeMessage } from "./inspect-message.js";
import { type Inspected, inspectObject } from "./inspect-object.js";
import { named } from "./json/named-object.js";
import { withContext } from "./needed-context.js";
import { formatAddress, type ObjectAddress } from "./object-address.js";

/** The text, or with `json` the JSON, that `s3ec inspect` prints. */
export async function inspectCommand(
  client: S3Client,
  address: ObjectAddress,
  options: { readonly suffix?: string; readonly json?: boolean },
): Promise<string> {
  const inspected = await inspectObject(client, {
    ...address,
    ...(options.suffix === undefined ? {} : { instructionFileSuffix: options.suffix }),
  });
  const { inspection, siblingSuffixes, recipients } = inspected;
  if (isMessage(inspected)) {
    return options.json === true
      ? json(address, messageFields(inspected.inspection))
      : describeMessage(address, inspected.inspection).join("\n");
  }
  if (!isEnvelope(inspected)) return json(address, inspection);
  const explained = explainEnvelope(inspected.inspection);
  const { placement, instructionFileSuffix, ...rest } = inspected.inspection;
  const instructionFile = instructionFileSuffix === null ? null : `${address.Key}${instructionFileSuffix}`;
  const isAtSuffix = placement === "instruction-file" && options.suffix !== undefined;
  const place = isAtSuffix ? [`instructionFileConfig.suffix: ${options.suffix}`] : [];
  const explanation = { ...explained, switches: [...place, ...explained.switches] };
  const found: FoundEnvelope = { ...rest, placement, instructionFile, siblingSuffixes, recipients };
  return options.json === true
    ? json(address, { ...envelopeFields(found), ...explanation })
    : describe(address, found, explanation).join("\n");
}

type FoundEnvelope = Omit<EnvelopeInspection, "instructionFileSuffix"> & {
  /** Key of the instruction file that holds the wrapped key. */
  readonly instructionFile: string | null;
  readonly siblingSuffixes: Inspected["siblingSuffixes"];
  readonly recipients: Inspected["recipients"];
};

function isMessage(inspected: Inspected): inspected is Inspected & { readonly inspection: MessageInspection } {
  return inspected.formatName === "message";
}

function isEnvelope(inspected: Inspected): inspected is Inspected & { readonly inspection: EnvelopeInspection } {
  return inspected.formatName === "s3";
}

function json(address: ObjectAddress, found: object): string {
  return JSON.stringify({ ...named(address.Bucket, address), ...found }, null, 2);
}

/** What other commands say of objects as well, by the names that it has there. */
function envelopeFields(found: FoundEnvelope): object {
  const { committing, authenticated, legacyWrap, contentLength, storedLength, encryptedDataKeyLength, ...rest } = found;
  return {
    ...rest,
    isCommitting: committing,
    isAuthenticated: authenticated,
    isLegacy: legacyWrap,
    bytes: contentLength,
    storedBytes: storedLength,
    encryptedDataKeyBytes: encryptedDataKeyLength,
  };
}

function messageFields({ committing, signed, frameLength, contentLength, storedLength, ...rest }: MessageInspection) {
  return {
    ...rest,
    isCommitting: committing,
    isSigned: signed,
    frameBytes: frameLength,
    bytes: contentLength,
    storedBytes: storedLength,
  };
}

function describe(
  address: ObjectAddress,
  inspection: FoundEnvelope,
  { writers, weaknesses, switches, movingOn }: EnvelopeExplanation,
): string[] {
  const { format, suite, wrapAlgorithm, placement, instructionFile, contentLength, storedLength } = inspection;
  const kind = inspection.descriptionKind === "encryption-context" ? "Encryption context" : "Material description";
  const { unreadDescription } = inspection;
  const entries =
    unreadDescription === null
      ? Object.entries(inspection.description).map(([name, value]) => printable(`${name} = ${value}`))
      : [`${printable(unreadDescription)}, which is no map of strings and selects no key`];
  const where =
    placement === "metadata"
      ? "in the object's metadata"
      : `in the instruction file ${formatAddress({ ...address, Key: instructionFile ?? "" })}`;
  const bound = wrapAlgorithm === "kms+context" ? Object.keys(inspection.description) : [];
  const key = withContext("its key", bound);
  return [
    formatAddress(address),
    `  Format      ${format}`,
    `  Content     ${suite}`,
    `  Size        ${contentLength === null ? "unknown (CBC padding hides it)" : `${contentLength} bytes of plaintext`}, ${storedLength} bytes stored`,
    `  Data key    wrapped with ${wrapAlgorithm} (${inspection.encryptedDataKeyLength} bytes), ${where}`,
    `  ${kind}${entries.length === 0 ? ": none" : ":"}`,
    ...entries.map((entry) => `    ${entry}`),
    ...besideIt(inspection),
    ...annotatedTo(inspection),
    `  Written by  ${writers} Nothing in it proves who.`,
    ...(weaknesses.length === 0 ? [] : ["  Weak:", ...weaknesses.map((weakness) => `    ${weakness}`)]),
    switches.length === 0
      ? `  To read it  ${key} ${key === "its key" ? "suffices" : "suffice"}; no option has to be set.`
      : `  To read it  beside ${key}, set ${switches.join(", ")}.`,
    ...(movingOn === null ? [] : [`  To move on  ${movingOn}`]),
  ];
}

/** Files of other keys, perhaps: only who reads them can tell. */
function besideIt({ siblingSuffixes, instructionFile }: FoundEnvelope): string[] {
  if (siblingSuffixes === null) return ["  Beside it   unknown, since keys may not be listed (s3:ListBucket)"];
  const others = siblingSuffixes.filter((suffix) => instructionFile?.endsWith(suffix) !== true);
  if (others.length === 0) return [];
  return [`  Beside it   keys that end in ${quotedList(others)}; --suffix looks at one as its instruction file`];
}

/** As they say of themselves. */
function annotatedTo({ recipients }: FoundEnvelope): string[] {
  if (recipients === null) {
    return ["  Recipients  in annotations unknown, since those may not be listed (s3:ListObjectAnnotations)"];
  }
  if (recipients.length === 0) return [];
  return ["  Recipients  in annotations:", ...recipients.map((each) => `    ${printable(recipientLine(each))}`)];
}

function recipientLine({ recipient, wrap, kmsKeyId, added }: AnnotatedRecipient): string {
  if (wrap === null) return `${recipient}: what it holds may not be read, or is not said (s3:GetObjectAnnotation)`;
  const key = kmsKeyId === null ? "" : ` of ${kmsKeyId}`;
  return `${recipient}: ${wrap}${key}${added === null ? "" : `, since ${added}`}`;
}
