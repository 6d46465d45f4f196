import { generateKeyPairSync, randomBytes } from "node:crypto";
import { readFile } from "node:fs/promises";
import { KMSClient } from "@aws-sdk/client-kms";
import {
  GetObjectAnnotationCommand,
  ListObjectAnnotationsCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  S3Client,
} from "@aws-sdk/client-s3";
import type { DuckDBConnection } from "@duckdb/node-api";
import { addRecipient, rewrapObject, S3EncryptionClient, type S3EncryptionOptions } from "@s3ec/client";
import { type DevServer, startDevServer } from "@s3ec/dev-server";
import { KmsKeyring } from "@s3ec/keyring-kms";
import { MultiKeyring } from "@s3ec/keyring-multi";
import { RawAesKeyring } from "@s3ec/keyring-raw-aes";
import { RawRsaKeyring } from "@s3ec/keyring-raw-rsa";
import { expect } from "chai";

const Bucket = "bucket";
const OLD = "arn:aws:kms:us-west-2:111122223333:key/old";
const NEW = "arn:aws:kms:us-west-2:111122223333:key/new";
const page = new URL("../../../docs/audit-with-sql.md", import.meta.url);

/** What Athena has and DuckDB calls otherwise. */
const TRINO = [
  `CREATE MACRO json_extract_scalar(json, path) AS json_extract_string(json, replace(replace(path, '["', '."'), '"]', '"'))`,
  "CREATE MACRO json_array_contains(json, value) AS list_contains(from_json(json, '[\"VARCHAR\"]'), value)",
];

/** As AWS documents the two tables, as far as they are asked. */
const TABLES = [
  `CREATE TABLE annotation (bucket VARCHAR NOT NULL, object_key VARCHAR NOT NULL, object_version_id VARCHAR,
     object_join_key VARCHAR NOT NULL, name VARCHAR NOT NULL, sequence_number VARCHAR NOT NULL, last_modified_date TIMESTAMP,
     size BIGINT, e_tag VARCHAR, checksum_algorithm VARCHAR, replication_status VARCHAR, text_value VARCHAR)`,
  `CREATE TABLE inventory (bucket VARCHAR, key VARCHAR, version_id VARCHAR, is_delete_marker BOOLEAN,
     object_join_key VARCHAR)`,
];

describe("the page on audits by SQL", () => {
  let server: DevServer;
  let s3: S3Client;
  let kms: KMSClient;
  let database: DuckDBConnection | undefined;
  let queries: readonly string[];
  const clients: { destroy(): void }[] = [];

  before(async () => {
    server = await startDevServer({ buckets: [Bucket] });
    server.kms.createKey({ arn: OLD });
    server.kms.createKey({ arn: NEW });
    s3 = new S3Client(server.clientConfig);
    kms = new KMSClient(server.clientConfig);
    clients.push(s3, kms);
    await write();
    // Deno hangs where a module that is required, as mocha does, imports this one for the first time on a machine.
    const { DuckDBInstance } = await import("@duckdb/node-api");
    const opened = await (await DuckDBInstance.create(":memory:")).connect();
    database = opened;
    for (const statement of [...TRINO, ...TABLES]) await opened.run(statement);
    await load(opened);
    const text = await readFile(page, "utf8");
    queries = [...text.matchAll(/^```sql\n(.*?)^```$/gms)].map(([, query = ""]) => query);
  });
  after(async () => {
    database?.closeSync();
    for (const each of clients) each.destroy();
    await server.close();
  });

  const clientOf = (options: Partial<S3EncryptionOptions>): S3EncryptionClient => {
    const encryption = { describeInAnnotation: true, ...options } as S3EncryptionOptions;
    const client = new S3EncryptionClient({ ...server.clientConfig, encryption });
    clients.push(client);
    return client;
  };

  async function write(): Promise<void> {
    const old = new KmsKeyring({ keyId: OLD, client: kms });
    const raw = new RawAesKeyring({ wrappingKey: randomBytes(32), materialDescription: { key: "2024" } });
    const escrow = new RawRsaKeyring({
      ...generateKeyPairSync("rsa", { modulusLength: 2048 }),
      materialDescription: { purpose: "escrow" },
    });
    const children = [{ keyring: escrow, instructionFileSuffix: ".escrow" }];
    const both = new MultiKeyring({ generator: old, children });
    const context = { encryptionContext: { tenant: "secret" } };
    const put = (options: Partial<S3EncryptionOptions>, Key: string) =>
      clientOf(options).send(new PutObjectCommand({ Bucket, Key, Body: "x" }), options.keyring === raw ? {} : context);
    await put({ keyring: old }, "reports/old");
    await put({ keyring: raw }, "reports/raw");
    await put({ keyring: both }, "escrow/file");
    await put({ keyring: both, wrapPlacement: "annotations" }, "escrow/annotation");
    await put({ keyring: old }, "reports/moved");
    const to = { keyring: new KmsKeyring({ keyId: NEW, client: kms }) };
    await rewrapObject(clientOf({ keyring: old }), {
      Bucket,
      Key: "reports/moved",
      to,
      encryptionContext: { tenant: "secret" },
      owner: "same",
      settleTime: 0,
    });
    await put({ keyring: raw }, "reports/shared");
    await addRecipient(clientOf({ keyring: raw }), {
      Bucket,
      Key: "reports/shared",
      recipient: "partner",
      to: { keyring: old, ...context },
    });
    await put({ keyring: raw, describeInAnnotation: false }, "silent");
    await server.putRawObject(Bucket, "plain", { body: Buffer.from("x") });
  }

  /** What S3 would have made of the bucket. */
  async function load(into: DuckDBConnection): Promise<void> {
    const { Contents = [] } = await s3.send(new ListObjectsV2Command({ Bucket }));
    let sequence = 0;
    for (const { Key = "" } of Contents) {
      const join = `join-${Key}`;
      await insert(into, "inventory", [Bucket, Key, null, false, join]);
      const { Annotations = [] } = await s3.send(new ListObjectAnnotationsCommand({ Bucket, Key }));
      for (const { AnnotationName = "", Size = 0, ETag = "" } of Annotations) {
        const asked = new GetObjectAnnotationCommand({ Bucket, Key, AnnotationName });
        const text = (await (await s3.send(asked)).AnnotationPayload?.transformToString()) ?? "";
        sequence += 1;
        const number = String(sequence).padStart(20, "0");
        const named = [Bucket, Key, null, join, AnnotationName, number, "2026-11-29 00:00:00", Size, ETag, null, null];
        await insert(into, "annotation", [...named, text]);
      }
    }
  }
  async function insert(
    into: DuckDBConnection,
    table: string,
    values: readonly (string | number | boolean | null)[],
  ): Promise<void> {
    const places = values.map((_, index) => `$${index + 1}`).join(", ");
    await into.run(`INSERT INTO ${table} VALUES (${places})`, [...values]);
  }
  const asked = async (query: string): Promise<unknown[][]> =>
    ((await database?.runAndReadAll(query))?.getRowsJson() ?? []) as unknown[][];
  const rows = (index: number): Promise<unknown[][]> => asked(queries[index] ?? "");

  it("tells what still needs a KMS key, in objects' own wraps and recipients', and not what was re-wrapped", async () => {
    expect((await rows(0)).map(([key, , name]) => [key, name])).to.deep.equal([
      ["escrow/annotation", "x-s3ec/about"],
      ["escrow/file", "x-s3ec/about"],
      ["reports/old", "x-s3ec/about"],
      ["reports/shared", (await rows(0)).at(-1)?.[2]],
    ]);
    expect((await rows(0)).at(-1)?.[2]).to.match(/^x-s3ec\/partner/);
  });

  it("tells what needs a raw key, by its description", async () => {
    expect((await rows(1)).map(([key]) => key)).to.deep.equal(["reports/raw", "reports/shared"]);
  });

  it("tells who can open what is below a prefix", async () => {
    expect(await rows(2)).to.deep.equal([
      ["its own key", "AES/GCM", '{"key":"2024"}', "2"],
      ["its own key", "kms+context", NEW, "1"],
      ["its own key", "kms+context", OLD, "1"],
      ["partner", "kms+context", OLD, "1"],
    ]);
  });

  it("tells what has no escrow, neither in a file nor in an annotation", async () => {
    expect((await rows(3)).map(([key]) => key)).to.deep.equal([
      "reports/moved",
      "reports/old",
      "reports/raw",
      "reports/shared",
    ]);
  });

  it("tells what says nothing of itself", async () => {
    expect((await rows(4)).map(([key]) => key)).to.deep.equal(["escrow/file.escrow", "plain", "silent"]);
    expect(queries).to.have.length(5);
  });

  it("holds no encryption context", async () => {
    expect(
      await asked("SELECT 1 FROM annotation WHERE name = 'x-s3ec/about' AND contains(text_value, 'secret')"),
    ).to.deep.equal([]);
    expect(await asked("SELECT 1 FROM annotation WHERE contains(text_value, 'secret')")).to.have.length.above(0);
  });
});
