import { printable } from "@s3ec/envelope";
import type { MessageInspection } from "@s3ec/format-aws-message";
import { withContext } from "./needed-context.js";
import { formatAddress, type ObjectAddress } from "./object-address.js";

/** The text that `s3ec inspect` prints. */
export function describeMessage(address: ObjectAddress, inspection: MessageInspection): string[] {
  const { suite, headerVersion, frameLength, contentLength, storedLength, committing, signed } = inspection;
  const context = Object.entries(inspection.encryptionContext).map(
    ([name, value]) => `    ${printable(`${name} = ${value}`)}`,
  );
  const keys = inspection.encryptedDataKeys.map(
    ({ providerId, providerInfo }) => `    ${printable(providerId)}: ${providerInfo}`,
  );
  return [
    formatAddress(address),
    `  Format      message of the AWS Encryption SDK, header version ${headerVersion}`,
    `  Content     ${suite}, in frames of ${frameLength} bytes`,
    `  Size        ${contentLength === null ? "unknown (its signature has no fixed length)" : `${contentLength} bytes of plaintext`}, ${storedLength} bytes stored`,
    `  Data key    wrapped ${keys.length === 1 ? "once" : `${keys.length} times`}, by key provider:`,
    ...keys,
    `  Encryption context${context.length === 0 ? ": none" : ":"}`,
    ...context,
    "  Written by  An AWS Encryption SDK, or this client. Nothing in it proves who.",
    ...(committing
      ? []
      : [
          "  Weak:",
          "    No key commitment: a writer who knows several keys can make one object that opens differently under each.",
        ]),
    `  To read it  beside ${withContext("one of its keys", Object.keys(inspection.encryptionContext))}, set formats: [new S3Format(), new AwsMessageFormat()]${committing ? "" : ", commitmentPolicy: REQUIRE_ENCRYPT_ALLOW_DECRYPT"}${signed ? "; as a whole only, since it is signed" : ""}.`,
  ];
}
