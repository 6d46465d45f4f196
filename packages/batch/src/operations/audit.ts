import { type AuditedObject, type AuditObjectsOptions, auditObjects } from "@s3ec/bulk";
import { printable } from "@s3ec/envelope";
import { MAX_RESULT_LENGTH, type Outcome, permanent, succeeded } from "../response.js";
import { untroubled } from "../trouble.js";
import type { ObjectTask } from "./object-task.js";

/** What an audit finds there. Throws what will pass; whatever else cannot be told is said in what it finds. */
export async function auditOne(
  { target, settings, connection, signal }: ObjectTask,
  asked: Pick<AuditObjectsOptions, "areFilesListed" | "keyQuestion" | "messages">,
): Promise<AuditedObject> {
  const { Bucket, Key, VersionId } = target;
  async function* objects() {
    yield { Key, ...(VersionId === undefined ? {} : { VersionId }) };
  }
  const look = async (): Promise<AuditedObject> => {
    const results = auditObjects(connection.client, objects(), {
      Bucket,
      wrapAlgorithms: connection.wrapAlgorithms,
      abortSignal: signal,
      ...(settings.suffix === undefined ? {} : { instructionFileSuffixes: [settings.suffix] }),
      ...asked,
    });
    for await (const found of results) return found;
    throw new Error("An audit of one object has found none.");
  };
  return await untroubled(
    look,
    ({ state, problem, needsKey }) => state === "unknown" || problem !== undefined || needsKey === "unknown",
  );
}

/** `audit`: what is stored, as JSON without the key. */
export async function audit(task: ObjectTask): Promise<Outcome> {
  const { keyOf } = task.connection;
  const found = await auditOne(task, {
    areFilesListed: task.settings.filesListed,
    ...(keyOf === undefined ? {} : { keyQuestion: keyOf.question }),
  });
  return found.state === "unknown"
    ? permanent(found.problem ?? "It could not be looked at.")
    : succeeded(textOf(found));
}

/**
 * As much of it as a report holds: JSON that can be read by a program, too. Whether it needs the key comes first, and is never left
 * out: somebody deletes the key for its absence.
 */
function textOf({ Key: _key, VersionId: _version, ...found }: AuditedObject): string {
  const { needsKey, state, owner, problem, wraps, ...rest } = found;
  const first = { ...(needsKey === undefined ? {} : { needsKey }), state };
  const named = { ...(owner === undefined ? {} : { owner }), ...(problem === undefined ? {} : { problem }) };
  const undescribed = wraps.map(({ description: _, ...wrap }) => wrap);
  const cut = problem === undefined ? {} : { problem: `${problem.slice(0, 100)}...` };
  const shorter = [
    { ...first, ...rest, wraps, ...named },
    { ...first, ...rest, wraps: undescribed, ...named },
    { ...first, ...rest, wraps: wraps.length, ...named },
    { ...first, ...rest, wraps: wraps.length, ...cut },
    { ...first, ...rest, wraps: wraps.length },
  ];
  const texts = shorter.map((each) => JSON.stringify(each));
  return texts.find((text) => printable(text).length <= MAX_RESULT_LENGTH) ?? JSON.stringify(first);
}
