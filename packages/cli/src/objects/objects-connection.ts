import { plainClientOf } from "@s3ec/client";
import { connect } from "../connection.js";
import type { Interrupts } from "../interruption.js";
import type { ObjectAddress } from "../object-address.js";
import { warn } from "../printing.js";
import { type ReadingOptions, reading } from "../target-options.js";
import { DurableNames } from "./durable-names.js";
import { FilesBeside } from "./files-beside.js";
import type { ObjectOptions, RequestOptions } from "./object-options.js";
import { objectParameters } from "./object-parameters.js";
import type { PlainMode, TransferContext } from "./transfer-context.js";

/** What a command that moves objects is told. */
export interface ObjectsOptions extends ReadingOptions, ObjectOptions, RequestOptions {
  readonly plain?: Exclude<PlainMode, "refuse">;
  readonly expectedSize?: number;
  readonly verbose?: boolean;
}

export interface ObjectsCommand {
  /** Any of the buckets. */
  readonly address: ObjectAddress;
  readonly isMove?: boolean;
  /** Standard input has the object, and cannot have a key as well. */
  readonly readsStandardInput?: boolean;
}

/** Does what a command is for, with what it takes to do it, in the time that a signal leaves. */
export async function withObjects<T>(
  options: ObjectsOptions,
  { address, isMove = false, readsStandardInput = false }: ObjectsCommand,
  interrupts: Interrupts,
  work: (context: TransferContext) => Promise<T>,
): Promise<T> {
  const parameters = await objectParameters(options);
  const { client, instructionFileSuffixes, dispose } = await connect(options, address.Bucket, {
    stdin: readsStandardInput ? false : process.stdin,
    onWarning: warn,
  });
  const { suffix, plain = "refuse", overwrite = true, expectedSize, verbose = false } = options;
  const suffixes = [...instructionFileSuffixes, ...(suffix === undefined ? [] : [suffix])];
  const known = new Map<string, FilesBeside>();
  const filesBeside: TransferContext["filesBeside"] = (bucket, read) => {
    const name = JSON.stringify([bucket, read]);
    const get = parameters[read];
    const beside =
      known.get(name) ?? new FilesBeside(client, bucket, { suffixes, get, abortSignal: interrupts.signal });
    known.set(name, beside);
    return beside;
  };
  try {
    return await interrupts.transfer(
      () =>
        work({
          client,
          plain: plainClientOf(client),
          call: reading(options),
          parameters,
          plainMode: plain,
          filesBeside,
          names: new DurableNames(),
          configuration: options.config,
          isMove,
          overwrite,
          ...(expectedSize === undefined ? {} : { expectedSize }),
          verbose,
          signal: interrupts.signal,
        }),
      async () => "some",
    );
  } finally {
    await dispose();
  }
}
