import { createHash } from "node:crypto";
import { readdirSync } from "node:fs";
import { tmpdir } from "node:os";
import { gzipSync } from "node:zlib";
import { PutObjectCommand, S3Client } from "@aws-sdk/client-s3";
import { type InventoryOptions, readInventory, type StoredObject } from "@s3ec/bulk";
import { type DevServer, startDevServer } from "@s3ec/dev-server";
import { expect } from "chai";
import { parquetWriteBuffer } from "hyparquet-writer";
import { gathered, refusal } from "./gathered.js";
import { shortWrites } from "./short-writes.js";

const KEY = "inv/2026-11-29T00-00Z/manifest.json";
const ALL = "Bucket, Key, VersionId, IsLatest, IsDeleteMarker, Size, LastModifiedDate, ETag, StorageClass";

interface Described {
  readonly fileFormat: string;
  readonly fileSchema: string;
  readonly files: readonly Uint8Array[];
  readonly alter?: (manifest: Record<string, unknown>) => void;
}

describe("readInventory", () => {
  let server: DevServer;
  let client: S3Client;
  before(async () => {
    server = await startDevServer({ buckets: ["inv"] });
    client = new S3Client(server.clientConfig);
  });
  after(async () => {
    client.destroy();
    await server.close();
  });

  const put = (Key: string, Body: Uint8Array | string) =>
    client.send(new PutObjectCommand({ Bucket: "inv", Key, Body }));
  const md5 = (bytes: Uint8Array | string) => createHash("md5").update(bytes).digest("hex");

  async function store({ fileFormat, fileSchema, files, alter }: Described): Promise<void> {
    const listed = [];
    for (const [index, bytes] of files.entries()) {
      const key = `inv/data/${index}`;
      await put(key, bytes);
      listed.push({ key, size: bytes.length, MD5checksum: md5(bytes) });
    }
    const manifest: Record<string, unknown> = {
      sourceBucket: "source",
      destinationBucket: "arn:aws:s3:::inv",
      version: "2016-11-30",
      creationTimestamp: "1764374400000",
      fileFormat,
      fileSchema,
      files: listed,
    };
    alter?.(manifest);
    const text = JSON.stringify(manifest);
    await put(KEY, text);
    await put(KEY.replace("json", "checksum"), `${md5(text)}\n`);
  }

  async function read(options: Partial<InventoryOptions> = {}): Promise<StoredObject[]> {
    const { objects } = await readInventory(client, { Bucket: "inv", Key: KEY, ...options });
    return await gathered(objects);
  }

  const csv = (...lines: string[]) => gzipSync(lines.map((line) => `${line}\n`).join(""));
  const ROWS = [
    '"source","a+b%2B%0A%22","v2","true","false","12","2026-01-02T03:04:05.000Z","d41d8cd98f00b204e9800998ecf8427e","STANDARD"',
    '"source","a+b%2B%0A%22","v1","false","false","11","2026-01-01T03:04:05.000Z","x-2","STANDARD"',
    '"source","p/gone","v3","true","true","","2026-01-01T03:04:05.000Z","",""',
    '"source","p/%E2%82%AC","","true","false","0","2026-01-01T03:04:05.000Z","e","STANDARD"',
  ];

  it("reads the current objects of a CSV with versions, of several files", async () => {
    await store({ fileFormat: "CSV", fileSchema: ALL, files: [csv(...ROWS.slice(0, 2)), csv(...ROWS.slice(2))] });
    expect(await read()).to.deep.equal([
      {
        Key: 'a b+\n"',
        Size: 12,
        ETag: '"d41d8cd98f00b204e9800998ecf8427e"',
        LastModified: new Date("2026-01-02T03:04:05Z"),
      },
      { Key: "p/€", Size: 0, ETag: '"e"', LastModified: new Date("2026-01-01T03:04:05Z") },
    ]);
    const { sourceBucket, created } = await readInventory(client, { Bucket: "inv", Key: KEY, sourceBucket: "source" });
    expect(sourceBucket).to.equal("source");
    expect(created).to.deep.equal(new Date(1764374400000));
  });

  it("reads all versions where they are wanted, and below a prefix", async () => {
    await store({ fileFormat: "CSV", fileSchema: ALL, files: [csv(...ROWS)] });
    const all = await read({ versions: true });
    expect(
      all.map(({ Key, VersionId, isLatest, isDeleteMarker }) => [Key, VersionId, isLatest, isDeleteMarker]),
    ).to.deep.equal([
      ['a b+\n"', "v2", true, false],
      ['a b+\n"', "v1", false, false],
      ["p/gone", "v3", true, true],
      ["p/€", "null", true, false],
    ]);
    expect((await read({ Prefix: "p/" })).map(({ Key }) => Key)).to.deep.equal(["p/€"]);
  });

  it("reads Parquet, whose keys are not escaped, of several row groups", async () => {
    const keys = ["a+b%2B", "line\nbreak", ...Array.from({ length: 5000 }, (_, index) => `k/${index}`)];
    const parquet = parquetWriteBuffer({
      columnData: [
        { name: "bucket", data: keys.map(() => "source"), type: "STRING" },
        { name: "key", data: keys, type: "STRING" },
        { name: "version_id", data: keys.map((_, index) => `v${index}`), type: "STRING" },
        { name: "is_latest", data: keys.map((_, index) => index !== 1), type: "BOOLEAN" },
        { name: "is_delete_marker", data: keys.map(() => false), type: "BOOLEAN" },
        { name: "size", data: keys.map((_, index) => BigInt(index)), type: "INT64" },
        { name: "last_modified_date", data: keys.map(() => new Date("2026-01-01T00:00:00Z")), type: "TIMESTAMP" },
        { name: "e_tag", data: keys.map(() => "abc"), type: "STRING" },
        { name: "storage_class", data: keys.map(() => "STANDARD"), type: "STRING" },
      ],
      rowGroupSize: 1000,
    });
    await store({ fileFormat: "Parquet", fileSchema: "message s3.inventory { }", files: [new Uint8Array(parquet)] });
    const versions = await read({ versions: true });
    expect(versions.map(({ Key }) => Key)).to.deep.equal(keys);
    expect(versions[1]).to.deep.equal({
      Key: "line\nbreak",
      VersionId: "v1",
      isLatest: false,
      isDeleteMarker: false,
      Size: 1,
      ETag: '"abc"',
      LastModified: new Date("2026-01-01T00:00:00Z"),
    });
    expect(await read()).to.have.length(keys.length - 1);
  });

  it("gives out nothing of a file that is not the manifest's, and leaves none behind", async () => {
    await store({ fileFormat: "CSV", fileSchema: ALL, files: [csv(...ROWS)] });
    const good = csv(ROWS[3] ?? "");
    await put("inv/data/0", Buffer.concat([good, good]));
    const before = readdirSync(tmpdir()).filter((name) => name.startsWith("s3ec-inventory-"));
    const seen: StoredObject[] = [];
    const error = await refusal(
      (async () => {
        const { objects } = await readInventory(client, { Bucket: "inv", Key: KEY });
        for await (const object of objects) seen.push(object);
      })(),
    );
    expect(error.code).to.equal("invalid-argument");
    expect(error.message).to.contain("checksum that its manifest says");
    expect(seen).to.deep.equal([]);
    expect(readdirSync(tmpdir()).filter((name) => name.startsWith("s3ec-inventory-"))).to.deep.equal(before);
  });

  it("refuses a manifest that is altered", async () => {
    await store({ fileFormat: "CSV", fileSchema: ALL, files: [] });
    await put(KEY, "{}");
    expect((await refusal(read())).message).to.contain("manifest.checksum");
  });

  const refused: Readonly<Record<string, readonly [Described, Partial<InventoryOptions>, string]>> = {
    "ORC, by its name": [{ fileFormat: "ORC", fileSchema: "x", files: [] }, {}, "ORC is not supported"],
    "an inventory of another bucket": [
      { fileFormat: "CSV", fileSchema: ALL, files: [] },
      { sourceBucket: "mine" },
      'lists the bucket "source"',
    ],
    "a line of another bucket": [
      { fileFormat: "CSV", fileSchema: "Bucket, Key", files: [csv('"other","a"')] },
      {},
      "another bucket than its manifest",
    ],
    "versions that are not there": [
      { fileFormat: "CSV", fileSchema: "Bucket, Key", files: [csv('"source","a"')] },
      { versions: true },
      "current versions only",
    ],
    "a line with too few columns": [
      { fileFormat: "CSV", fileSchema: "Bucket, Key, Size", files: [csv('"source","a"')] },
      {},
      "a line of 2 columns",
    ],
    "what is no gzipped CSV": [{ fileFormat: "CSV", fileSchema: ALL, files: [Buffer.from("x")] }, {}, "no gzipped CSV"],
    "what is no Parquet": [{ fileFormat: "Parquet", fileSchema: ALL, files: [Buffer.from("x")] }, {}, "cannot be read"],
    "another key than a manifest's": [
      { fileFormat: "CSV", fileSchema: ALL, files: [] },
      { Key: "inv/data/0" },
      "ends with /manifest.json",
    ],
  };
  for (const [what, [described, options, said]] of Object.entries(refused)) {
    it(`refuses ${what}`, async () => {
      await store(described);
      const error = await refusal(read(options));
      expect(error.code).to.equal("invalid-argument");
      expect(error.message).to.contain(said);
    });
  }

  it("can be ended in the middle, and leaves no file behind", async () => {
    await store({
      fileFormat: "CSV",
      fileSchema: ALL,
      files: [csv(...Array.from({ length: 20_000 }, () => ROWS[3] ?? ""))],
    });
    const before = readdirSync(tmpdir()).filter((name) => name.startsWith("s3ec-inventory-"));
    const { objects } = await readInventory(client, { Bucket: "inv", Key: KEY });
    for await (const _ of objects) break;
    expect(readdirSync(tmpdir()).filter((name) => name.startsWith("s3ec-inventory-"))).to.deep.equal(before);
  });

  it("keeps its file under no name while it is read, so that nothing is left by a process that is killed", async () => {
    await store({ fileFormat: "CSV", fileSchema: ALL, files: [csv(...ROWS)] });
    const before = readdirSync(tmpdir()).filter((name) => name.startsWith("s3ec-inventory-"));
    const { objects } = await readInventory(client, { Bucket: "inv", Key: KEY });
    let seen = 0;
    for await (const _ of objects) {
      seen += 1;
      expect(readdirSync(tmpdir()).filter((name) => name.startsWith("s3ec-inventory-"))).to.deep.equal(before);
    }
    expect(seen).to.equal(2);
  });

  it("reads what a disk has taken in pieces", async () => {
    await store({ fileFormat: "CSV", fileSchema: ALL, files: [csv(...ROWS)] });
    const end = await shortWrites(import.meta.filename);
    try {
      expect((await read()).map(({ Key }) => Key)).to.deep.equal(['a b+\n"', "p/€"]);
    } finally {
      end();
    }
  });
});
