import type { S3Client } from "@aws-sdk/client-s3";
import { printable, quotedList } from "@s3ec/envelope";
import { type EnvelopeExplanation, explainEnvelope } from "./explain-envelope.js";
import { describeMessage } from "./inspect-message.js";
import { type Inspection, inspectObject } from "./inspect-object.js";
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
  if ("message" in inspected) {
    const { message } = inspected;
    return options.json === true
      ? JSON.stringify({ ...address, ...message }, null, 2)
      : describeMessage(address, message).join("\n");
  }
  const { inspection, envelope } = inspected;
  const explained = explainEnvelope(envelope, inspection.instructionFile);
  const isAtSuffix = inspection.placement === "instruction-file" && options.suffix !== undefined;
  const place = isAtSuffix ? [`instructionFileConfig.suffix: ${options.suffix}`] : [];
  const explanation = { ...explained, switches: [...place, ...explained.switches] };
  if (options.json === true) return JSON.stringify({ ...address, ...inspection, ...explanation }, null, 2);
  return describe(address, inspection, explanation).join("\n");
}

function describe(
  address: ObjectAddress,
  inspection: Inspection,
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
    `  Written by  ${writers} Nothing in it proves who.`,
    ...(weaknesses.length === 0 ? [] : ["  Weak:", ...weaknesses.map((weakness) => `    ${weakness}`)]),
    switches.length === 0
      ? `  To read it  ${key} ${key === "its key" ? "suffices" : "suffice"}; no option has to be set.`
      : `  To read it  beside ${key}, set ${switches.join(", ")}.`,
    ...(movingOn === null ? [] : [`  To move on  ${movingOn}`]),
  ];
}

/** Files of other keys, perhaps: only who reads them can tell. */
function besideIt({ siblingSuffixes, instructionFile }: Inspection): string[] {
  if (siblingSuffixes === null) return ["  Beside it   unknown, since keys could not be listed (s3:ListBucket)"];
  const others = siblingSuffixes.filter((suffix) => instructionFile?.endsWith(suffix) !== true);
  if (others.length === 0) return [];
  return [`  Beside it   keys that end in ${quotedList(others)}; --suffix looks at one as its instruction file`];
}
