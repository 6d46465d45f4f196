import { createSecretKey, randomBytes } from "node:crypto";
import {
  CopyObjectCommand,
  CreateBucketCommand,
  GetObjectCommand,
  GetObjectTaggingCommand,
  HeadObjectCommand,
  PutObjectCommand,
  S3Client,
} from "@aws-sdk/client-s3";
import { migrateObject, rewrapObject, S3EncryptionClient } from "@s3ec/client";
import { RawAesKeyring } from "@s3ec/keyring-raw-aes";
import type { Judged } from "../peers/verdict.js";
import { CREDENTIALS, type Server } from "../servers/servers.js";

const Bucket = "written-anew";
/** Bytes above which a copy is made in parts here; S3's own limit would take a minute. */
const copyLimit = 5 * 1024 ** 2;
const DESCRIBED = {
  ContentType: "text/plain",
  CacheControl: "no-store",
  ContentDisposition: "inline",
  Tagging: "a=1&b=2",
  Metadata: { mine: "1", other: "2", third: "3" },
};

interface Check extends Judged {
  readonly check: string;
}

/**
 * Everything that writes a stored object again, on a store that none of ours made, which checks no condition on the target of
 * a copy and says metadata in another order each time: the content is read by the new key, and what is said of it stays.
 */
export async function writtenAnew({ endpoint, region }: Server): Promise<readonly Check[]> {
  const config = { endpoint, region, credentials: CREDENTIALS, forcePathStyle: true, maxAttempts: 1 };
  const [old, current] = ["old", "new"].map(
    (key) => new RawAesKeyring({ wrappingKey: createSecretKey(randomBytes(32)), materialDescription: { key } }),
  ) as [RawAesKeyring, RawAesKeyring];
  const plain = new S3Client(config);
  const clientOf = (
    keyring: RawAesKeyring,
    commitmentPolicy: "REQUIRE_ENCRYPT_ALLOW_DECRYPT" | "FORBID_ENCRYPT_ALLOW_DECRYPT",
  ) => new S3EncryptionClient({ ...config, encryption: { keyring, commitmentPolicy } });
  const writer = clientOf(old, "REQUIRE_ENCRYPT_ALLOW_DECRYPT");
  const legacy = clientOf(old, "FORBID_ENCRYPT_ALLOW_DECRYPT");
  const reader = clientOf(current, "REQUIRE_ENCRYPT_ALLOW_DECRYPT");
  await plain.send(new CreateBucketCommand({ Bucket }));

  const described = async (Key: string): Promise<string> => {
    const head = await plain.send(new HeadObjectCommand({ Bucket, Key }));
    const { TagSet = [] } = await plain.send(new GetObjectTaggingCommand({ Bucket, Key }));
    const { mine, other, third } = head.Metadata ?? {};
    const tags = TagSet.map((tag) => `${tag.Key}=${tag.Value}`).sort();
    return JSON.stringify([head.ContentType, head.CacheControl, head.ContentDisposition, mine, other, third, tags]);
  };
  const check = async (
    name: string,
    { body, by, key = "object" }: { body: Buffer; by: S3EncryptionClient; key?: string },
    work: () => Promise<unknown>,
    opened: S3EncryptionClient = reader,
  ): Promise<Check> => {
    const expected = { outcome: "ok", reason: "docs/move-buckets.md, docs/leave-cbc.md" } as const;
    try {
      await by.send(new PutObjectCommand({ Bucket, Key: "object", Body: body, ...DESCRIBED }));
      const before = await described("object");
      await work();
      const { Body } = await opened.send(new GetObjectCommand({ Bucket, Key: key }));
      const bytes = Buffer.from((await Body?.transformToByteArray()) ?? []);
      const now = await described(key);
      if (!bytes.equals(body))
        return { check: name, expected, outcome: "wrong-bytes", detail: `${bytes.length} bytes` };
      if (now !== before) return { check: name, expected, outcome: "wrong-bytes", detail: `${now} for ${before}` };
      return { check: name, expected, outcome: "ok", detail: "" };
    } catch (error) {
      return { check: name, expected, outcome: "refused", detail: String(error) };
    }
  };
  const [small, large] = [randomBytes(1000), randomBytes(11 * 1024 ** 2)];
  const at = { Bucket, Key: "object" };
  const to = { keyring: current };
  const copy = (Key: string) =>
    writer.send(
      new CopyObjectCommand({
        ...DESCRIBED,
        Bucket,
        Key,
        CopySource: `${Bucket}/object`,
        MetadataDirective: "REPLACE",
      }),
    );
  const cells = [
    await check("rewrapObject", { body: small, by: writer }, () => rewrapObject(writer, { ...at, to })),
    await check("rewrapObject in parts", { body: large, by: writer }, () =>
      rewrapObject(writer, { ...at, to, copyLimit }),
    ),
    await check("rewrapObject of V2", { body: small, by: legacy }, () => rewrapObject(writer, { ...at, to })),
    await check("migrateObject", { body: small, by: legacy }, () => migrateObject(writer, { ...at, to })),
    await check("migrateObject of more", { body: large, by: legacy }, () => migrateObject(writer, { ...at, to })),
    await check("REPLACE in place", { body: small, by: writer }, () => copy("object"), writer),
    await check("REPLACE elsewhere", { body: small, by: writer, key: "elsewhere" }, () => copy("elsewhere"), writer),
  ];
  for (const client of [plain, writer, legacy, reader]) client.destroy();
  return cells;
}
