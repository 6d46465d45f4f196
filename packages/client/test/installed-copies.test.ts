import { cp, mkdir, mkdtemp, realpath, rm, symlink } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { S3Client } from "@aws-sdk/client-s3";
import { EncryptedUpload, encryptS3, S3EncryptionClient } from "@s3ec/client";
import { S3EncryptionError } from "@s3ec/materials";
import { expect } from "chai";
import { BUCKET, bytesOfLength, Fixture, get, put, TEST_KEYRING } from "./fixture.js";

const INSTALLED = fileURLToPath(new URL("../../../node_modules/", import.meta.url));
const OURS = ["client", "envelope", "format-s3", "keyring-raw-aes", "materials"];

/** As where one dependency of an application imports our packages, and another one requires them from a folder of its own. */
describe("our packages, installed twice and loaded in one process", () => {
  let fixture: Fixture;
  let folder: string;
  let client: typeof import("@s3ec/client");
  let materials: typeof import("@s3ec/materials");
  let rawAes: typeof import("@s3ec/keyring-raw-aes");
  before(async () => {
    fixture = await Fixture.start();
    folder = await realpath(await mkdtemp(join(tmpdir(), "s3ec-test-")));
    const modules = join(folder, "node_modules");
    for (const scope of ["@aws-sdk", "@s3ec", "@smithy"]) await mkdir(join(modules, scope), { recursive: true });
    for (const name of OURS) {
      for (const part of ["package.json", "dist"]) {
        const from = await realpath(join(INSTALLED, "@s3ec", name, part));
        await cp(from, join(modules, "@s3ec", name, part), { recursive: true });
      }
    }
    for (const name of ["@aws-sdk/client-s3", "@smithy/core"]) {
      await symlink(join(INSTALLED, name), join(modules, name), "junction");
    }
    const require = createRequire(join(folder, "index.cjs"));
    client = require("@s3ec/client");
    materials = require("@s3ec/materials");
    rawAes = require("@s3ec/keyring-raw-aes");
  });
  after(async () => {
    await fixture.close();
    await rm(folder, { recursive: true });
  });

  const settings = () => ({ ...fixture.server.clientConfig, maxAttempts: 1 });

  it("are two, each of one piece", () => {
    expect(client.S3EncryptionClient).not.to.equal(S3EncryptionClient);
    expect(materials.S3EncryptionError).not.to.equal(S3EncryptionError);
  });

  it("take each other's keyrings", async () => {
    const keyring = new rawAes.RawAesKeyring({ wrappingKey: new Uint8Array(32).fill(3) });
    const body = bytesOfLength(1000);
    await fixture.client({ keyring }).send(put("keyring-of-another", body));
    const other = fixture.track(new client.S3EncryptionClient({ ...settings(), encryption: { keyring } }));
    const { Body } = await other.send(get("keyring-of-another"));
    expect(Buffer.from((await Body?.transformToByteArray()) ?? []).equals(body)).to.equal(true);
  });

  it("know each other's clients", async () => {
    const encryption = { keyring: TEST_KEYRING };
    const other = fixture.track(new client.S3EncryptionClient({ ...settings(), encryption }));
    await new EncryptedUpload({ client: other, params: { Bucket: BUCKET, Key: "uploaded", Body: "text" } }).done();
    const own = fixture.client();
    await new client.EncryptedUpload({ client: own, params: { Bucket: BUCKET, Key: "uploaded", Body: "text" } }).done();
    expect(await (await other.send(get("uploaded"))).Body?.transformToString()).to.equal("text");
    expect(() => encryptS3(other, encryption)).to.throw(S3EncryptionError, "encrypts already");
    expect(() => client.encryptS3(own, encryption)).to.throw(materials.S3EncryptionError, "encrypts already");
  });

  it("know each other's errors, and no others", async () => {
    await fixture.plain.send(put("plain", "text"));
    const other = fixture.track(client.encryptS3(new S3Client(settings()), { keyring: TEST_KEYRING }));
    for (const reader of [other, fixture.client()]) {
      const error: unknown = await reader.send(get("plain")).catch((thrown: unknown) => thrown);
      expect(error).to.be.instanceOf(S3EncryptionError).and.instanceOf(materials.S3EncryptionError);
      expect(error).to.have.property("code", "not-encrypted");
    }
    expect(new Error("another")).not.to.be.instanceOf(materials.S3EncryptionError);
    expect(new Error("another")).not.to.be.instanceOf(S3EncryptionError);
  });
});
