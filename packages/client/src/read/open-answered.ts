import type { GetObjectCommandInput } from "@aws-sdk/client-s3";
import type { ObjectFormat, OpenedObject } from "@s3ec/materials";
import type { CallOptions } from "../call-options.js";
import type { ResolvedOptions } from "../options.js";
import { type Beside, openStored, type StoredObject } from "./open-stored.js";
import { formatsOf, recognise } from "./recognise.js";

/** An object whose stored bytes are there to be read. */
export interface Answered {
  /** What is known of it. */
  readonly output: StoredObject["output"];
  /** The stored bytes that are still to be read. */
  chunks: AsyncIterable<Uint8Array>;
  /** What lies beside it. */
  beside(input: GetObjectCommandInput): Beside;
}

/** Finds out what was answered, and opens it: every gate and the data key, and nothing of the content. */
export async function openAnswered(
  options: ResolvedOptions,
  call: CallOptions,
  input: GetObjectCommandInput,
  answered: Answered,
): Promise<{ readonly opened: OpenedObject; readonly format: ObjectFormat }> {
  const { output } = answered;
  const { format, head, chunks } = await recognise(formatsOf(options, call), output, answered.chunks);
  answered.chunks = chunks;
  const beside = answered.beside(input);
  return { opened: await openStored(options, call, { input, output, format, head, beside }), format };
}
