import { GetObjectCommand, PutObjectCommand } from "@aws-sdk/client-s3";
import { createFromConfig, explainConfiguration } from "@s3ec/container";
import { type DevServer, startDevServer } from "@s3ec/dev-server";
import { aliasOf, loadKey } from "@s3ec/key-source";
import { refusal } from "@s3ec/test-support";
import { keyFilesFolder } from "@s3ec/test-vectors";
import { expect } from "chai";

const env = { STORE: "changeit", KEY: "keypass" };
const loading = { folder: keyFilesFolder, env, onWarning: () => {} };
const stored = (file: string, more: object = {}) => ({ file, passphrase: { env: "STORE" }, ...more });

describe("a description from a keystore's alias", () => {
  let server: DevServer;
  before(async () => {
    server = await startDevServer({ buckets: ["demo"] });
  });
  after(() => server.close());

  const descriptionBy = async (keyring: object): Promise<unknown> => {
    const { client, dispose } = await createFromConfig({ keyring }, { ...loading, s3: server.clientConfig });
    try {
      await client.send(new PutObjectCommand({ Bucket: "demo", Key: "k", Body: "x" }));
      const { Body, Metadata } = await client.send(new GetObjectCommand({ Bucket: "demo", Key: "k" }));
      expect(await Body?.transformToString()).to.equal("x");
      return JSON.parse(Metadata?.["x-amz-m"] ?? "null");
    } finally {
      await dispose();
    }
  };

  it("is stored where the user says so, beside what else is said, as the store spells it", async () => {
    const aes = { type: "raw-aes", wrappingKey: stored("java.p12", { alias: "ARCHIVE" }) };
    expect(await descriptionBy({ ...aes, aliasDescribedAs: "key" })).to.deep.equal({ key: "archive" });
    expect(await descriptionBy(aes)).to.equal(null);
    const rsa = { type: "raw-rsa", privateKey: stored("java.jks"), aliasDescribedAs: "alias" };
    const both = { ...rsa, materialDescription: { version: "1" } };
    expect(await descriptionBy(both)).to.deep.equal({ version: "1", alias: "orders" });
    const { written } = await explainConfiguration({ keyring: both }, loading);
    expect(written[1]).to.contain("described as version=1, alias=orders");
  });

  it("selects a former key that is in a keystore", async () => {
    const former = { privateKey: stored("java.p12"), aliasDescribedAs: "key" };
    await descriptionBy({ type: "raw-rsa", ...former });
    const own = { type: "raw-rsa", privateKey: stored("two-keys.p12", { alias: "second" }), aliasDescribedAs: "key" };
    const { client, dispose } = await createFromConfig(
      { keyring: { ...own, decryptionKeys: [former] } },
      { ...loading, s3: server.clientConfig },
    );
    const { Body } = await client.send(new GetObjectCommand({ Bucket: "demo", Key: "k" }));
    expect(await Body?.transformToString()).to.equal("x");
    await dispose();
  });

  it("takes a key that has an alias", async () => {
    const pem = { type: "raw-rsa", privateKey: { file: "pkcs8.pem" }, aliasDescribedAs: "key" };
    expect((await refusal("invalid-configuration", explainConfiguration({ keyring: pem }, loading))).message).to.match(
      /^ {2}keyring: expected the key of a keystore, whose alias aliasDescribedAs would store/m,
    );
  });

  it("is known of a key in code", async () => {
    for (const [file, type, alias] of [
      ["java.p12", "aes", "archive"],
      ["java.p12", "rsa-private", "orders"],
      ["java.jks", "rsa-public", "orders"],
      ["pkcs8.pem", "rsa-private", undefined],
    ] as const) {
      expect(aliasOf(await loadKey(file.endsWith(".pem") ? { file } : stored(file), { ...loading, type }))).to.equal(
        alias,
      );
    }
  });
});
