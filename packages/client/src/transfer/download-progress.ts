import type { GetObjectCommandInput } from "@aws-sdk/client-s3";
import { type TransferPace, TransferSpeed } from "./transfer-speed.js";

/** How far a download is, in bytes of plaintext, and how fast. */
export interface DownloadProgress extends TransferPace {
  /** Bytes of plaintext that the file or stream has. */
  readonly loaded: number;
  /** Absent for CBC, whose padding hides it, and for signed messages. */
  readonly total?: number;
  /** Of the object, as the download's `params` name it. */
  readonly Key?: string;
  /** Of the object, as the download's `params` name it. */
  readonly Bucket?: string;
}

/** Tells how far a download is. */
export class DownloadCounter {
  loaded = 0;
  readonly total: number | undefined;
  readonly #params: GetObjectCommandInput;
  readonly #onProgress: (progress: DownloadProgress) => void;
  #speed: TransferSpeed;

  constructor(
    {
      params,
      onProgress,
    }: {
      readonly params: GetObjectCommandInput;
      readonly onProgress: (progress: DownloadProgress) => void;
    },
    total: number | undefined,
  ) {
    this.#params = params;
    this.#onProgress = onProgress;
    this.total = total;
    this.#speed = new TransferSpeed(total);
  }

  /** With what was there before. */
  begin(loaded: number): void {
    this.loaded = loaded;
    this.#speed = new TransferSpeed(this.total, loaded);
  }

  async *count(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
    for await (const chunk of chunks) {
      yield chunk;
      this.add(chunk.length);
    }
  }

  add(length: number): void {
    const { Bucket, Key } = this.#params;
    this.loaded += length;
    this.#onProgress({
      loaded: this.loaded,
      ...(this.total === undefined ? {} : { total: this.total }),
      ...this.#speed.at(this.loaded),
      ...(Key === undefined ? {} : { Key }),
      ...(Bucket === undefined ? {} : { Bucket }),
    });
  }
}
