import { type AuditedObject, auditObjects, type KeyQuestion } from "@s3ec/bulk";
import { MAX_RESULT_LENGTH, type Outcome, permanent, succeeded } from "../response.js";
import type { Settings } from "../settings.js";
import { untroubled } from "../trouble.js";
import type { ObjectTask } from "./object-task.js";

/** What an audit finds there. Throws what will pass; whatever else cannot be told is said in what it finds. */
export async function auditOne(
  { target, settings, connection, signal }: ObjectTask,
  keyQuestion?: KeyQuestion,
  messages = false,
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
      messages,
      // A migration looks at an object's own wrap, unless it is told to read another.
      areFilesListed: settings.operation === "audit" ? settings.filesListed : isOwnWrap(settings),
      ...(settings.suffix === undefined ? {} : { instructionFileSuffixes: [settings.suffix] }),
      ...(keyQuestion === undefined ? {} : { keyQuestion }),
    });
    for await (const found of results) return found;
    throw new Error("An audit of one object has found none.");
  };
  return await untroubled(
    look,
    ({ state, problem, needsKey }) => state === "unknown" || problem !== undefined || needsKey === "unknown",
  );
}

function isOwnWrap({ operation, suffix, recipient }: Settings): boolean {
  return operation === "migrate" && suffix === undefined && recipient === undefined;
}

/** `audit`: what is stored, as JSON without the key. */
export async function audit(task: ObjectTask): Promise<Outcome> {
  const found = await auditOne(task, task.connection.keyOf?.question);
  return found.state === "unknown"
    ? permanent(found.problem ?? "It could not be looked at.")
    : succeeded(textOf(found));
}

/** As much of it as a report holds: JSON that can be read by a program, too. */
function textOf({ Key: _key, VersionId: _version, ...found }: AuditedObject): string {
  const wraps = found.wraps.map(({ description: _, ...wrap }) => wrap);
  const problem = found.problem === undefined ? {} : { problem: `${found.problem.slice(0, 200)}...` };
  const shorter = [
    found,
    { ...found, wraps },
    { ...found, wraps: wraps.length },
    { ...found, wraps: wraps.length, ...problem },
  ];
  const texts = shorter.map((each) => JSON.stringify(each));
  return texts.find((text) => text.length <= MAX_RESULT_LENGTH) ?? texts.at(-1) ?? "";
}
