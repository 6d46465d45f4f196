import { readFileSync } from "node:fs";
import { GetObjectCommand, PutObjectCommand } from "@aws-sdk/client-s3";
import { type DevServer, startDevServer } from "@s3ec/dev-server";
import { expect } from "chai";
import { configurationJsonSchema, createFromConfig, explainConfiguration, loadS3Settings } from "../dist/index.js";
import { escrowExample, escrowPair } from "./fixture.js";

/** The example that is promised to work as it stands. */
const PROMISED = {
  keyring: {
    type: "multi",
    generator: { type: "kms", keyId: "alias/app" },
    children: [
      {
        keyring: {
          type: "raw-rsa",
          publicKey: { file: "escrow.pub.pem" },
          materialDescription: { purpose: "escrow" },
        },
        instructionFileSuffix: ".escrow",
      },
    ],
  },
  client: { commitmentPolicy: "REQUIRE_ENCRYPT_REQUIRE_DECRYPT" },
  s3: { region: "eu-west-1" },
  kms: { region: "eu-west-1" },
};

describe("createFromConfig", () => {
  let server: DevServer;
  let example: ReturnType<typeof escrowExample>;
  const object = { Bucket: "demo", Key: "report" };
  // Not the server's own object, into which the SDK writes a mark.
  const credentials = { accessKeyId: "test", secretAccessKey: "test" };

  before(async () => {
    server = await startDevServer({ buckets: ["demo"], aliases: ["alias/app"], region: "eu-west-1" });
    example = escrowExample();
  });
  after(async () => {
    await server.close();
    example.remove();
  });

  it("makes the example of the documentation work, and its escrow reader without KMS", async () => {
    expect(JSON.parse(readFileSync(example.path, "utf8"))).to.deep.equal(PROMISED);
    const services = { s3: server.clientConfig, kms: server.clientConfig };
    const app = await createFromConfig(example.path, services);
    await app.client.send(new PutObjectCommand({ ...object, Body: "hello" }), { encryptionContext: { tenant: "a" } });
    const { Body } = await app.client.send(new GetObjectCommand(object), { encryptionContext: { tenant: "a" } });
    expect(await Body?.transformToString()).to.equal("hello");
    await app.dispose();

    server.clearRequests();
    const path = example.write(
      "reader.json",
      JSON.stringify({
        keyring: { type: "raw-rsa", privateKey: { file: "escrow.pem" }, materialDescription: { purpose: "escrow" } },
        client: { instructionFileConfig: { suffix: ".escrow" } },
      }),
    );
    const escrow = await createFromConfig(path, { s3: server.clientConfig });
    const copy = await escrow.client.send(new GetObjectCommand(object));
    expect(await copy.Body?.transformToString()).to.equal("hello");
    expect(server.requests.map(({ service }) => service)).to.not.include("kms");
    await escrow.dispose();
  });

  it("takes its settings from the file: endpoint, region, credentials", async () => {
    const connection = { endpoint: server.endpoint, region: "eu-west-1", credentials };
    const path = example.write(
      "s3ec.config.json",
      JSON.stringify({ ...PROMISED, s3: { ...connection, forcePathStyle: true }, kms: connection }),
    );
    const { client, configuration, dispose } = await createFromConfig(new URL(`file://${path}`));
    await client.send(new PutObjectCommand({ ...object, Body: "again" }));
    expect(await (await client.send(new GetObjectCommand(object))).Body?.transformToString()).to.equal("again");
    expect(JSON.stringify(configuration)).to.not.contain("secretAccessKey");
    expect((await loadS3Settings(path)).region).to.equal("eu-west-1");
    await dispose();
  });

  it("reads a module's default export", async () => {
    const path = example.write("s3ec.config.mjs", `export default ${JSON.stringify(PROMISED)};`);
    const { configuration, dispose } = await createFromConfig(path);
    expect(configuration.client?.commitmentPolicy).to.equal("REQUIRE_ENCRYPT_REQUIRE_DECRYPT");
    await dispose();
  });

  it("asks KMS in the keyring's region: named, of the ARN, or of the kms settings", async () => {
    const arn = "arn:aws:kms:ap-south-1:111122223333:key/11111111-2222-3333-4444-555555555555";
    server.kms.createKey({ arn });
    const regions = async (keyring: object): Promise<string[]> => {
      server.clearRequests();
      const { endpoint } = server;
      const source = { keyring: { type: "kms", ...keyring }, kms: { region: "eu-west-1", endpoint, credentials } };
      const { client, dispose } = await createFromConfig(source, { s3: server.clientConfig });
      await client.send(new PutObjectCommand({ ...object, Body: "x" })).catch(() => {});
      await dispose();
      return server.requests
        .filter(({ service }) => service === "kms")
        .map(({ headers }) => (headers.authorization ?? "").split("/")[2] ?? "");
    };
    expect(await regions({ keyId: "alias/app" })).to.deep.equal(["eu-west-1"]);
    expect(await regions({ keyId: arn })).to.deep.equal(["ap-south-1"]);
    expect(await regions({ keyId: arn, region: "us-east-2" })).to.include("us-east-2");
  });
});

describe("the materials managers of a configuration", () => {
  const keyring = { type: "kms", keyId: "alias/app" };
  const encryptionContext = { tenant: "a" };
  let server: DevServer;

  before(async () => {
    server = await startDevServer({ buckets: ["demo"], aliases: ["alias/app"] });
  });
  after(() => server.close());

  it("cache data keys, and forget them on dispose", async () => {
    const materialsManager = { type: "caching", maxAgeMs: 60_000, maxMessages: 10 };
    const services = { s3: server.clientConfig, kms: server.clientConfig };
    const assembly = await createFromConfig({ keyring, materialsManager }, services);
    for (const Key of ["a", "b", "c"]) {
      await assembly.client.send(new PutObjectCommand({ Bucket: "demo", Key, Body: "x" }), { encryptionContext });
    }
    expect(server.requests.filter(({ operation }) => operation === "GenerateDataKey")).to.have.length(1);
    await assembly.dispose();
    const again = assembly.client.send(new PutObjectCommand({ Bucket: "demo", Key: "d", Body: "x" }));
    expect(await again.catch((error: unknown) => error)).to.have.property("code", "invalid-configuration");
  });

  it("require context entries, also inside a cache", async () => {
    const materialsManager = {
      type: "caching",
      maxAgeMs: 60_000,
      manager: { type: "required-context", requiredContextKeys: ["tenant"] },
    };
    const services = { s3: server.clientConfig, kms: server.clientConfig };
    const { client, dispose } = await createFromConfig({ keyring, materialsManager }, services);
    const put = new PutObjectCommand({ Bucket: "demo", Key: "a", Body: "x" });
    const error: unknown = await client.send(put).catch((reason: unknown) => reason);
    expect(error).to.have.property("code").that.is.oneOf(["invalid-argument", "context-mismatch"]);
    await client.send(put, { encryptionContext });
    await dispose();
    const { written } = await explainConfiguration({ keyring, materialsManager });
    expect(written.at(-1)).to.equal("Every encryption context must name tenant, on writing and on reading.");
  });
});

describe("explainConfiguration", () => {
  it("says who can read, what writing takes and what is refused", async () => {
    const example = escrowExample();
    const explanation = await explainConfiguration(example.path);
    example.remove();
    expect(explanation.written[0]).to.match(/format V3: AES-256-GCM with key commitment/);
    expect(explanation.readers).to.have.length(2);
    expect(explanation.readers[0]).to.match(/the KMS key alias\/app: whoever has permission for kms:Decrypt/);
    expect(explanation.readers[1]).to.match(
      /the RSA key SHA256:[0-9a-f]{16} described as purpose=escrow: whoever holds its private key/,
    );
    expect(explanation.writing[0]).to.match(/kms:GenerateDataKey/);
    expect(explanation.reads).to.deep.equal(["What is wrapped with the KMS key alias/app."]);
    expect(explanation.refused.join("\n")).to.match(
      /^Messages .*client\.formats.*\n.*V1 and V2.*\n.*enableLegacyWrappingAlgorithms.*\n.*enableLegacyUnauthenticatedModes/m,
    );
    const keyring = { type: "kms", keyId: "alias/app" };
    const client = { formats: [{ type: "s3" }, { type: "aws-message" }] };
    const { refused } = await explainConfiguration({ keyring, client });
    expect(refused[0]).to.match(/no S3 encryption client or AWS Encryption SDK wrote/);
    expect(refused.join()).to.not.match(/client\.formats/);
  });

  it("says where each wrapped key goes, and which only this client finds", async () => {
    const keyring = {
      type: "multi",
      generator: { type: "kms", keyId: "alias/a" },
      children: [{ keyring: { type: "kms", keyId: "alias/b" }, instructionFileSuffix: ".b" }],
    };
    const places = async (client: object): Promise<readonly string[]> =>
      (await explainConfiguration({ keyring, client })).written.slice(1);
    expect(await places({})).to.deep.equal([
      "Each object's data key is wrapped with the KMS key alias/a, stored in the object's metadata.",
      `Each object's data key is wrapped with the KMS key alias/b, stored in the instruction file at the object's key plus ".b", where only S3EC finds it.`,
    ]);
    expect(await places({ wrapPlacement: "instruction-files" })).to.deep.equal([
      `Each object's data key is wrapped with the KMS key alias/a, stored in the instruction file at the object's key plus ".instruction".`,
      `Each object's data key is wrapped with the KMS key alias/b, stored in the instruction file at the object's key plus ".b".`,
    ]);
  });

  it("says that a public key, a discovery keyring or former keys alone do not do everything", async () => {
    const publicKey = { base64: Buffer.from(escrowPair.publicKey).toString("base64") };
    expect((await explainConfiguration({ keyring: { type: "raw-rsa", publicKey } })).reads).to.deep.equal([
      "Nothing: it holds public keys only.",
    ]);
    const discovery = await explainConfiguration({ keyring: { type: "kms-discovery" } });
    expect(discovery.written).to.deep.equal(["Nothing: it can only read."]);
    expect(discovery.readers).to.deep.equal([]);
    const child = await explainConfiguration({
      keyring: {
        type: "multi",
        generator: { type: "raw-rsa", publicKey },
        children: [{ keyring: { type: "kms", keyId: "alias/b" }, instructionFileSuffix: ".b" }],
      },
      client: {
        enableLegacyWrappingAlgorithms: true,
        enableLegacyUnauthenticatedModes: true,
        commitmentPolicy: "FORBID_ENCRYPT_ALLOW_DECRYPT",
      },
    });
    expect(child.writing[1]).to.match(/kms:Encrypt/);
    expect(child.written[0]).to.match(/format V2/);
    expect(child.refused.slice(0, -1).join()).to.not.match(/enableLegacy|commitmentPolicy/);
  });
});

describe("configurationJsonSchema", () => {
  it("describes the file for editors, and only what a file can hold", () => {
    const schema = configurationJsonSchema();
    expect(schema).to.have.nested.property("$defs.configuration.properties.keyring");
    expect(schema).to.have.nested.property("$defs.configuration.additionalProperties", false);
    const named = "anyOf[1].properties.configurations.additionalProperties";
    expect(schema).to.have.nested.property(`${named}.properties.extends`);
    expect(schema).to.not.have.nested.property(`${named}.required`);
    const text = JSON.stringify(schema);
    for (const type of ["raw-aes", "raw-rsa", "kms", "kms-discovery", "pkcs11", "multi"])
      expect(text).to.contain(`"const":"${type}"`);
    expect(text).to.contain("decryptionKeys").and.contain("instructionFileSuffix");
  });
});
