import { DeleteObjectCommand } from "@aws-sdk/client-s3";
import type { ObjectAddress } from "../object-address.js";
import { goesWithItsObject } from "./files-beside.js";
import { KeysAround } from "./keys-around.js";
import { type ListedObject, objectsBelow } from "./listed-objects.js";
import { assertBehindNoLink } from "./local-target.js";
import type { LocalFile } from "./local-tree.js";
import type { PathFilter } from "./path-filter.js";
import { shownPath, shownPlace } from "./place.js";
import type { Task } from "./run-tasks.js";
import type { TransferContext } from "./transfer-context.js";
import { removeUnchanged } from "./upload-one.js";

/** Deletes one object with the files beside it; with an entity tag only if it is still that one. */
function deletionOf(context: TransferContext, address: ObjectAddress, IfMatch?: string): Task {
  const { client, call, parameters, signal } = context;
  const { instructionFileSuffix } = call;
  return {
    step: { operation: "delete", from: shownPlace({ kind: "s3", ...address }) },
    size: 0,
    run: async () => {
      const input = { ...parameters.get, ...address, ...(IfMatch && { IfMatch }) };
      const request = { abortSignal: signal, ...(instructionFileSuffix && { instructionFileSuffix }) };
      const { VersionId } = await client.send(new DeleteObjectCommand(input), request);
      return { state: "done", bytes: 0, ...(VersionId === undefined ? {} : { versionId: VersionId }) };
    },
  };
}

/** Deletes the object that was named, unless it goes with another. */
export async function* deletionOfNamed(context: TransferContext, address: ObjectAddress): AsyncGenerator<Task> {
  const task = deletionOf(context, address);
  const isFile = await context.filesBeside(address.Bucket, "get").isFileOfAnother(address.Key);
  yield isFile ? { step: task.step, error: goesWithItsObject() } : task;
}

/** Deletes everything below a prefix that is meant, but for what an object that stays may need. */
export function deletionsBelow(
  context: TransferContext,
  address: ObjectAddress,
  isMeant: PathFilter,
): AsyncGenerator<Task> {
  return deletions(context, address, ({ name }) => isMeant(name));
}

/** Deletes what only the target of a sync has, each if it is still what was listed; what came meanwhile stays. */
export function deletionsOfExtraneous(
  context: TransferContext,
  address: ObjectAddress,
  extraneous: readonly ListedObject[],
): AsyncGenerator<Task> {
  const gone = new Map(extraneous.map(({ Key, ETag }) => [Key, ETag]));
  return deletions(context, address, ({ Key, ETag }) => gone.has(Key) && gone.get(Key) === ETag, true);
}

/**
 * What an object that stays may need is left, whatever it is called: what has the object's key in front, and holds an envelope
 * or may not be read. The files of an object that goes are left to its own deletion.
 */
async function* deletions(
  context: TransferContext,
  address: ObjectAddress,
  goes: (object: ListedObject) => boolean,
  isBound = false,
): AsyncGenerator<Task> {
  const { plain, filesBeside, signal: abortSignal, parameters } = context;
  const { Bucket } = address;
  const { RequestPayer } = parameters.get;
  const beside = filesBeside(Bucket, "get");
  const listing = objectsBelow(plain, address, { abortSignal, ...(RequestPayer && { RequestPayer }) });
  const staying = new KeysAround();
  for await (const object of beside.without(listing)) {
    const { Key, ETag } = object;
    const isGone = goes(object);
    const owners = staying.next(Key, !isGone);
    if (!isGone) continue;
    const task = deletionOf(context, { Bucket, Key }, isBound ? ETag : undefined);
    if (owners.length > 0 && (await beside.mayBeNeeded(object))) yield { step: task.step, skip: "needed" };
    else yield task;
  }
}

/** Deletes files below a folder that are still what was listed; what a link to a folder leads to is left. */
export async function* fileDeletions(folder: string, files: readonly LocalFile[]): AsyncGenerator<Task> {
  for (const file of files) {
    const step = { operation: "delete", from: shownPath(file.path) } as const;
    if (file.isBehindLink === true) {
      yield { step, skip: "linked" };
      continue;
    }
    yield {
      step,
      size: 0,
      run: async () => {
        // A folder may have become a link since.
        await assertBehindNoLink(folder, file);
        await removeUnchanged(file);
        return { state: "done", bytes: 0 };
      },
    };
  }
}
