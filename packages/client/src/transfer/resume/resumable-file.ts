import type { PutObjectCommandInput, S3Client } from "@aws-sdk/client-s3";
import { S3EncryptionError } from "@s3ec/materials";
import type { ResolvedOptions } from "../../options.js";
import { NOTHING } from "../../streams.js";
import { resumeObjectInParts, sealObjectInParts } from "../../write/seal-object.js";
import { FileChangedError } from "../file-changed-error.js";
import { fileToSend } from "../file-parts.js";
import { MultipartUpload } from "../multipart-upload.js";
import type { ObjectToSend } from "../parts-to-send.js";
import type { SourceFile } from "../source-file.js";
import { usersResumeSecret } from "./resume-secret.js";
import { UploadJournal } from "./upload-journal.js";

/** A file whose upload another process can go on with, or goes on here. */
export interface ResumableFile {
  readonly object: ObjectToSend;
  /** To be closed when nothing of the upload is going on any more. */
  readonly journal: UploadJournal;
}

export interface ResumeSettings {
  /** Path of the state. */
  readonly state: string;
  /** Default: the user's. */
  readonly secret: Uint8Array | undefined;
  /** Bytes. Default: those that it was begun with. */
  readonly partSize: number | undefined;
}

/**
 * Locks the state, and asks the keyring once: for a new data key, or to unwrap that of the upload that was begun.
 *
 * @param client one that does not encrypt
 * @param params what the caller says of the object, with call options
 */
export async function resumableFile(
  client: S3Client,
  encryption: ResolvedOptions,
  params: PutObjectCommandInput,
  file: SourceFile,
  { state, secret, partSize }: ResumeSettings,
): Promise<ResumableFile> {
  const stateSecret = secret ?? (await usersResumeSecret());
  const journal = await UploadJournal.open(state, file, params);
  try {
    const { begun } = journal;
    const sealed =
      begun === undefined
        ? await sealObjectInParts(encryption, params, file.length)
        : await resumeObjectInParts(encryption, params, file.length, begun);
    if (sealed === undefined) throw notInParts();
    if (!sealed.isResumable) throw notReadable();
    const object = fileToSend(file, sealed);
    try {
      journal.bind(sealed.stateKey(stateSecret), params, sealed.kept, partSize);
    } catch (error) {
      if (error instanceof FileChangedError) await discard(client, journal, object);
      throw error;
    }
    return { object, journal };
  } catch (error) {
    // Why it failed is what its caller is told.
    await journal.close().catch(NOTHING);
    throw error;
  }
}

/** Of one that is proven to be ours, and never to be finished (G11). */
async function discard(client: S3Client, journal: UploadJournal, object: ObjectToSend): Promise<void> {
  if (journal.begun === undefined) return;
  object.abandon();
  await new MultipartUpload(client, object, journal.begun.uploadId).abort();
  journal.end();
}

function notInParts(): S3EncryptionError {
  return new S3EncryptionError(
    "unsupported-operation",
    "An upload can be resumed where its format is encrypted in parts, which this one, or this runtime, cannot: leave resume out.",
  );
}

function notReadable(): S3EncryptionError {
  return new S3EncryptionError(
    "unsupported-operation",
    "These keys cannot unwrap what they wrap (a public key, for example), or theirs go into annotations, so that nobody could resume the upload with them: leave resume out.",
  );
}
