import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  type CompleteMultipartUploadCommandInput,
  type CompleteMultipartUploadCommandOutput,
  CreateMultipartUploadCommand,
  type CreateMultipartUploadCommandInput,
  ListPartsCommand,
  type ListPartsCommandInput,
  type ListPartsCommandOutput,
  type S3Client,
  UploadPartCommand,
  type UploadPartCommandInput,
} from "@aws-sdk/client-s3";
import { BUCKET } from "./fixture.js";

export const MiB = 1024 * 1024;

/** An upload that a test drives command by command, as a caller who knows nothing of the encryption does. */
export class DrivenUpload {
  readonly id: string;
  readonly #client: S3Client;
  readonly #key: string;
  readonly #answered = new Map<number, string | undefined>();

  private constructor(client: S3Client, key: string, id: string) {
    this.#client = client;
    this.#key = key;
    this.id = id;
  }

  static async create(
    client: S3Client,
    Key: string,
    more: Partial<CreateMultipartUploadCommandInput> = {},
  ): Promise<DrivenUpload> {
    const { UploadId = "" } = await client.send(new CreateMultipartUploadCommand({ Bucket: BUCKET, Key, ...more }));
    return new DrivenUpload(client, Key, UploadId);
  }

  get named(): { readonly Bucket: string; readonly Key: string; readonly UploadId: string } {
    return { Bucket: BUCKET, Key: this.#key, UploadId: this.id };
  }

  async part(
    PartNumber: number,
    Body: NonNullable<UploadPartCommandInput["Body"]>,
    more: Partial<UploadPartCommandInput> = {},
    signal?: AbortSignal,
  ): Promise<string | undefined> {
    const command = new UploadPartCommand({ ...this.named, PartNumber, Body, ...more });
    const { ETag } = await this.#client.send(command, signal === undefined ? {} : { abortSignal: signal });
    this.#answered.set(PartNumber, ETag);
    return ETag;
  }

  get list(): { PartNumber: number; ETag: string | undefined }[] {
    return [...this.#answered].sort(([a], [b]) => a - b).map(([PartNumber, ETag]) => ({ PartNumber, ETag }));
  }

  complete(more: Partial<CompleteMultipartUploadCommandInput> = {}): Promise<CompleteMultipartUploadCommandOutput> {
    const input = { ...this.named, MultipartUpload: { Parts: this.list }, ...more };
    return this.#client.send(new CompleteMultipartUploadCommand(input));
  }

  async abort(): Promise<void> {
    await this.#client.send(new AbortMultipartUploadCommand(this.named));
  }

  parts(more: Partial<ListPartsCommandInput> = {}): Promise<ListPartsCommandOutput> {
    return this.#client.send(new ListPartsCommand({ ...this.named, ...more }));
  }
}
