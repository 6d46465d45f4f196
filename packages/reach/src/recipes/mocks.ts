import type { Recipe } from "../recipe.js";

/** What the tests of docs/testing-your-code.md are about. */
const REPORTS = `import { GetObjectCommand, PutObjectCommand } from "@aws-sdk/client-s3";

export async function saveReport(s3, Key, text) {
  const object = { Bucket: process.env.BUCKET, Key, Body: text };
  await s3.send(new PutObjectCommand(object), { encryptionContext: { tenant: "a" } });
}

export async function readReport(s3, Key) {
  const object = { Bucket: process.env.BUCKET, Key };
  const { Body } = await s3.send(new GetObjectCommand(object), { encryptionContext: { tenant: "a" } });
  return await Body.transformToString();
}
`;

const MOCKED = `import assert from "node:assert/strict";
import { Readable } from "node:stream";
import { after, beforeEach, test } from "node:test";
import { GetObjectCommand, PutObjectCommand } from "@aws-sdk/client-s3";
import { S3EncryptionClient } from "@s3ec/client";
import { KmsKeyring } from "@s3ec/keyring-kms";
import { sdkStreamMixin } from "@smithy/core/serde";
import { mockClient } from "aws-sdk-client-mock";
import { readReport, saveReport } from "./reports.mjs";

const s3 = new S3EncryptionClient({ encryption: { keyring: new KmsKeyring({ keyId: "alias/app" }) } });
const mock = mockClient(S3EncryptionClient); // or mockClient(s3): this one alone
beforeEach(() => mock.reset());
after(() => mock.restore());

test("a report is saved for its tenant", async () => {
  mock.on(PutObjectCommand).resolves({ ETag: "etag" });
  await saveReport(s3, "2026", "for their eyes only");
  const [call] = mock.commandCalls(PutObjectCommand, { Key: "2026" });
  assert.equal(call.args[0].input.Body, "for their eyes only");
  assert.deepEqual(call.args[1], { encryptionContext: { tenant: "a" } });
});

test("a report is read", async () => {
  const body = () => sdkStreamMixin(Readable.from([Buffer.from("for their eyes only")]));
  mock.on(GetObjectCommand, { Key: "2026" }).callsFake(() => ({ Body: body() }));
  assert.equal(await readReport(s3, "2026"), "for their eyes only");
});
`;

const STORED = `import assert from "node:assert/strict";
import { after, test } from "node:test";
import { GetObjectCommand, S3Client } from "@aws-sdk/client-s3";
import { S3EncryptionClient } from "@s3ec/client";
import { startDevServer } from "@s3ec/dev-server";
import { KmsKeyring } from "@s3ec/keyring-kms";
import { readReport, saveReport } from "./reports.mjs";

const server = await startDevServer({ buckets: [process.env.BUCKET], aliases: ["alias/app"] });
const keyring = new KmsKeyring({ keyId: "alias/app", clientConfig: server.clientConfig });
const s3 = new S3EncryptionClient({ ...server.clientConfig, encryption: { keyring } });
const plain = new S3Client(server.clientConfig);
after(async () => {
  for (const each of [s3, plain, keyring]) each.destroy();
  await server.close();
});

test("a report is stored so that only keys read it, also where S3 is busy at first", async () => {
  server.faults.add({ operation: "PutObject", status: 503, times: 1 });
  await saveReport(s3, "2026", "for their eyes only");
  const { Body } = await plain.send(new GetObjectCommand({ Bucket: process.env.BUCKET, Key: "2026" }));
  assert.doesNotMatch(await Body.transformToString("latin1"), /their eyes/);
  assert.equal(await readReport(s3, "2026"), "for their eyes only");
});
`;

/** What a client does once it is mocked no more, and that those of encryptS3 are mocked, too. */
const RESTORED = `import assert from "node:assert/strict";
import { test } from "node:test";
import { PutObjectCommand, S3Client } from "@aws-sdk/client-s3";
import { encryptS3, S3EncryptionClient } from "@s3ec/client";
import { KmsKeyring } from "@s3ec/keyring-kms";
import { mockClient } from "aws-sdk-client-mock";
import { putAndGet } from "./put-and-get.mjs";
import { readReport, saveReport } from "./reports.mjs";

const keyring = new KmsKeyring({ keyId: "alias/app" });

for (const Class of [S3EncryptionClient, S3Client]) {
  test(\`clients of \${Class.name} put and get once they are mocked no more\`, async () => {
    const mock = mockClient(Class);
    mock.on(PutObjectCommand).resolves({ ETag: "mocked" });
    const s3 = new S3EncryptionClient({ encryption: { keyring } });
    await saveReport(s3, "2026", "text");
    assert.equal(mock.commandCalls(PutObjectCommand).length, 1);
    mock.restore();
    await putAndGet();
    await saveReport(s3, "2026", "text");
    assert.equal(await readReport(s3, "2026"), "text");
    s3.destroy();
  });
}

test("a client given to encryptS3 encrypts, and does again once it is mocked no more", async () => {
  const s3 = encryptS3(new S3Client({}), { keyring });
  const mock = mockClient(s3);
  mock.on(PutObjectCommand).resolves({ ETag: "mocked" });
  await saveReport(s3, "2027", "text");
  mock.restore();
  await saveReport(s3, "2027", "text");
  assert.equal(await readReport(s3, "2027"), "text");
  s3.destroy();
});
`;

/** What mocks a client of the SDK. */
export const MOCKS: readonly Recipe[] = [
  {
    name: "aws-sdk-client-mock",
    runtime: "Node 22",
    manager: "npm",
    modules: "ES modules",
    loadedBy: "`node --test`, with aws-sdk-client-mock {aws-sdk-client-mock}",
    packages: {
      "aws-sdk-client-mock": "4",
      "@aws-sdk/client-kms": "3",
      "@smithy/core": "3",
      "@s3ec/dev-server": "*",
      "@s3ec/keyring-kms": "*",
    },
    files: {
      "reports.mjs": REPORTS,
      "mocked.test.mjs": MOCKED,
      "stored.test.mjs": STORED,
      "restored.test.mjs": RESTORED,
    },
    steps: [["node", "--test", "--test-concurrency=1"]],
  },
];
