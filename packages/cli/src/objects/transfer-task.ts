import { S3EncryptionError } from "@s3ec/materials";
import { copyOne } from "./copy-one.js";
import { downloadOne } from "./download-one.js";
import { pathBelow } from "./local-target.js";
import type { LocalFile } from "./local-tree.js";
import { type Place, shownPlace } from "./place.js";
import { type PlacePair, targetOf } from "./place-pair.js";
import type { Task } from "./run-tasks.js";
import type { OnBytes, TransferContext, TransferOutcome } from "./transfer-context.js";
import type { Step } from "./transfer-report.js";
import { uploadOne } from "./upload-one.js";

/** One that is transferred, as it was found. */
export interface Found {
  readonly place: Place;
  /** What it is called below the source, with slashes. */
  readonly name: string;
  /** Bytes of plaintext, as far as known. */
  readonly size: number;
  readonly versionId?: string;
  /** Where it was found in a folder. */
  readonly file?: LocalFile;
}

/** Makes the tasks of one command. */
export class TransferTasks {
  readonly #context: TransferContext;
  readonly #pair: PlacePair;
  /** Downloads to names that a file system may take for the same wait for each other. */
  readonly #underWay = new Map<string, Promise<unknown>>();

  constructor(context: TransferContext, pair: PlacePair) {
    this.#context = context;
    this.#pair = pair;
  }

  /** The step of one, as it is reported. */
  step(from: Place, to: Place): Step {
    const operation = this.#context.isMove ? "move" : this.#pair.direction;
    return { operation, from: shownPlace(from), to: shownPlace(to) };
  }

  /** What transfers one to where it belongs. */
  of({ place, name, size, versionId, file }: Found): Task {
    const { to: target, takesName } = this.#pair;
    const to = targetOf(this.#pair, name);
    const step = this.step(place, to);
    if (place.kind === "s3" && to.kind !== "s3") {
      const version = versionId === undefined ? {} : { VersionId: versionId };
      const from = { Bucket: place.Bucket, Key: place.Key, ...version };
      if (!takesName || target.kind !== "local") {
        return { step, size, run: (onBytes) => downloadOne(this.#context, from, { to }, onBytes) };
      }
      try {
        const below = { kind: "local", path: pathBelow(target.path, name) } as const;
        const run = (onBytes: OnBytes): Promise<TransferOutcome> =>
          this.#oneByOne(below.path, () =>
            downloadOne(this.#context, from, { to: below, within: target.path }, onBytes),
          );
        return { step, size, run };
      } catch (error) {
        return { step, error };
      }
    }
    if (to.kind !== "s3") {
      return { step, error: new S3EncryptionError("invalid-argument", "Neither of the two is in S3.") };
    }
    const address = { Bucket: to.Bucket, Key: to.Key };
    if (place.kind !== "s3") {
      return { step, size, run: (onBytes) => uploadOne(this.#context, place, address, onBytes, file) };
    }
    const from = { Bucket: place.Bucket, Key: place.Key, ...(versionId === undefined ? {} : { VersionId: versionId }) };
    return { step, size, run: (onBytes) => copyOne(this.#context, from, address, onBytes) };
  }

  async #oneByOne<T>(path: string, work: () => Promise<T>): Promise<T> {
    const name = path.normalize().toLowerCase();
    const before = this.#underWay.get(name) ?? Promise.resolve();
    const mine = before.then(work, work);
    this.#underWay.set(name, mine);
    try {
      return await mine;
    } finally {
      if (this.#underWay.get(name) === mine) this.#underWay.delete(name);
    }
  }
}
