import { GetObjectCommand, type S3Client } from "@aws-sdk/client-s3";
import { readAtMost } from "@s3ec/envelope";
import { headerFields, type MessageInspection } from "@s3ec/format-aws-message";
import type { EnvelopeInspection } from "@s3ec/format-s3";
import type { ObjectHead } from "@s3ec/materials";
import { headObject } from "./head-object.js";
import { bodyRows, fieldLines } from "./hex-envelope.js";
import { type HexRow, hexLines } from "./hex-rows.js";
import { INSPECTED_FORMATS, inspectObject } from "./inspect-object.js";
import { formatAddress, type ObjectAddress } from "./object-address.js";

/** As much of an object as is looked at for a head, and more than an instruction file has. */
const MAX_LENGTH = 1024 * 1024;

/** The text that `s3ec inspect --hex` prints: what is stored, field by field. Nothing of it needs a key. */
export async function inspectHex(
  client: S3Client,
  address: ObjectAddress,
  { suffix }: { readonly suffix?: string },
): Promise<string> {
  const options = { ...address, ...(suffix === undefined ? {} : { instructionFileSuffix: suffix }) };
  const { formatName, inspection } = await inspectObject(client, options);
  const lines =
    formatName === "message"
      ? await messageLines(client, address, inspection as MessageInspection)
      : await envelopeLines(client, address, inspection as EnvelopeInspection);
  return [formatAddress(address), ...lines].join("\n");
}

async function messageLines(client: S3Client, address: ObjectAddress, { storedLength }: MessageInspection) {
  const start = await read(client, address, `bytes=0-${Math.min(storedLength, MAX_LENGTH) - 1}`);
  const head = headOf(start);
  const rows = headerFields(head).map(({ offset, bytes, name, value }): HexRow => {
    return { offset, bytes, length: bytes.length, meaning: value === undefined ? name : `${name}: ${value}` };
  });
  const content = {
    offset: head.length,
    length: storedLength - head.length,
    meaning: "content, each frame with its tag",
  };
  return [
    `Body, ${storedLength} bytes: a message, whose header is ${head.length} of them`,
    ...hexLines([...rows, content]),
  ];
}

function headOf(start: Uint8Array): ObjectHead {
  const heads = INSPECTED_FORMATS.map((format) => format.readHead?.(start));
  const head = heads.find((each): each is ObjectHead => typeof each === "object" && each !== null);
  if (head === undefined) throw new Error("The object is no longer what it was a moment ago. Try again.");
  return head;
}

async function envelopeLines(client: S3Client, address: ObjectAddress, inspection: EnvelopeInspection) {
  const { instructionFileSuffix: suffix, wrapAlgorithm, authenticated, storedLength } = inspection;
  const { Metadata = {} } = await headObject(client, address);
  const fields = fieldLines(Metadata, wrapAlgorithm);
  const file = suffix === null ? undefined : { ...address, Key: `${address.Key}${suffix}` };
  const tag = authenticated && storedLength >= 16 ? await read(client, address, "bytes=-16") : undefined;
  return [
    ...(fields.length === 0 ? [] : ["Metadata of the object", ...fields]),
    ...(file === undefined
      ? []
      : [
          `Instruction file ${formatAddress(file)}, which is JSON`,
          ...fieldLines(JSON.parse(Buffer.from(await read(client, file)).toString("utf8")), wrapAlgorithm),
        ]),
    `Body, ${storedLength} bytes`,
    ...hexLines(bodyRows(inspection, tag)),
  ];
}

async function read(client: S3Client, object: ObjectAddress, Range?: string): Promise<Uint8Array> {
  const { Body } = await client.send(new GetObjectCommand({ ...object, ...(Range === undefined ? {} : { Range }) }));
  return await readAtMost(Body as AsyncIterable<Uint8Array>, MAX_LENGTH);
}
