import { GetObjectCommand, HeadObjectCommand, PutObjectCommand } from "@aws-sdk/client-s3";
import { configurationJsonSchema, createFromConfig, explainConfiguration, managerDescriptor } from "@s3ec/container";
import { type DevServer, startDevServer } from "@s3ec/dev-server";
import { DefaultMaterialsManager, S3EncryptionError } from "@s3ec/materials";
import { refusal } from "@s3ec/test-support";
import { expect } from "chai";
import { z } from "zod";
import { example, temporaryFolder } from "./fixture.js";

const aes = (byte: number) => ({
  type: "raw-aes",
  wrappingKey: { base64: Buffer.alloc(32, byte).toString("base64") },
});

describe("a plugin with a manager and a format", () => {
  let temporary: ReturnType<typeof temporaryFolder>;
  let server: DevServer;
  before(async () => {
    server = await startDevServer({ buckets: ["demo"] });
    temporary = temporaryFolder();
    const folder = "node_modules/@acme/tenants";
    temporary.write(`${folder}/index.js`, example("packages/container/README.md", "acme-key-by-prefix"));
    temporary.write(`${folder}/key-by-prefix.js`, example("docs/write-a-manager.md", "class KeyByPrefixManager"));
    temporary.write(
      `${folder}/package.json`,
      JSON.stringify({ name: "@acme/tenants", type: "module", exports: { ".": { default: "./index.js" } } }),
    );
  });
  after(async () => {
    await server.close();
    temporary.remove();
  });

  const configuration = {
    plugins: ["@acme/tenants"],
    keyring: aes(1),
    materialsManager: { type: "acme-key-by-prefix", prefixes: { "tenant-a/": aes(2) } },
    client: { formats: [{ type: "acme-beside", suffix: ".acme" }] },
  };
  const file = (changes: object): string =>
    temporary.write("tenants.json", JSON.stringify({ ...configuration, ...changes }));
  const wrong = (changes: object): Promise<S3EncryptionError> =>
    refusal("invalid-configuration", createFromConfig(file(changes), { s3: server.clientConfig }));

  async function readsWith(keyring: object, Key: string): Promise<unknown> {
    const { client, dispose } = await createFromConfig(
      { keyring, client: { instructionFileConfig: { suffix: ".acme" } } },
      { s3: server.clientConfig },
    );
    try {
      const { Body } = await client.send(new GetObjectCommand({ Bucket: "demo", Key }));
      return await Body?.transformToString();
    } catch (error) {
      return (error as S3EncryptionError).code;
    } finally {
      await dispose();
    }
  }

  it("is named by a file: its manager chooses the keys, its format where they are stored", async () => {
    const { client, dispose } = await createFromConfig(file({}), { s3: server.clientConfig });
    for (const Key of ["tenant-a/x", "other"]) {
      await client.send(new PutObjectCommand({ Bucket: "demo", Key, Body: Key }));
      const { Body } = await client.send(new GetObjectCommand({ Bucket: "demo", Key }));
      expect(await Body?.transformToString()).to.equal(Key);
      await client.send(new HeadObjectCommand({ Bucket: "demo", Key: `${Key}.acme` }));
    }
    await dispose();
    expect(await readsWith(aes(2), "tenant-a/x")).to.equal("tenant-a/x");
    expect(await readsWith(aes(1), "tenant-a/x")).to.equal("decryption-failed");
    expect(await readsWith(aes(1), "other")).to.equal("other");
    expect(await readsWith(aes(2), "other")).to.equal("decryption-failed");
  });

  it("has its fields validated with the rest of the file, and explains itself", async () => {
    const short = { ...aes(2), wrappingKey: { base64: "AAAA" } };
    const materialsManager = { type: "acme-key-by-prefix", prefixes: { "tenant-a/": short }, extra: 1 };
    expect((await wrong({ materialsManager })).message)
      .to.match(/materialsManager\.prefixes\S*tenant-a\S*\.wrappingKey: /)
      .and.match(/materialsManager\.extra: no such field/);
    expect((await wrong({ client: { formats: [{ type: "acme-beside" }] } })).message).to.match(
      /client\.formats\[0\]\.suffix: /,
    );
    const { written } = await explainConfiguration(file({}));
    expect(written).to.include("Under tenant-a/, data keys are wrapped with keys of their own.");
  });
});

describe("a manager type that is passed as an object", () => {
  const s3 = { region: "us-west-2" };

  it("stands around others and inside them, is released, and is in the schema", async () => {
    const done: string[] = [];
    const managers = [
      managerDescriptor({
        type: "acme-watched",
        schema: ({ manager }) => z.strictObject({ name: z.string(), manager: manager.exactOptional() }),
        create: async ({ name, manager }, { createManager, onDispose }) => {
          onDispose(() => {
            done.push(name);
          });
          return createManager(manager);
        },
      }),
    ];
    const inner = { type: "acme-watched", name: "inner" };
    const caching = { type: "caching", maxAgeMs: 1000, manager: inner };
    const materialsManager = { type: "acme-watched", name: "outer", manager: caching };
    const plugins = [{ managers }];
    const { materialsManager: made, dispose } = await createFromConfig(
      { keyring: aes(1), materialsManager },
      { plugins, s3 },
    );
    expect(made.constructor.name).to.equal("CachingMaterialsManager");
    await dispose();
    expect(done).to.deep.equal(["inner", "outer"]);
    const { written } = await explainConfiguration({ keyring: aes(1), materialsManager: caching }, { plugins });
    expect(written.at(-1)).to.equal("A materials manager of the type acme-watched decides about the data keys.");
    expect(JSON.stringify(configurationJsonSchema(plugins))).to.contain("acme-watched");
  });

  it("is told where it, or what it holds, refuses", async () => {
    const descriptor = managerDescriptor({
      type: "acme-refuses",
      schema: ({ keyring }) => z.strictObject({ held: keyring.exactOptional() }),
      create: async ({ held }, { keyring, createKeyring }) => {
        if (held !== undefined) return new DefaultMaterialsManager(await createKeyring(held));
        throw new S3EncryptionError("invalid-argument", `Nothing with ${keyring.wrapAlgorithms.length} wraps.`);
      },
    });
    const plugins = [{ managers: [descriptor] }];
    const refused = async (manager: object): Promise<string> => {
      const materialsManager = { type: "caching", maxAgeMs: 1000, manager: { type: "acme-refuses", ...manager } };
      const made = createFromConfig({ keyring: aes(1), materialsManager }, { plugins, s3 });
      return (await refusal("invalid-configuration", made)).message;
    };
    expect(await refused({})).to.match(/^ {2}materialsManager\.manager: Nothing with \d+ wraps\.$/m);
    const twins = [aes(1), aes(2)].map(({ type: _type, ...keys }) => ({ ...keys, materialDescription: { a: "1" } }));
    const held = { ...aes(1), materialDescription: { a: "1" }, decryptionKeys: twins };
    expect(await refused({ held })).to.match(/^ {2}materialsManager\.manager\.held: /m);
  });

  it("cannot have the name of a built-in one, and has to have all its parts", async () => {
    const descriptor = managerDescriptor({
      type: "caching",
      schema: () => z.strictObject({}),
      create: (_, { createManager }) => createManager(),
    });
    const twice = createFromConfig({ keyring: aes(1) }, { plugins: [{ managers: [descriptor] }] });
    expect((await refusal("invalid-configuration", twice)).message).to.match(/two manager types named "caching"/);
    const { create: _create, ...part } = descriptor;
    const plugins = [{ managers: [part as typeof descriptor] }];
    await refusal("invalid-argument", createFromConfig({ keyring: aes(1) }, { plugins }));
  });
});
