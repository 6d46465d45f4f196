import { S3EncryptionError } from "@s3ec/materials";

/** Commands that would store or move bytes past the encryption, and what to do instead. */
const REFUSED: Readonly<Record<string, string>> = {
  UploadPartCopyCommand: "copy the whole object with CopyObjectCommand",
  RenameObjectCommand: "copy the object with CopyObjectCommand, which takes its instruction file along, and delete it",
  SelectObjectContentCommand: "S3 cannot query what it cannot decrypt; read the object instead",
  WriteGetObjectResponseCommand: "send it with a plain S3Client",
  PutObjectAnnotationCommand: "annotations are not encrypted; send it with a plain S3Client if that is meant",
};

/** Fails closed: a write that this client does not encrypt is refused unless the caller allowed it by name. */
export function refuseUnencrypted(commandName: string | undefined, allowed: ReadonlySet<string>): void {
  if (commandName === undefined) {
    throw new S3EncryptionError(
      "unsupported-operation",
      "A command that does not say its name may store plaintext: send one of @aws-sdk/client-s3.",
    );
  }
  if (allowed.has(commandName) || !Object.hasOwn(REFUSED, commandName)) return;
  throw new S3EncryptionError(
    "unsupported-operation",
    `${commandName} is not encrypted: ${REFUSED[commandName]}. To send it as it is, name it in allowUnencryptedCommands.`,
  );
}
