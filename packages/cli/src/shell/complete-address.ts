import { ListBucketsCommand, ListObjectsV2Command, type S3Client } from "@aws-sdk/client-s3";

/** Keys and folders that are offered. */
const MAX_KEYS = 100;

/** Milliseconds that whoever has pressed a key may have to wait. */
const PATIENCE = 2000;

/** Addresses that begin so: of buckets, or of objects and folders of one. None where S3 does not answer in time, or at all. */
export async function completeAddress(client: S3Client, address: string): Promise<readonly string[]> {
  const abortSignal = AbortSignal.timeout(PATIENCE);
  try {
    const [, bucket = "", key] = /^s3:\/\/([^/]*)(?:\/(.*))?$/s.exec(address) ?? [];
    if (key === undefined) {
      const { Buckets = [] } = await client.send(new ListBucketsCommand({}), { abortSignal });
      const names = Buckets.flatMap(({ Name = "" }) => (Name.startsWith(bucket) ? [Name] : []));
      return names.map((name) => `s3://${name}/`);
    }
    const listed = await client.send(
      new ListObjectsV2Command({ Bucket: bucket, Prefix: key, Delimiter: "/", MaxKeys: MAX_KEYS }),
      { abortSignal },
    );
    const folders = (listed.CommonPrefixes ?? []).flatMap(({ Prefix }) => Prefix ?? []);
    const keys = (listed.Contents ?? []).flatMap(({ Key }) => Key ?? []);
    // A word of a shell is one line.
    return [...folders, ...keys].filter((each) => !/\p{Cc}/u.test(each)).map((each) => `s3://${bucket}/${each}`);
  } catch {
    return [];
  }
}
