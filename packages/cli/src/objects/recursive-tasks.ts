import { S3EncryptionError } from "@s3ec/materials";
import type { FilesBeside } from "./files-beside.js";
import { type FoundBelow, foundBelow } from "./found-below.js";
import { KeysAround } from "./keys-around.js";
import type { TreeOptions } from "./local-tree.js";
import type { PathFilter } from "./path-filter.js";
import { type PlacePair, targetOf } from "./place-pair.js";
import type { Task } from "./run-tasks.js";
import type { TransferContext } from "./transfer-context.js";
import { TransferTasks } from "./transfer-task.js";

/** Everything below the source, to be transferred. */
export async function* recursiveTasks(
  context: TransferContext,
  pair: PlacePair,
  isMeant: PathFilter,
  options: TreeOptions,
): AsyncGenerator<Task> {
  const tasks = new TaskOfFound(context, pair);
  const isCopied = pair.direction === "copy";
  for await (const found of foundBelow(context, pair.from, isMeant, { ...options, isCopied })) yield tasks.of(found);
}

/** Makes the task of each that is found, in S3's order. */
export class TaskOfFound {
  readonly #pair: PlacePair;
  readonly #tasks: TransferTasks;
  readonly #beside: FilesBeside | undefined;
  readonly #around = new KeysAround();

  constructor(context: TransferContext, pair: PlacePair) {
    this.#pair = pair;
    this.#tasks = new TransferTasks(context, pair);
    this.#beside =
      pair.direction === "upload" && pair.to.kind === "s3" ? context.filesBeside(pair.to.Bucket, "get") : undefined;
  }

  of(found: FoundBelow): Task {
    const to = targetOf(this.#pair, found.name);
    const step = this.#tasks.step(found.place, to);
    if ("unread" in found) return { step, skip: "unread", problem: found.unread.unread };
    if (this.#beside !== undefined && to.kind === "s3" && this.#isFileOfAnother(to.Key)) {
      return {
        step,
        error: new S3EncryptionError(
          "unsupported-operation",
          "Its key is that of the instruction file of another that is uploaded, which would be lost: name it otherwise.",
        ),
      };
    }
    return this.#tasks.of(found);
  }

  /** Of what could not be compared: the others go on. */
  failed(found: FoundBelow, error: unknown): Task {
    return { step: this.#tasks.step(found.place, targetOf(this.#pair, found.name)), error };
  }

  /** Remembers what comes, too. */
  #isFileOfAnother(key: string): boolean {
    return this.#beside?.mayBelongTo(key, this.#around.next(key)) === true;
  }
}
