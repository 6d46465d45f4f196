import { InvalidArgumentError } from "commander";

/** Where an object is. */
export interface ObjectAddress {
  readonly Bucket: string;
  readonly Key: string;
}

/** Reads `s3://bucket/key`; the key is taken as it stands, without URL decoding. */
export function objectAddress(text: string): ObjectAddress {
  const [, Bucket, Key] = /^s3:\/\/([^/]+)\/(.+)$/s.exec(text) ?? [];
  if (Bucket === undefined || Key === undefined) throw new InvalidArgumentError("Write it as s3://bucket/key.");
  return { Bucket, Key };
}

export function formatAddress({ Bucket, Key }: ObjectAddress): string {
  return `s3://${Bucket}/${Key}`;
}
