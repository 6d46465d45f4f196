import { join } from "node:path";
import { GetObjectAnnotationCommand, PutObjectCommand, S3Client } from "@aws-sdk/client-s3";
import { listObjects, migrateObjects, type RewrittenObject, rewrapObjects } from "@s3ec/bulk";
import { S3EncryptionClient } from "@s3ec/client";
import { startDevServer } from "@s3ec/dev-server";
import { expect } from "chai";
import { BUCKET, BulkFixture, former, numbered, renewed } from "./bulk-fixture.js";
import { dyingClient } from "./dying-client.js";
import { gathered } from "./gathered.js";

const Bucket = BUCKET;
const DESCRIBED = { keyring: former, describeInAnnotation: true } as const;
const DONE = { outcome: "current", problem: "The journal says that it is done, and it stands as it did then." };

/** By an annotation that is put behind the object (`describeInAnnotation`). */
describe("a run over objects that are described for audits", () => {
  let fixture: BulkFixture;
  beforeEach(async () => {
    fixture = await BulkFixture.start();
  });
  afterEach(() => fixture.close());

  const options = (name = "journal") => ({
    Bucket,
    settleTime: 0,
    to: { keyring: renewed },
    journal: { path: join(fixture.folder, name), target: "new" },
  });
  const objects = () => listObjects(fixture.plain, { Bucket });
  const rewrap = (client: S3EncryptionClient, name?: string) =>
    gathered(rewrapObjects(client, objects(), options(name)));
  const told = (results: readonly RewrittenObject[]) =>
    results.map(({ outcome, problem }) => (problem === undefined ? { outcome } : { outcome, problem }));
  async function about(Key: string): Promise<string> {
    const asked = new GetObjectAnnotationCommand({ Bucket, Key, AnnotationName: "x-s3ec/about" });
    const { AnnotationPayload } = await fixture.plain.send(asked);
    return JSON.parse((await AnnotationPayload?.transformToString()) ?? "")["s3ec-description"];
  }

  it("writes each anew once", async () => {
    await fixture.put(numbered(2), { ...DESCRIBED, commitmentPolicy: "FORBID_ENCRYPT_ALLOW_DECRYPT" });
    const client = fixture.client({ ...DESCRIBED, commitmentPolicy: "REQUIRE_ENCRYPT_ALLOW_DECRYPT" });
    const migrate = () => gathered(migrateObjects(client, objects(), options()));
    expect(told(await migrate())).to.deep.equal([{ outcome: "migrated" }, { outcome: "migrated" }]);
    for (const _ of [1, 2]) {
      fixture.server.clearRequests();
      expect([told(await migrate()), fixture.changes()]).to.deep.equal([[DONE, DONE], []]);
    }
    expect(await about("o/001")).to.equal('{"key":"new"}');
  });

  it("has what describes a re-wrapped object say the new key, after whatever has kept it from that", async () => {
    await fixture.put(["a"], DESCRIBED);
    const client = fixture.client(DESCRIBED);
    fixture.server.faults.add({ operation: "PutObjectAnnotation", key: "a", status: 403 });
    for (const _ of [1, 2]) {
      expect(told(await rewrap(client))[0]?.outcome).to.equal("failed");
      expect(await about("a")).to.equal('{"key":"old"}');
    }
    fixture.server.faults.clear();
    fixture.server.clearRequests();
    expect(told(await rewrap(client))).to.deep.equal([DONE]);
    expect(await about("a")).to.equal('{"key":"new"}');
    expect(fixture.changes()).to.deep.equal(["a"]);
    expect(fixture.changes("PutObjectAnnotation")).to.deep.equal(["a"]);
    fixture.server.clearRequests();
    expect([told(await rewrap(client)), fixture.changes()]).to.deep.equal([[DONE], []]);
  });

  it("does so, too, where the process died behind the copy", async () => {
    await fixture.put(["a"], DESCRIBED);
    const whole = dyingClient(fixture, DESCRIBED, { most: 1000, last: "unanswered" });
    await rewrap(whole.client, "whole");
    const most = whole.sent.findIndex((name) => name.startsWith("PUT copy")) + 1;
    await fixture.put(["a"], DESCRIBED);
    await rewrap(dyingClient(fixture, DESCRIBED, { most, last: "unanswered" }).client);
    expect(await fixture.read("a", { keyring: renewed })).to.equal("content of a");
    expect(await about("a")).to.equal('{"key":"old"}');
    expect(told(await rewrap(fixture.client(DESCRIBED)))).to.deep.equal([DONE]);
    expect(await about("a")).to.equal('{"key":"new"}');
  });

  it("ends where the store knows no annotations", async () => {
    await using other = await startDevServer({ buckets: [BUCKET], annotations: "refused", fsync: false });
    const plain = fixture.track(new S3Client({ ...other.clientConfig, maxAttempts: 1 }));
    const config = { ...other.clientConfig, maxAttempts: 1 };
    const undescribed = fixture.track(new S3EncryptionClient({ ...config, encryption: { keyring: former } }));
    await undescribed.send(new PutObjectCommand({ Bucket, Key: "a", Body: "content" }));
    const client = fixture.track(new S3EncryptionClient({ ...config, encryption: DESCRIBED }));
    const run = () => gathered(rewrapObjects(client, listObjects(plain, { Bucket }), options()));
    expect(told(await run())[0]?.outcome).to.equal("failed");
    expect(told(await run())).to.deep.equal([DONE]);
  });
});
