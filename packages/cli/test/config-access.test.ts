import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DeleteObjectCommand, GetObjectCommand, PutObjectCommand } from "@aws-sdk/client-s3";
import { auditBucket } from "@s3ec/bulk";
import { addRecipient, EncryptedUpload, migrateObject, removeRecipient, rewrapObject } from "@s3ec/client";
import { createFromConfig } from "@s3ec/container";
import { type DevServer, startDevServer } from "@s3ec/dev-server";
import { expect } from "chai";
import type { Command } from "commander";
import { configLive } from "../dist/config-live.js";
import { configPolicy, secretStatements } from "../dist/config-policy.js";
import { type IamPolicy, ROLE_COMMANDS, type Role } from "../dist/iam-policy.js";
import { Interrupts } from "../dist/interruption.js";
import { program } from "../dist/program.js";
import { temporaryFolder } from "./command.js";
import { inProcess } from "./objects/in-process.js";

const kms = (name: string) => ({ type: "kms", keyId: `alias/${name}` });
const multi = {
  type: "multi",
  generator: kms("a"),
  children: [{ keyring: kms("b"), instructionFileSuffix: ".b" }],
};
const demo = [{ Bucket: "demo", Key: "" }];

describe("s3ec config policy and config check --live", () => {
  const { folder, remove } = temporaryFolder();
  let server: DevServer;
  before(async () => {
    server = await startDevServer({ buckets: ["demo"], aliases: ["alias/a", "alias/b"] });
  });
  after(async () => {
    await server.close();
    remove();
  });
  afterEach(() => server.faults.clear());

  const file = (configuration: object): string => {
    const path = join(folder, "s3ec.config.json");
    writeFileSync(path, JSON.stringify(configuration));
    return path;
  };
  const policies = async (configuration: object, addresses = demo): Promise<Record<Role, IamPolicy>> =>
    JSON.parse((await configPolicy(file(configuration), { addresses })).json);
  const actionsIn = ({ Statement }: IamPolicy): string[] => Statement.flatMap(({ Action }) => Action);

  /** What S3 and KMS ask a policy for, by the request that was made. */
  const ASKED: Readonly<Record<string, string>> = {
    GenerateDataKey: "kms:GenerateDataKey",
    Encrypt: "kms:Encrypt",
    Decrypt: "kms:Decrypt",
    GetObject: "s3:GetObject",
    HeadObject: "s3:GetObject",
    PutObject: "s3:PutObject",
    CreateMultipartUpload: "s3:PutObject",
    UploadPart: "s3:PutObject",
    CompleteMultipartUpload: "s3:PutObject",
    AbortMultipartUpload: "s3:AbortMultipartUpload",
    DeleteObject: "s3:DeleteObject",
    ListParts: "s3:ListMultipartUploadParts",
    ListObjectAnnotations: "s3:ListObjectAnnotations",
    PutObjectAnnotation: "s3:PutObjectAnnotation",
    GetObjectAnnotation: "s3:GetObjectAnnotation",
  };
  const askedFor = (): string[] => [...new Set(server.requests.map(({ operation }) => ASKED[operation] ?? operation))];

  for (const [what, configuration] of Object.entries({
    "a KMS key": { keyring: kms("a") },
    "a child beside it": { keyring: multi },
    "a child in an annotation": { keyring: multi, client: { wrapPlacement: "annotations" } },
    "a child that only reads": { keyring: { ...multi, children: [{ keyring: kms("b"), decryptOnly: true }] } },
    "a child, and all wraps in files": { keyring: multi, client: { wrapPlacement: "instruction-files" } },
    "a file for the only wrap": {
      keyring: kms("a"),
      client: { instructionFileConfig: { enableInstructionFilePutObject: true } },
    },
  })) {
    it(`allows a writer and a reader what they ask for, and little else: ${what}`, async () => {
      const allowed = await policies(configuration);
      const { client, dispose } = await createFromConfig(configuration, {
        s3: server.clientConfig,
        kms: server.clientConfig,
      });
      const params = { Bucket: "demo", Key: "k" };
      server.clearRequests();
      await client.send(new PutObjectCommand({ ...params, Body: "x" }));
      await new EncryptedUpload({
        client,
        params: { ...params, Body: Buffer.alloc(6 << 20) },
        partSize: 5 << 20,
      }).done();
      server.faults.add({ service: "s3", operation: "UploadPart", status: 403, code: "AccessDenied" });
      await new EncryptedUpload({ client, params: { ...params, Body: Buffer.alloc(6 << 20) }, partSize: 5 << 20 })
        .done()
        .catch(() => {});
      server.faults.clear();
      server.faults.add({ service: "s3", operation: "PutObject", key: "k", status: 403, code: "AccessDenied" });
      await client.send(new PutObjectCommand({ ...params, Key: "k", Body: "x" })).catch(() => {});
      server.faults.clear();
      const writing = askedFor();
      expect(actionsIn(allowed.writer)).to.include.members(writing);
      // Listing makes a missing file be told as missing; taking files back is for puts of a new object that fail.
      const unasked = actionsIn(allowed.writer).filter((action) => !writing.includes(action));
      expect(["s3:DeleteObject", "s3:ListBucket"]).to.include.members(unasked);
      server.clearRequests();
      if (what === "a child in an annotation") {
        // Where the key of the metadata's wrap is none of the reader's.
        server.faults.add({ service: "kms", operation: "Decrypt", status: 400, code: "DisabledException", times: 2 });
        await client.send(new GetObjectCommand(params));
        server.faults.clear();
      }
      const { Body } = await client.send(new GetObjectCommand(params));
      await Body?.transformToByteArray();
      const reading = askedFor();
      expect(actionsIn(allowed.reader)).to.include.members(reading);
      expect(actionsIn(allowed.reader).filter((action) => !reading.includes(action))).to.deep.equal(["s3:ListBucket"]);
      expect(actionsIn(allowed.rotator)).to.include.members([
        ...reading,
        ...writing,
        "s3:PutObjectAnnotation",
        "s3:GetObjectAnnotation",
        "s3:ListObjectAnnotations",
        "s3:DeleteObjectAnnotation",
      ]);
      await client.send(new DeleteObjectCommand(params));
      await dispose();
    });
  }

  for (const [what, keyring] of [
    ["a KMS key", kms("a")],
    ["a child beside it", multi],
  ] as const) {
    it(`allows a writer that resumes what going on asks for: ${what}`, async () => {
      const { writer } = JSON.parse((await configPolicy(file({ keyring }), { addresses: demo, resume: true })).json);
      const { client, dispose } = await createFromConfig(
        { keyring },
        { s3: server.clientConfig, kms: server.clientConfig },
      );
      writeFileSync(join(folder, "large"), Buffer.alloc(6 << 20));
      const upload = () =>
        new EncryptedUpload({
          client,
          params: { Bucket: "demo", Key: "resumed" },
          file: join(folder, "large"),
          resume: { secret: Buffer.alloc(32, 3) },
          partSize: 5 << 20,
        }).done();
      server.clearRequests();
      server.faults.add({ service: "s3", operation: "UploadPart", partNumber: 2, status: 403, code: "AccessDenied" });
      const failure = await upload().catch((error: Error) => error);
      expect(failure).to.be.instanceOf(Error);
      server.faults.clear();
      await upload();
      const asked = askedFor();
      const allowed = actionsIn(writer);
      expect(allowed).to.include.members(asked);
      expect(asked).to.include.members(["s3:ListMultipartUploadParts", "kms:Decrypt"]);
      const unasked = allowed.filter((action) => !asked.includes(action));
      expect(["s3:AbortMultipartUpload", "s3:DeleteObject", "s3:ListBucket"]).to.include.members(unasked);
      await dispose();
    });
  }

  /** What a rotator asks for; of a version that is named S3 asks for the permission of versions. */
  const askedOfRotator = (): string[] => {
    const actions = server.requests.flatMap(({ operation, query }) => {
      if (operation === "ReEncrypt") return ["kms:ReEncryptFrom", "kms:ReEncryptTo"];
      const action = ASKED[operation] ?? ROTATING[operation] ?? operation;
      return query?.versionId === undefined
        ? [action]
        : [action.replace(/^s3:(Get|Put|Delete)Object(?!Anno)/, "$&Version")];
    });
    return [...new Set(actions)];
  };
  const ROTATING: Readonly<Record<string, string>> = {
    CopyObject: "s3:PutObject",
    UploadPartCopy: "s3:PutObject",
    DeleteObjectAnnotation: "s3:DeleteObjectAnnotation",
    GetObjectTagging: "s3:GetObjectTagging",
    PutObjectTagging: "s3:PutObjectTagging",
    GetObjectAcl: "s3:GetObjectAcl",
    GetObjectRetention: "s3:GetObjectRetention",
    GetObjectLegalHold: "s3:GetObjectLegalHold",
    ListObjectsV2: "s3:ListBucket",
    ListObjectVersions: "s3:ListBucketVersions",
    ListMultipartUploads: "s3:ListBucketMultipartUploads",
    GetBucketVersioning: "s3:GetBucketVersioning",
  };

  it("allows a rotator whatever re-wrapping, recipients, migrating and audits ask for", async () => {
    const configurations = [
      { keyring: kms("a") },
      { keyring: multi },
      { keyring: multi, client: { wrapPlacement: "annotations" } },
      { keyring: kms("a"), client: { instructionFileConfig: { enableInstructionFilePutObject: true } } },
    ];
    const services = { s3: server.clientConfig, kms: server.clientConfig };
    const { materialsManager: to, dispose: disposeTo } = await createFromConfig({ keyring: kms("b") }, services);
    const seen = new Set<string>();
    for (const [index, configuration] of configurations.entries()) {
      const { rotator } = await policies(configuration);
      const { client, dispose } = await createFromConfig(configuration, services);
      const address = { Bucket: "demo", Key: `rotated-${index}` };
      const pace = { settleTime: 0, allowLoss: ["annotations"] } as const;
      await client.send(new PutObjectCommand({ ...address, Body: "x", Tagging: "a=b" }));
      server.clearRequests();
      await rewrapObject(client, { ...address, to: { materialsManager: to }, owner: "same", settleTime: 0 });
      await rewrapObject(client, {
        ...address,
        to: { materialsManager: to },
        owner: "same",
        decryptHere: true,
        settleTime: 0,
      }).catch(() => {});
      await client.send(new PutObjectCommand({ ...address, Body: "x", Tagging: "a=b" }));
      await addRecipient(client, { ...address, recipient: "p", to: { materialsManager: to }, owner: "another" });
      await removeRecipient(client, { ...address, recipient: "p" });
      await migrateObject(client, { ...address, ...pace });
      for await (const _ of auditBucket(client, { Bucket: "demo", versions: true })) {
        // What it asks is what is looked at.
      }
      const asked = askedOfRotator();
      for (const action of asked) seen.add(action);
      expect(actionsIn(rotator)).to.include.members(asked);
      await dispose();
    }
    await disposeTo();
    expect([...seen]).to.include.members([
      ...["kms:ReEncryptFrom", "kms:ReEncryptTo", "kms:Decrypt", "kms:Encrypt", "kms:GenerateDataKey"],
      ...["s3:PutObjectAnnotation", "s3:DeleteObjectAnnotation", "s3:GetObjectTagging", "s3:ListBucketVersions"],
    ]);
  });

  it("has a role for each command that works with objects", () => {
    const leaves = (command: Command, path: string): string[] => {
      const works = command.options.some(({ long }) => long === "--config") ? [path] : [];
      return [...works, ...command.commands.flatMap((inner) => leaves(inner, `${path} ${inner.name()}`.trim()))];
    };
    using interrupts = new Interrupts();
    const commands = leaves(
      program(interrupts, () => {}),
      "",
    );
    expect(Object.values(ROLE_COMMANDS).flat()).to.have.members(commands);
  });

  it("allows an operator what cp, mv, sync, ls and rm ask for, and an auditor what audit and inspect do", async () => {
    const configuration = { keyring: multi };
    const { operator, auditor } = await policies(configuration);
    const run = async (...args: string[]): Promise<void> => {
      const { code, stderr } = await inProcess([...args, "--dev-server", String(server.clientConfig.endpoint)], folder);
      expect([args.join(" "), stderr, code]).to.deep.equal([args.join(" "), "", 0]);
    };
    mkdirSync(join(folder, "tree"));
    for (const name of ["a", "b"]) writeFileSync(join(folder, "tree", name), name);
    server.clearRequests();
    await run("sync", "tree", "s3://demo/tree");
    await run("sync", "tree", "s3://demo/tree");
    await run("ls", "s3://demo/tree/", "--exact", "--long");
    await run("cp", "s3://demo/tree", "s3://demo/copy", "--recursive");
    await run("mv", "s3://demo/copy/a", "s3://demo/copy/c");
    await run("sync", "s3://demo/copy", "down");
    await run("mv", "down/b", "s3://demo/copy/d");
    await run("sync", "down", "s3://demo/copy", "--delete");
    await run("rm", "s3://demo/copy", "--recursive");
    const operating = askedOfRotator();
    expect(actionsIn(operator)).to.include.members(operating);
    // Versions, parts, annotations and tags are those of what has them.
    const unasked = actionsIn(operator).filter((action) => !operating.includes(action));
    expect(unasked.filter((action) => !/Version|Annotation|Tagging|Abort/.test(action))).to.deep.equal([]);
    server.clearRequests();
    await run("audit", "s3://demo/", "--recursive", "--versions");
    await run("inspect", "s3://demo/tree/a");
    await run("recipients", "list", "s3://demo/tree/a");
    // An annotation is read where there is one.
    expect(actionsIn(auditor)).to.have.members([...new Set([...askedOfRotator(), "s3:GetObjectAnnotation"])]);
  });

  it("names keys as narrowly as the configuration does", async () => {
    const arn = "arn:aws:kms:eu-west-1:111122223333:key/1234";
    const rules = [
      { keyId: arn },
      { keyId: "arn:aws:kms:eu-west-1:111122223333:alias/x" },
      { keyId: "alias/y" },
      { keyId: "1234abcd", region: "eu-north-1" },
    ].map((key, index) => ({ prefix: `${index}/`, keyring: { type: "kms", ...key } }));
    const discovery = { type: "kms-discovery", discoveryFilter: { partition: "aws", accountIds: ["1", "2"] } };
    const { reader, writer } = await policies({
      kms: { region: "us-east-1" },
      materialsManager: {
        type: "required-context",
        requiredContextKeys: ["tenant"],
        manager: { type: "by-object", rules: [...rules, { bucket: "archive", keyring: discovery }] },
      },
    });
    const bound = { Null: { "kms:EncryptionContext:tenant": "false" } };
    const aliased = (alias: string) => ({ "ForAnyValue:StringEquals": { "kms:ResourceAliases": alias }, ...bound });
    const keys = [
      [arn, bound],
      ["arn:aws:kms:eu-west-1:111122223333:key/*", aliased("alias/x")],
      ["arn:aws:kms:us-east-1:*:key/*", aliased("alias/y")],
      ["arn:aws:kms:eu-north-1:*:key/1234abcd", bound],
    ].map(([Resource, Condition]) => ({ Effect: "Allow", Action: "kms:Decrypt", Resource, Condition }));
    const found = ["1", "2"].map((account) => `arn:aws:kms:us-east-1:${account}:key/*`);
    expect(reader.Statement).to.deep.equal([
      ...keys,
      { Effect: "Allow", Action: "kms:Decrypt", Resource: found, Condition: bound },
      {
        Effect: "Allow",
        Action: "s3:GetObject",
        Resource: [
          ...["0/", "1/", "2/", "3/"].map((prefix) => `arn:aws:s3:::demo/${prefix}*`),
          "arn:aws:s3:::archive/*",
        ],
      },
      { Effect: "Allow", Action: "s3:ListBucket", Resource: ["arn:aws:s3:::demo", "arn:aws:s3:::archive"] },
    ]);
    expect(actionsIn(writer).filter((action) => action === "kms:GenerateDataKey")).to.have.lengthOf(4);
    expect(actionsIn(writer)).to.not.contain("kms:Decrypt");
  });

  it("names objects as narrowly as configuration and caller together", async () => {
    const { writer } = await policies(
      { materialsManager: { type: "by-object", rules: [{ prefix: "a/", keyring: kms("a") }] } },
      [
        { Bucket: "one", Key: "" },
        { Bucket: "two", Key: "a/b*" },
        { Bucket: "three", Key: "c/" },
        { Bucket: "arn:aws:s3:eu-west-1:111122223333:accesspoint/p", Key: "a/" },
      ],
    );
    expect(writer.Statement.at(-1)?.Resource).to.deep.equal([
      "arn:aws:s3:::one/a/*",
      `arn:aws:s3:::two/a/b\${*}*`,
      "arn:aws:s3:eu-west-1:111122223333:accesspoint/p/object/a/*",
    ]);
  });

  it("allows what the configuration's own secrets take", () => {
    const passphrase = { secretsManager: "app/pass", field: "p", region: "eu-west-1" };
    const wrappingKey = { parameterStore: "/app/key", passphrase };
    const arn = "arn:aws:secretsmanager:eu-west-1:111122223333:secret:pin-abcdef";
    const statements = secretStatements({ keyring: { children: [{ wrappingKey }, { pin: { secretsManager: arn } }] } });
    expect(statements).to.deep.equal(
      [
        ["ssm:GetParameter", "arn:aws:ssm:*:*:parameter/app/key"],
        ["secretsmanager:GetSecretValue", "arn:aws:secretsmanager:eu-west-1:*:secret:app/pass-??????"],
        ["secretsmanager:GetSecretValue", arn],
      ].map(([Action, Resource]) => ({ Effect: "Allow", Action, Resource })),
    );
  });

  it("is printed by the command, which says what is left to fill in", async () => {
    file({ keyring: kms("a") });
    const { stdout, stderr, code } = await inProcess(
      ["config", "policy", "s3ec.config.json", "--role", "writer"],
      folder,
    );
    expect(code).to.equal(0);
    expect(JSON.parse(stdout).Statement[1].Resource).to.equal("arn:aws:s3:::BUCKET/*");
    expect(stderr).to.match(/^s3ec: Put the bucket's name where it says BUCKET/);
  });

  const live = (configuration: object, more: object = {}) => {
    const { endpoint, region, credentials } = server.clientConfig;
    const devServer = {
      endpoint: String(endpoint),
      region: String(region),
      credentials,
      forcePathStyle: true,
    } as const;
    return configLive(file(configuration), { addresses: demo, devServer, ...more } as Parameters<typeof configLive>[1]);
  };
  const statements = (text: string): unknown => JSON.parse(/^\[\n[\s\S]*?^\]$/m.exec(text)?.[0] ?? "null");

  it("asks for each use of each key, and changes nothing", async () => {
    server.clearRequests();
    const { words: text, missing } = await live({ keyring: multi });
    expect(missing).to.equal(false);
    for (const [action, key] of [
      ["kms:GenerateDataKey", "a"],
      ["kms:Decrypt", "a"],
      ["kms:Encrypt", "b"],
      ["kms:Decrypt", "b"],
    ]) {
      expect(text).to.contain(`${action} is allowed on alias/${key}.`);
    }
    expect(statements(text)).to.equal(null);
    const bodies = server.requests.filter(
      ({ operation }) => Object.hasOwn(ASKED, operation) && operation !== "HeadObject",
    );
    for (const { body } of bodies) {
      const { DryRun, EncryptionContext } = JSON.parse(String(body));
      expect({ DryRun, EncryptionContext }).to.deep.equal({
        DryRun: true,
        EncryptionContext: { "aws:x-amz-cek-alg": "115" },
      });
    }
    expect(bodies).to.have.lengthOf(4);
    expect(new Set(server.requests.map(({ operation }) => operation))).to.deep.equal(
      new Set(["DescribeKey", "GenerateDataKey", "Encrypt", "Decrypt", "ListObjectsV2", "HeadObject"]),
    );
  });

  it("says for each missing permission which statement to add", async () => {
    for (const operation of ["Decrypt", "GenerateDataKey"]) {
      server.faults.add({ service: "kms", operation, status: 400, code: "AccessDeniedException" });
    }
    server.faults.add({ service: "s3", operation: "HeadObject", status: 403, code: "AccessDenied" });
    const { words: text, missing } = await live({ keyring: kms("a") });
    expect(missing).to.equal(true);
    expect(text).to.contain("MISSING: kms:Decrypt on alias/a.").and.contain("MISSING: s3:GetObject on s3://demo/.");
    const Resource = /arn:aws:kms:[^,]+/.exec(text)?.[0];
    expect(statements(text)).to.deep.equal([
      { Effect: "Allow", Action: "kms:GenerateDataKey", Resource },
      { Effect: "Allow", Action: "kms:Decrypt", Resource },
      { Effect: "Allow", Action: "s3:GetObject", Resource: "arn:aws:s3:::demo/*" },
    ]);
    const writer = await live({ keyring: kms("a") }, { role: "writer" });
    expect(writer.words).to.not.contain("kms:Decrypt").and.not.contain("s3:GetObject");
  });

  it("asks for a rotator whether KMS would wrap anew what it has wrapped", async () => {
    const former = { ...kms("a"), formerKeyIds: ["alias/b"] };
    const { words: text, missing } = await live({ keyring: former }, { role: "rotator" });
    expect(missing).to.equal(false);
    expect(text)
      .to.contain("kms:ReEncryptFrom and kms:ReEncryptTo are allowed on alias/a.")
      .and.contain("Whether kms:ReEncryptFrom is allowed on alias/b cannot be asked for it alone.")
      .and.not.contain("kms:Encrypt is allowed on alias/b");
    server.faults.add({ service: "kms", operation: "ReEncrypt", status: 400, code: "AccessDeniedException" });
    const refused = await live({ keyring: kms("a") }, { role: "rotator" });
    expect(refused.words).to.contain("MISSING: kms:ReEncryptFrom and kms:ReEncryptTo on alias/a.");
    expect(statements(refused.words)).to.deep.equal([
      {
        Effect: "Allow",
        Action: ["kms:ReEncryptFrom", "kms:ReEncryptTo"],
        Resource: /arn:aws:kms:[^,]+/.exec(refused.words)?.[0],
      },
    ]);
    const { rotator } = await policies({ keyring: former });
    expect(rotator.Statement.slice(0, 2).map(({ Action }) => Action)).to.deep.equal([
      ["kms:Decrypt", "kms:ReEncryptFrom", "kms:Encrypt", "kms:ReEncryptTo", "kms:GenerateDataKey"],
      ["kms:Decrypt", "kms:ReEncryptFrom"],
    ]);
  });

  it("goes by the alias where the key itself may not be looked at", async () => {
    server.faults.add({ service: "kms", operation: "DescribeKey", status: 400, code: "AccessDeniedException" });
    server.faults.add({ service: "kms", operation: "Decrypt", status: 400, code: "AccessDeniedException" });
    server.faults.add({ service: "s3", operation: "ListObjectsV2", status: 403, code: "AccessDenied" });
    server.faults.add({ service: "s3", operation: "HeadObject", status: 403, code: "AccessDenied" });
    const { words: text } = await live({
      keyring: kms("a"),
      client: { commitmentPolicy: "FORBID_ENCRYPT_ALLOW_DECRYPT" },
    });
    expect(text)
      .to.contain("kms:DescribeKey is not allowed on alias/a; nothing but this check needs it.")
      .and.contain("Whether s3:GetObject is allowed on s3://demo/ cannot be told without s3:ListBucket.");
    expect(statements(text)).to.deep.equal([
      {
        Effect: "Allow",
        Action: "kms:Decrypt",
        Resource: "arn:aws:kms:*:*:key/*",
        Condition: { "ForAnyValue:StringEquals": { "kms:ResourceAliases": "alias/a" } },
      },
      { Effect: "Allow", Action: "s3:ListBucket", Resource: "arn:aws:s3:::demo" },
    ]);
  });

  it("tells of keys that are not there or cannot serve, and of contexts that are not said", async () => {
    const { arn: rsa } = server.kms.createKey({ alias: "alias/rsa", spec: "RSA_2048" });
    const keyring = {
      ...multi,
      generator: kms("nobody"),
      children: [{ keyring: kms("rsa"), instructionFileSuffix: ".b" }],
    };
    const materialsManager = { type: "required-context", requiredContextKeys: ["tenant", "purpose"] };
    const { words: text, missing } = await live(
      { keyring, materialsManager },
      { context: { tenant: "a" }, addresses: [] },
    );
    expect(missing).to.equal(true);
    expect(text)
      .to.contain("MISSING: KMS has no key alias/nobody in this region and account")
      .and.contain(`alias/rsa is ${rsa}, RSA_2048, Enabled: it has to be a symmetric key that is enabled.`)
      .and.contain("say --context purpose=...")
      .and.contain("S3 was not asked, since no bucket is named");
  });

  it("tells of a bucket that is not there, of another refusal, and of a KMS without dry runs", async () => {
    server.faults.add({ service: "kms", operation: "Decrypt", status: 400, code: "KMSInvalidStateException" });
    const { words: text, missing } = await live({ keyring: kms("a") }, { addresses: [{ Bucket: "nowhere", Key: "" }] });
    expect(missing).to.equal(true);
    expect(text)
      .to.contain("kms:Decrypt on alias/a is refused by KMS (KMSInvalidStateException).")
      .and.contain("s3://nowhere/ cannot be listed (NoSuchBucket)");
  });

  it("takes the configuration of this folder where none is named", async () => {
    file({ keyring: kms("a") });
    const named = await inProcess(["config", "policy", "s3ec.config.json", "s3://demo/a/"], folder);
    expect(named.stdout).to.contain("arn:aws:s3:::demo/a/*");
    expect((await inProcess(["config", "policy", "s3://demo/a/"], folder)).stdout).to.equal(named.stdout);
    expect((await inProcess(["config", "check"], folder)).stdout).to.match(/^s3ec\.config\.json is valid\./);
    const nowhere = { AWS_REGION: undefined, AWS_DEFAULT_REGION: undefined, AWS_CONFIG_FILE: join(folder, "none") };
    const regionless = await inProcess(["put", "s3ec.config.json", "s3://demo/a"], folder, nowhere);
    expect(regionless.code).to.equal(3);
    expect(regionless.stderr).to.contain("There is no region: set AWS_REGION, or s3.region and kms.region");
    const empty = join(folder, "empty");
    mkdirSync(empty);
    const { code, stderr } = await inProcess(["config", "policy"], empty);
    expect(code).to.equal(3);
    expect(stderr).to.equal(
      "s3ec: There is no s3ec.config.json in this folder: name a configuration after the command, or have s3ec init write one.\n",
    );
  });

  it("takes a bucket without a slash behind it, and says how to write what is none", async () => {
    file({ keyring: kms("a") });
    const policy = (address: string) => inProcess(["config", "policy", "s3ec.config.json", address], folder);
    expect((await policy("s3://demo")).stdout).to.equal((await policy("s3://demo/")).stdout);
    const { code, stderr } = await policy("demo");
    expect(code).to.equal(2);
    expect(stderr).to.contain("Write it as s3://bucket/prefix, after the configuration's file.");
  });

  it("says where a local server is had from, for commands that start none", async () => {
    file({ keyring: kms("a") });
    for (const args of [
      ["config", "check", "s3ec.config.json", "--live"],
      ["init", "new.json"],
      ["keygen", "kms", "x"],
    ]) {
      const { code, stderr } = await inProcess([...args, "--dev"], folder);
      expect(code).to.equal(2);
      expect(stderr).to.match(
        /^s3ec: Only commands that work with objects .* --dev-server http:\/\/127\.0\.0\.1:4566\.\n$/,
      );
    }
    expect((await inProcess(["config", "check", "--help"], folder)).stdout).to.not.match(/--dev\b(?!-)/);
  });

  it("exits with the code of keys that are not served", async () => {
    file({ keyring: kms("nobody") });
    const args = ["config", "check", "s3ec.config.json", "--live", "--dev-server", server.endpoint];
    const { code, stdout, stderr } = await inProcess(args, folder);
    expect(code).to.equal(5);
    expect(stdout).to.match(/^s3ec\.config\.json is valid\.[\s\S]*What the services answer:\n/);
    expect(stderr).to.equal(
      "s3ec: Not all that this configuration needs is served: what is printed above says what is missing.\n",
    );
    expect(readFileSync(join(folder, "s3ec.config.json"), "utf8")).to.contain("alias/nobody");
  });
});
