import { GetObjectCommand, PutObjectCommand } from "@aws-sdk/client-s3";
import { type DevServer, startDevServer } from "@s3ec/dev-server";
import { RawAesKeyring } from "@s3ec/keyring-raw-aes";
import { S3EncryptionError } from "@s3ec/materials";
import { refusal } from "@s3ec/test-support";
import { expect } from "chai";
import { z } from "zod";
import { configurationJsonSchema, createFromConfig, explainConfiguration, keyringDescriptor } from "../dist/index.js";
import { example, temporaryFolder } from "./fixture.js";

const TOKEN = Buffer.alloc(32, 5).toString("base64");

const readmePlugin = (): string => example("packages/container/README.md", "acme-sealed");

describe("a plugin", () => {
  let temporary: ReturnType<typeof temporaryFolder>;
  let server: DevServer;

  before(async () => {
    server = await startDevServer({ buckets: ["demo"] });
    temporary = temporaryFolder();
    temporary.write("node_modules/@acme/sealed/index.js", readmePlugin());
    temporary.write(
      "node_modules/@acme/sealed/package.json",
      JSON.stringify({ name: "@acme/sealed", type: "module", exports: { ".": { default: "./index.js" } } }),
    );
    temporary.write("local.mjs", readmePlugin());
    temporary.write("empty.mjs", "export const nothing = 1;");
    temporary.write("throws.mjs", `throw new Error(${JSON.stringify(TOKEN)});`);
    temporary.write("twice.mjs", readmePlugin().replace("acme-sealed", "kms"));
  });
  after(async () => {
    await server.close();
    temporary.remove();
  });

  function file(name: string, plugin: string, fields: object): string {
    const keyring = { type: "acme-sealed", ...fields };
    return temporary.write(name, JSON.stringify({ plugins: [plugin], keyring }));
  }

  const refused = (source: string): Promise<S3EncryptionError> =>
    refusal("invalid-configuration", createFromConfig(source, { s3: server.clientConfig }));

  for (const plugin of ["@acme/sealed", "./local.mjs"]) {
    it(`named ${plugin} is found from the file's folder, and its keyring reads and writes`, async () => {
      const path = file("ok.json", plugin, { token: { base64: TOKEN }, slot: 3 });
      const { client, dispose } = await createFromConfig(path, { s3: server.clientConfig });
      await client.send(new PutObjectCommand({ Bucket: "demo", Key: "a", Body: "hello" }));
      const { Body } = await client.send(new GetObjectCommand({ Bucket: "demo", Key: "a" }));
      expect(await Body?.transformToString()).to.equal("hello");
      await dispose();
    });
  }

  it("has its fields validated with the rest of the file", async () => {
    const { message } = await refused(
      file("wrong.json", "@acme/sealed", { token: { base64: TOKEN }, slot: -1, extra: 1 }),
    );
    expect(message)
      .to.match(/^ {2}keyring\.slot: /m)
      .and.match(/^ {2}keyring\.extra: no such field is known here \(line 1, column \d+\)$/m);
    expect(message).to.not.contain(TOKEN);
  });

  it("is refused when it exports nothing, throws, or takes a built-in name", async () => {
    const fields = { token: { base64: TOKEN }, slot: 0 };
    expect((await refused(file("a.json", "./empty.mjs", fields))).message).to.match(
      /plugins\[0\]: .* must export "keyrings"/,
    );
    const thrown = await refused(file("b.json", "./throws.mjs", fields));
    expect(thrown.message)
      .to.match(/plugins\[0\]: .* failed to load/)
      .and.not.contain(TOKEN);
    expect((await refused(file("c.json", "./twice.mjs", fields))).message).to.match(/two keyring types named "kms"/);
  });

  it("can be passed as an object, can hold other keyrings, explains itself and releases what it holds", async () => {
    let released = 0;
    const keyrings = [
      keyringDescriptor({
        type: "acme-nested",
        schema: ({ keyring, aesKey }) => z.strictObject({ inner: keyring, key: aesKey }),
        create: async ({ inner, key }, { createKeyring, onDispose }) => {
          await createKeyring(inner);
          onDispose(() => {
            released += 1;
          });
          return new RawAesKeyring({ wrappingKey: key });
        },
        explain: ({ inner }, role, explainKeyring) => explainKeyring(inner, role),
      }),
    ];
    const configuration = {
      keyring: { type: "acme-nested", inner: { type: "kms", keyId: "alias/inner" }, key: { base64: TOKEN } },
    };
    const options = { plugins: [{ keyrings }] };
    const { dispose } = await createFromConfig(configuration, {
      ...options,
      s3: { region: "us-west-2" },
      kms: { region: "us-west-2" },
    });
    await dispose();
    expect(released).to.equal(1);
    const { reads } = await explainConfiguration(configuration, options);
    expect(reads).to.deep.equal(["What is wrapped with the KMS key alias/inner."]);
    expect(released).to.equal(2);
    expect(JSON.stringify(configurationJsonSchema([{ keyrings }]))).to.contain("acme-nested");
  });

  it("is made by a check as it is by createFromConfig, unless that would ask its key store", async () => {
    for (const asksKeyStore of [false, true]) {
      const descriptor = keyringDescriptor({
        type: "acme-refuses",
        asksKeyStore,
        schema: () => z.strictObject({}),
        create: () => {
          throw new S3EncryptionError("invalid-argument", "Such a key is none.");
        },
      });
      const options = { plugins: [{ keyrings: [descriptor] }] };
      const inside = { keyring: { type: "acme-refuses" }, instructionFileSuffix: ".a" };
      const keyring = { type: "multi", generator: { type: "kms", keyId: "alias/app" }, children: [inside] };
      const check = explainConfiguration({ keyring }, options);
      if (asksKeyStore) expect((await check).readers).to.have.length(2);
      else
        expect((await refusal("invalid-configuration", check)).message).to.match(/children\[0\]\.keyring: Such a key/);
    }
  });
});
