import type { HeadObjectCommandOutput, S3Client } from "@aws-sdk/client-s3";
import { S3EncryptionError } from "@s3ec/materials";
import type { ListedAnnotation } from "../annotations/annotation-store.js";
import { changedMeanwhile } from "../restate/changed-meanwhile.js";
import type { AllowedLosses } from "../restate/losses.js";
import type { StoredAddress } from "../restate/seen-object.js";
import { annotationsToCarry } from "../restate/taken-along.js";
import { CarriedAnnotations, type Carrying, finishCarrying } from "./carried-annotations.js";
import { requestOf } from "./carried-file.js";
import { MovingMark } from "./moving-mark.js";
import type { MarkOf } from "./put-back.js";

/** What an object has that does not go along when it is copied onto itself in parts. */
export interface Along {
  /** Undefined where the caller wants none of them. */
  readonly annotations: readonly ListedAnnotation[] | undefined;
  readonly losses: AllowedLosses;
  readonly markOf: MarkOf;
}

/** The object as it was seen, and what is carried over. */
interface Moved {
  readonly address: StoredAddress;
  readonly head: HeadObjectCommandOutput;
  readonly encryption: Carrying["encryption"];
  readonly along: Along;
}

/** The object that was written over it. */
interface Written {
  readonly etag: string;
  readonly version: string | undefined;
}

/**
 * Copies an object onto itself in parts, and gives the copy the annotations of the one before, recipients' among them: until they
 * are there, a file beside it holds them, in which readers look, too.
 *
 * @param send does it, and calls `look` just before the object appears
 * @throws S3EncryptionError `content-mismatch` where the annotations were changed meanwhile; `InstructionFileError` where the
 *   object is written, and its annotations are in that file alone; what `send` throws
 */
export async function carriedOver<Output extends Written>(
  client: S3Client,
  { address, head, encryption, along: { annotations, losses, markOf } }: Moved,
  signal: AbortSignal | undefined,
  send: (look: () => Promise<void>) => Promise<Output>,
): Promise<Output> {
  const { ETag = "", VersionId } = head;
  const carrying = { from: address, to: address, annotations: annotations ?? [], encryption, losses };
  const left = await finishCarrying(client, address, markOf, signal);
  const carried = await CarriedAnnotations.read(client, carrying, signal, left);
  const mark = new MovingMark(client, address, losses, signal);
  const look = async (): Promise<void> => {
    // Before they are listed, so that whoever changes recipients after that sees it.
    await mark.put(ETag);
    if (annotations !== undefined) {
      const now = await annotationsToCarry(client, address, losses, requestOf(signal), "all");
      if (JSON.stringify(now) !== JSON.stringify(annotations)) throw changedMeanwhile();
    }
    await carried.setAside(head, markOf(head.Metadata));
    await mark.require();
  };
  let output: Output;
  try {
    await mark.put(ETag);
    output = await send(look);
  } catch (error) {
    const mayBeWritten = error instanceof S3EncryptionError && error.code === "outcome-unknown";
    if (!mayBeWritten) {
      await carried.drop().catch(() => {});
      await mark.remove(ETag);
    }
    throw error;
  }
  if (VersionId !== undefined && VersionId !== output.version) await mark.remove(ETag, { VersionId });
  await carried.putBack(output.etag, markOf);
  return output;
}
