import { S3EncryptionError } from "@s3ec/materials";
import type { ObjectAddress } from "../object-address.js";
import { copyOne } from "./copy-one.js";
import { downloadOne } from "./download-one.js";
import { wouldReplaceFile } from "./files-beside.js";
import { pathBelow } from "./local-target.js";
import type { LocalFile } from "./local-tree.js";
import { type Place, shownPlace } from "./place.js";
import { type PlacePair, targetOf } from "./place-pair.js";
import type { Task } from "./run-tasks.js";
import { TargetFolder } from "./target-folder.js";
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
  /** Where downloads take the names of their objects. */
  readonly #folder: TargetFolder | undefined;

  constructor(context: TransferContext, pair: PlacePair) {
    const { to, takesName, isMany } = pair;
    const { configuration } = context;
    this.#context = context;
    this.#pair = pair;
    this.#folder = takesName && to.kind === "local" ? new TargetFolder(to.path, { isMany, configuration }) : undefined;
  }

  /** The step of one, as it is reported. */
  step(from: Place, to: Place): Step {
    const operation = this.#context.isMove ? "move" : this.#pair.direction;
    return { operation, from: shownPlace(from), to: shownPlace(to) };
  }

  /** What transfers one to where it belongs. */
  of({ place, name, size, versionId, file }: Found): Task {
    const to = targetOf(this.#pair, name);
    const step = this.step(place, to);
    if (place.kind === "s3" && to.kind !== "s3") {
      const version = versionId === undefined ? {} : { VersionId: versionId };
      const from = { Bucket: place.Bucket, Key: place.Key, ...version };
      const folder = this.#folder;
      if (folder === undefined || to.kind !== "local") {
        return { step, size, run: (onBytes) => downloadOne(this.#context, from, { to }, onBytes) };
      }
      try {
        const below = { kind: "local", path: pathBelow(folder.path, name) } as const;
        const run = (onBytes: OnBytes): Promise<TransferOutcome> =>
          folder.write(below.path, (isThere) => downloadOne(this.#context, from, { to: below, isThere }, onBytes));
        return { step, size, run };
      } catch (error) {
        return { step, error };
      }
    }
    if (to.kind !== "s3") {
      return { step, error: new S3EncryptionError("invalid-argument", "Neither of the two is in S3.") };
    }
    const address = { Bucket: to.Bucket, Key: to.Key };
    const write = (onBytes: OnBytes): Promise<TransferOutcome> => {
      if (place.kind !== "s3") return uploadOne(this.#context, place, address, onBytes, file);
      const version = versionId === undefined ? {} : { VersionId: versionId };
      return copyOne(this.#context, { Bucket: place.Bucket, Key: place.Key, ...version }, address, onBytes);
    };
    return { step, size, run: (onBytes) => this.#whereNoFileIs(address, () => write(onBytes)) };
  }

  /** What is written over the file beside an object is lost to whoever reads that by it. */
  async #whereNoFileIs<T>({ Bucket, Key }: ObjectAddress, work: () => Promise<T>): Promise<T> {
    if (await this.#context.filesBeside(Bucket, "get").isFileThere(Key)) throw wouldReplaceFile();
    return await work();
  }
}
