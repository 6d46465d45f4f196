import { verifyObject } from "@s3ec/client";
import { type Outcome, succeeded } from "../response.js";
import { nothingToDo } from "./nothing-to-do.js";
import { type ObjectTask, reading } from "./object-task.js";

/** `verify`: opens the object and authenticates all of its content, and writes nothing. */
export async function verify(task: ObjectTask): Promise<Outcome> {
  try {
    const done = await verifyObject(task.connection.client, {
      ...task.target,
      ...reading(task),
      abortSignal: task.signal,
    });
    const { length, formatName, isAuthenticated } = done;
    return succeeded(
      isAuthenticated
        ? `verified: all of its ${length} bytes are authentic (format ${formatName}).`
        : `unauthenticated: its ${length} bytes were decrypted to their end; nothing authenticates CBC.`,
    );
  } catch (error) {
    const outcome = await nothingToDo(task, error);
    if (outcome !== undefined) return outcome;
    throw error;
  }
}
