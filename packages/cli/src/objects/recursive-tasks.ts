import { type FilesBeside, wouldReplaceFile } from "./files-beside.js";
import { type FoundBelow, foundBelow } from "./found-below.js";
import { KeysAround } from "./keys-around.js";
import type { TreeOptions } from "./local-tree.js";
import type { PathFilter } from "./path-filter.js";
import { type PlacePair, targetOf } from "./place-pair.js";
import type { Task } from "./run-tasks.js";
import type { TransferContext } from "./transfer-context.js";
import type { Step } from "./transfer-report.js";
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

/** Makes the task of each that is found, in S3's order: it is told also of those that have none. */
export class TaskOfFound {
  readonly #pair: PlacePair;
  readonly #tasks: TransferTasks;
  readonly #beside: FilesBeside | undefined;
  readonly #around = new KeysAround();

  constructor(context: TransferContext, pair: PlacePair) {
    this.#pair = pair;
    this.#tasks = new TransferTasks(context, pair);
    // What is copied as it is has no files that it had not.
    const encrypts = pair.direction === "upload" || (pair.direction === "copy" && context.plainMode === "encrypt");
    this.#beside = encrypts && pair.to.kind === "s3" ? context.filesBeside(pair.to.Bucket, "get") : undefined;
  }

  of(found: FoundBelow): Task {
    const step = this.#step(found);
    const isFileOfAnother = this.passed(found);
    if ("unread" in found) return { step, skip: "unread", problem: found.unread.unread };
    return isFileOfAnother ? { step, error: wouldReplaceFile() } : this.#tasks.of(found);
  }

  /** Of what could not be compared: the others go on. */
  failed(found: FoundBelow, error: unknown): Task {
    this.passed(found);
    return { step: this.#step(found), error };
  }

  /** Remembers one, whose file another must not become, also where nothing is done to it; tells whether that is such another. */
  passed({ name }: FoundBelow): boolean {
    const to = targetOf(this.#pair, name);
    if (this.#beside === undefined || to.kind !== "s3") return false;
    return this.#beside.mayBelongTo(to.Key, this.#around.next(to.Key));
  }

  #step({ place, name }: FoundBelow): Step {
    return this.#tasks.step(place, targetOf(this.#pair, name));
  }
}
