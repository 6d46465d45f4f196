import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { GetObjectCommand } from "@aws-sdk/client-s3";
import { plaintextSize } from "@s3ec/client";
import { createFromConfig, explainConfiguration } from "@s3ec/container";
import { type DevServer, startDevServer } from "@s3ec/dev-server";
import { refusal } from "@s3ec/test-support";
import {
  keyFilesFolder,
  loadKeys,
  loadProductObjects,
  loadVectors,
  type ProductObject,
  plaintextOf,
  readBody,
  readProductObject,
  type Vector,
} from "@s3ec/test-vectors";
import { expect } from "chai";
import { temporaryFolder } from "./command.js";

type Json = Readonly<Record<string, unknown>>;

/** The configurations of a page about what another product stores. */
function configurations(page: string): Json[] {
  const text = readFileSync(fileURLToPath(new URL(`../../../docs/${page}.md`, import.meta.url)), "utf8");
  return [...text.matchAll(/^```json\n([\s\S]*?)^```$/gm)].map(([, json = ""]) => JSON.parse(json));
}

describe("the pages on what other products store", () => {
  let server: DevServer;
  before(async () => {
    server = await startDevServer({ buckets: ["demo"] });
  });
  after(() => server.close());

  async function reads(
    configuration: Json,
    stored: {
      id: string;
      body: Uint8Array;
      metadata: Json;
      plaintext: ProductObject["plaintext"];
      kms?: ProductObject["kms"];
    },
    options: { env?: Record<string, string>; folder?: string } = {},
  ): Promise<void> {
    const { id: Key, body, kms } = stored;
    await server.putRawObject("demo", Key, { body, metadata: stored.metadata as Record<string, string> });
    const { keyring } = configuration as { keyring: Json };
    // The page's alias stands for the key that the object was written with.
    const own = kms === undefined ? keyring : { ...keyring, keyId: kms.keyArn };
    if (kms !== undefined) {
      server.kms.seedDecrypt({
        ciphertextBlob: Buffer.from(kms.ciphertextBlob, "base64"),
        encryptionContext: kms.encryptionContext,
        keyArn: kms.keyArn,
        plaintext: Buffer.from(kms.plaintextDataKey, "base64"),
      });
    }
    const { client, dispose } = await createFromConfig(
      { ...configuration, keyring: own },
      { s3: server.clientConfig, kms: server.clientConfig, onWarning: () => {}, ...options },
    );
    try {
      const { Body } = await client.send(new GetObjectCommand({ Bucket: "demo", Key }));
      const read = await Body?.transformToByteArray();
      expect(Buffer.from(read ?? []).equals(plaintextOf(stored as Pick<Vector, "plaintext"> as Vector)), Key).to.equal(
        true,
      );
    } finally {
      await dispose();
    }
  }

  /** Each switch that the page names is needed: without it the object is refused. */
  async function needsAll(
    configuration: Json,
    stored: Parameters<typeof reads>[1],
    options: { env?: Record<string, string> },
  ) {
    const { client } = configuration as { client: Json };
    for (const name of Object.keys(client)) {
      const { [name]: _, ...others } = client;
      const without = reads({ ...configuration, client: others }, stored, options);
      await refusal(name === "commitmentPolicy" ? "commitment-policy" : "legacy-disabled", without);
    }
  }

  const products = loadProductObjects().map((object) => ({ ...object, body: readProductObject(object) }));
  const of = (name: string) => products.filter(({ id }) => id.startsWith(`${name}-`));

  it("Snowflake: what its driver stored opens with the page's configuration, and with no switch less", async () => {
    const [configuration = {}, ...more] = configurations("reading-snowflake");
    expect(more).to.deep.equal([]);
    const objects = of("snowflake");
    expect(objects).to.have.lengthOf(6);
    for (const object of objects) {
      expect(Object.keys(JSON.parse(object.metadata["x-amz-matdesc"] ?? ""))).to.deep.equal([
        "smkId",
        "queryId",
        "keySize",
      ]);
      await reads(configuration, object, { env: { STAGE_KEY: object.key ?? "" } });
    }
    await needsAll(configuration, objects[1] as (typeof objects)[0], { env: { STAGE_KEY: objects[1]?.key ?? "" } });
  });

  it("Hadoop: what S3A stored opens with the page's configuration, 16 bytes longer than what it holds; the writer's is valid", async () => {
    const [reader = {}, writer = {}, ...more] = configurations("reading-hadoop");
    expect(more).to.deep.equal([]);
    for (const object of of("hadoop")) {
      await reads(reader, object);
      expect(object.body.length - object.plaintext.length).to.equal(16);
      const { body, metadata: Metadata } = object;
      expect(plaintextSize({ ContentLength: body.length, Metadata })).to.equal(object.plaintext.length);
      expect(object.metadata).to.include({ "x-amz-wrap-alg": "kms+context", "x-amz-cek-alg": "AES/GCM/NoPadding" });
    }
    await needsAll(reader, of("hadoop")[1] as (typeof products)[0], {});
    expect((await explainConfiguration(writer)).written[0]).to.match(/^Objects of format V2/);
  });

  /** What the Java client that these products name stored: their pages tell its modes. */
  const java = (mode: RegExp, material: RegExp): Vector[] =>
    loadVectors().filter(
      ({ writer, material: name, instructionFiles, ...more }) =>
        writer.client === "AmazonS3EncryptionClient" &&
        writer.language === "java" &&
        mode.test(writer.mode) &&
        material.test(name) &&
        !("expect" in more) &&
        !("requires" in more) &&
        instructionFiles === undefined,
    );
  async function readsVectors(configuration: Json, vectors: readonly Vector[], variable: string): Promise<void> {
    expect(vectors.length).to.be.greaterThan(0);
    for (const vector of vectors) {
      const key = loadKeys()[vector.material];
      const text = key?.kind === "aes" ? key.base64 : key?.kind === "rsa" ? key.pkcs8Base64 : "";
      await reads(
        configuration,
        { ...vector, body: readBody(vector), kms: vector.kms as ProductObject["kms"] } as never,
        {
          env: { [variable]: text },
        },
      );
    }
  }

  it("Redshift: objects of the client that its documentation names open with the page's configuration", async () => {
    const [configuration = {}, ...more] = configurations("reading-redshift");
    expect(more).to.deep.equal([]);
    await readsVectors(configuration, java(/EncryptionOnly/, /^aes-256$/), "ROOT_SYMMETRIC_KEY");
  });

  it("EMRFS: objects of the client inside it open with the page's configurations", async () => {
    const [kms = {}, aes = {}, ...more] = configurations("reading-emrfs");
    expect(more).to.deep.equal([]);
    await readsVectors(kms, java(/EncryptionOnly|AuthenticatedEncryption/, /^kms/), "NONE");
    await readsVectors(aes, java(/EncryptionOnly|AuthenticatedEncryption/, /^aes-256$/), "CSE_KEY");
    const rsa = { ...aes, keyring: { type: "raw-rsa", privateKey: { env: "CSE_KEY" } } };
    await readsVectors(rsa, java(/EncryptionOnly|AuthenticatedEncryption/, /^rsa-2048$/), "CSE_KEY");
  });

  it("Elasticsearch: objects of the client that its proposals use open with the page's configurations", async () => {
    const [aes = {}, rsa = {}, ...more] = configurations("reading-elasticsearch");
    expect(more).to.deep.equal([]);
    await readsVectors(aes, java(/EncryptionOnly/, /^aes-/), "SNAPSHOT_KEY");
    await readsVectors(rsa, java(/EncryptionOnly/, /^rsa-2048$/), "SNAPSHOT_PRIVATE_KEY");
  });

  it("Java: what its clients stored with the keys of a keystore opens with the same keystore", async () => {
    const objects = of("keystore");
    expect(objects).to.have.lengthOf(6);
    const page = readFileSync(fileURLToPath(new URL("../../../docs/from-a-java-keystore.md", import.meta.url)), "utf8");
    const configuration = JSON.parse(/```json\n([\s\S]*?)```/.exec(page)?.[1] ?? "{}");
    const source = { ...configuration.keyring.privateKey, file: "java.p12" };
    const env = { STORE_PASSPHRASE: "changeit" };
    for (const object of objects) {
      expect(object.store).to.equal("key-files/java.p12");
      const keyring = object.id.endsWith("-aes")
        ? { type: "raw-aes", wrappingKey: { ...source, alias: "archive" } }
        : { type: "raw-rsa", privateKey: source };
      const cbc = object.id.includes("-v1-eo-") ? { enableLegacyUnauthenticatedModes: true } : {};
      const client = { ...configuration.client, ...cbc };
      await reads({ ...configuration, s3: {}, keyring, client }, object, { env, folder: keyFilesFolder });
    }
  });

  it("the key of Redshift in a file of hex is taken where the encoding is said", async () => {
    const { folder, remove } = temporaryFolder();
    try {
      const key = loadKeys()["aes-256"];
      const hex = Buffer.from(key?.kind === "aes" ? key.base64 : "", "base64").toString("hex");
      writeFileSync(join(folder, "root.hex"), `${hex}\n`, { mode: 0o600 });
      const [configuration = {}] = configurations("reading-redshift");
      const keyring = { type: "raw-aes", wrappingKey: { file: "root.hex", encoding: "hex" } };
      const [vector] = java(/EncryptionOnly/, /^aes-256$/);
      if (vector === undefined) throw new Error("There is such an object.");
      await reads({ ...configuration, keyring }, { ...vector, body: readBody(vector) } as never, { folder });
    } finally {
      remove();
    }
  });
});
