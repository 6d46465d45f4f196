import type { HeadObjectCommandOutput } from "@aws-sdk/client-s3";
import { putBackAnnotations, type RewrappedObject, rewrapObject } from "@s3ec/client";
import { S3EncryptionError, type WrapPlace } from "@s3ec/materials";
import { isTemporary } from "../failure.js";
import { type Outcome, succeeded } from "../response.js";
import { type AlreadyThere, alreadyThere } from "./already-there.js";
import { nothingToDo } from "./nothing-to-do.js";
import { keeping, type ObjectTask, reading } from "./object-task.js";

/** With what a rewrap fails of an object that has been re-wrapped: the old key does not open it, or is seen to be the new one. */
const MAY_BE_DONE: ReadonlySet<string> = new Set([
  "context-mismatch",
  "decryption-failed",
  "invalid-argument",
  "key-unavailable",
  "no-matching-key",
]);

/** Bytes that S3 copies in one request. */
const ONE_COPY = 5 * 1024 ** 3;

/** `rewrap`: gives the data key another wrap; the content stays as it is. */
export async function rewrap(task: ObjectTask, { ContentLength = 0 }: HeadObjectCommandOutput): Promise<Outcome> {
  const { settings, connection, target, signal } = task;
  const { recipient, toContext, sameOwner, verify, enforceRotation } = settings;
  if (connection.to === undefined) throw new Error("There is nothing to re-wrap to.");
  // Otherwise a key that reads what the new one wraps would wrap it again with every call.
  const before = enforceRotation ? undefined : doneAlready(await alreadyThere(task));
  if (before !== undefined) {
    // A copy in parts that broke off has set annotations aside.
    const { Bucket, Key } = target;
    if (ContentLength > ONE_COPY) await putBackAnnotations(connection.client, { Bucket, Key, abortSignal: signal });
    return before;
  }
  try {
    const done = await rewrapObject(connection.client, {
      ...target,
      ...reading(task),
      ...keeping(task),
      to: {
        materialsManager: connection.to.materialsManager,
        ...(toContext === undefined ? {} : { encryptionContext: toContext }),
      },
      ...(recipient === undefined ? {} : { recipient }),
      owner: sameOwner ? "same" : "another",
      verify,
      enforceRotation,
      abortSignal: signal,
    });
    return succeeded(described(done));
  } catch (error) {
    const outcome = (await nothingToDo(task, error)) ?? (await doneBefore(task, error));
    if (outcome !== undefined) return outcome;
    throw error;
  }
}

async function doneBefore(task: ObjectTask, error: unknown): Promise<Outcome | undefined> {
  if (!(error instanceof S3EncryptionError) || !MAY_BE_DONE.has(error.code) || isTemporary(error)) return undefined;
  return doneAlready(await alreadyThere(task));
}

function doneAlready(state: AlreadyThere | undefined): Outcome | undefined {
  switch (state) {
    case "verified":
      return succeeded("already there: the new key opens its wrap.");
    case "unverified":
      return succeeded("already there, unverified: its wrap says that it is the new key's, and cannot be opened here.");
    default:
      return undefined;
  }
}

const VERIFIED: Readonly<Record<RewrappedObject["verified"], string>> = {
  content: "the new key opens it, and the content's tag is right",
  envelope: "the new key opens it",
  unverified: "nothing was verified",
};

function described({ place, wrapAlgorithm, verified, changed, replacedVersionId }: RewrappedObject): string {
  return [
    `rewrapped: with ${wrapAlgorithm}, in ${placeOf(place)}; ${VERIFIED[verified]}.`,
    ...(replacedVersionId === undefined
      ? []
      : [`The version ${replacedVersionId} keeps the old wrap, and needs the old key.`]),
    ...(changed.length === 0 ? [] : [`Not as before: ${changed.join(", ")}.`]),
  ].join(" ");
}

function placeOf(place: WrapPlace): string {
  if (place.in === "metadata") return "its metadata";
  return place.in === "annotation"
    ? `the annotation ${place.name}`
    : `the file ${JSON.stringify(place.suffix)} beside it`;
}
