import { cpSync, mkdtempSync, rmSync } from "node:fs";
import { fileURLToPath, pathToFileURL } from "node:url";
import { S3Client } from "@aws-sdk/client-s3";
import { EncryptedUpload, encryptS3, S3EncryptionClient } from "@s3ec/client";
import { S3EncryptionError } from "@s3ec/materials";
import { expect } from "chai";
import { BUCKET, bytesOfLength, chunksOf, Fixture, get, put, refusal, TEST_KEYRING } from "./fixture.js";

type Copy = typeof import("@s3ec/client");

describe("two copies of @s3ec/client side by side", () => {
  let fixture: Fixture;
  let folder: string;
  let other: Copy;
  before(async () => {
    fixture = await Fixture.start();
    // Beside the tests, so that it finds what it depends on.
    folder = mkdtempSync(fileURLToPath(new URL("copy-", import.meta.url)));
    cpSync(fileURLToPath(new URL("../dist", import.meta.url)), folder, { recursive: true });
    other = await import(pathToFileURL(`${folder}/index.js`).href);
  });
  after(async () => {
    await fixture.close();
    rmSync(folder, { recursive: true });
  });

  const config = () => ({ ...fixture.server.clientConfig, maxAttempts: 1 });

  it("are two", () => {
    expect(other.S3EncryptionClient).not.to.equal(S3EncryptionClient);
  });

  it("know each other's clients", async () => {
    const clients = [
      fixture.track(new other.S3EncryptionClient({ ...config(), encryption: { keyring: TEST_KEYRING } })),
      fixture.track(other.encryptS3(new S3Client(config()), { keyring: TEST_KEYRING })),
    ];
    for (const [index, client] of clients.entries()) {
      const params = { Bucket: BUCKET, Key: `of-another-copy-${index}`, Body: bytesOfLength(1000) };
      await new EncryptedUpload({ client, params }).done();
      const { Body } = await client.send(get(params.Key));
      expect(Buffer.from((await Body?.transformToByteArray()) ?? []).equals(params.Body)).to.equal(true);
    }
  });

  it("do not encrypt twice", () => {
    const client = fixture.track(new other.S3EncryptionClient({ ...config(), encryption: { keyring: TEST_KEYRING } }));
    const encryptAgain = () => encryptS3(client, { keyring: TEST_KEYRING });
    expect(encryptAgain).to.throw(S3EncryptionError, "encrypts already");
  });

  it("do not put a body that the other has read", async () => {
    const body = chunksOf(bytesOfLength(100), 10);
    await fixture.client().send(put("first", body as never));
    const second = fixture.track(new other.S3EncryptionClient({ ...config(), encryption: { keyring: TEST_KEYRING } }));
    const error = await refusal(second.send(put("second", body as never)));
    expect(error.message).to.contain("was given to a put before");
  });

  it("say so of a client whose version they do not know", () => {
    const client = fixture.client();
    for (const symbol of Object.getOwnPropertySymbols(client.middlewareStack)) {
      Reflect.deleteProperty(client.middlewareStack, symbol);
    }
    const upload = () => new EncryptedUpload({ client, params: { Bucket: BUCKET, Key: "key", Body: "text" } });
    expect(upload).to.throw(S3EncryptionError, "by a version of @s3ec/client");
  });

  it("show no keyring to whoever looks at a client's stack", () => {
    expect(Object.keys(fixture.client().middlewareStack)).to.not.contain("options");
    expect(JSON.stringify(fixture.client().middlewareStack)).to.not.contain("keyring");
  });
});
