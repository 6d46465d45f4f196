import { generateKeyPairSync, randomBytes } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { GetObjectCommand, PutObjectCommand, S3Client } from "@aws-sdk/client-s3";
import { type DevServer, startDevServer } from "@s3ec/dev-server";
import { expect } from "chai";
import { type Outcome, s3ec, start, temporaryFolder } from "./command.js";
import { inProcess } from "./objects/in-process.js";

describe("s3ec", () => {
  let server: DevServer;
  let plain: S3Client;
  let temporary: ReturnType<typeof temporaryFolder>;
  let folder: string;
  const plaintext = randomBytes(100_000);

  before(async () => {
    server = await startDevServer({ buckets: ["demo"], aliases: ["alias/app"] });
    plain = new S3Client({ ...server.clientConfig });
    temporary = temporaryFolder();
    folder = temporary.folder;
    const { publicKey, privateKey } = generateKeyPairSync("rsa", {
      modulusLength: 2048,
      publicKeyEncoding: { type: "spki", format: "pem" },
      privateKeyEncoding: { type: "pkcs8", format: "pem" },
    });
    writeFileSync(join(folder, "escrow.pub.pem"), publicKey);
    writeFileSync(join(folder, "escrow.pem"), privateKey, { mode: 0o600 });
    writeFileSync(join(folder, "in"), plaintext);
    const rsa = { type: "raw-rsa", materialDescription: { purpose: "escrow" } };
    configure("app.json", {
      keyring: {
        type: "multi",
        generator: { type: "kms", keyId: "alias/app" },
        children: [{ keyring: { ...rsa, publicKey: { file: "escrow.pub.pem" } }, instructionFileSuffix: ".escrow" }],
      },
    });
    configure("bad.json", { keyring: { type: "kms" } });
    configure("escrow.json", { keyring: { ...rsa, privateKey: { file: "escrow.pem" } } });
    configure("other.json", {
      keyring: { type: "raw-aes", wrappingKey: { base64: randomBytes(32).toString("base64") } },
    });
  });
  after(async () => {
    plain.destroy();
    await server.close();
    temporary.remove();
  });

  function configure(name: string, configuration: object): void {
    writeFileSync(join(folder, name), JSON.stringify(configuration));
  }

  /** A command against the server of this test. */
  function local(...args: string[]): Promise<Outcome> {
    return inProcess([...args, "--dev-server", server.endpoint], folder);
  }

  /** One in a process of its own, which has to end by itself and with the code. */
  function asProcess(...args: string[]): Promise<Outcome> {
    return s3ec([...args, "--dev-server", server.endpoint], folder);
  }

  /** One sentence, or one with lines below it, and never a stack trace. */
  function expectRefusal({ code, stdout, stderr }: Outcome, exitCode: number, text: RegExp): void {
    expect(stderr)
      .to.match(text)
      .and.match(/^s3ec: /)
      .and.not.match(/^\s+at /m);
    expect(stdout).to.equal("");
    expect(code).to.equal(exitCode);
  }

  function partials(): string[] {
    return readdirSync(folder).filter((name) => name.startsWith("."));
  }

  describe("put and get", () => {
    before(async () => {
      const put = await asProcess(
        "put",
        "in",
        "s3://demo/a/b",
        "--config",
        "app.json",
        "--context",
        "tenant=a",
        "--context",
        "x=1=2",
      );
      expect(put).to.deep.equal({ code: 0, stdout: "Encrypted 100000 bytes of in into s3://demo/a/b.\n", stderr: "" });
    });

    it("round-trip a file, and store none of it in the clear", async () => {
      const get = await asProcess(
        "get",
        "s3://demo/a/b",
        "out",
        "--config",
        "app.json",
        "--context",
        "x=1=2",
        "--context",
        "tenant=a",
      );
      expect(get).to.deep.equal({ code: 0, stdout: "Decrypted 100000 bytes of s3://demo/a/b into out.\n", stderr: "" });
      expect(readFileSync(join(folder, "out")).equals(plaintext)).to.equal(true);
      const { Body } = await plain.send(new GetObjectCommand({ Bucket: "demo", Key: "a/b" }));
      const stored = Buffer.from((await Body?.transformToByteArray()) ?? []);
      expect(stored.length).to.equal(100_016);
      expect(stored.includes(plaintext.subarray(0, 32))).to.equal(false);
    });

    it("read by a child's key alone, through its suffix", async () => {
      server.clearRequests();
      const { code } = await local("get", "s3://demo/a/b", "out2", "--config", "escrow.json", "--suffix", ".escrow");
      expect(code).to.equal(0);
      expect(readFileSync(join(folder, "out2")).equals(plaintext)).to.equal(true);
      expect(server.requests.map(({ service }) => service)).to.not.include("kms");
    });

    it("say that reading takes the encryption context, too", async () => {
      const { stdout } = await local("inspect", "s3://demo/a/b");
      expect(stdout).to.match(/To read it {2}its key and the encryption context of "tenant", "x" suffice; no option/);
    });

    it("tell a wrong suffix from an object that nobody encrypted, and name the suffix that reading takes", async () => {
      const wrong = ["--suffix", ".escroww"];
      expectRefusal(
        await local("inspect", "s3://demo/a/b", ...wrong),
        4,
        /no instruction file .*"\.escroww".*Beside it .*".*--suffix/,
      );
      const inMetadata = await local("inspect", "s3://demo/a/b");
      expect(inMetadata.stdout).to.match(/Beside it {3}keys that end in "\.escrow"; --suffix/);
      server.faults.add({ operation: "ListObjectsV2", status: 403, times: 2 });
      expectRefusal(await local("inspect", "s3://demo/a/b", ...wrong), 4, /could not be listed \(s3:ListBucket\)/);
      expect((await local("inspect", "s3://demo/a/b")).stdout).to.match(/Beside it {3}unknown/);
      const { stdout } = await local("inspect", "s3://demo/a/b", "--suffix", ".escrow");
      expect(stdout).to.match(/To read it {2}beside its key, set instructionFileConfig\.suffix: \.escrow\./);
    });

    it("carry a material description, and refuse another one", async () => {
      const config = ["--config", "other.json"];
      expect((await local("put", "in", "s3://demo/described", ...config, "--description", "year=2026")).code).to.equal(
        0,
      );
      expect(
        (await local("get", "s3://demo/described", "out3", ...config, "--description", "year=2026")).code,
      ).to.equal(0);
      expectRefusal(
        await local("get", "s3://demo/described", "out4", ...config, "--description", "year=2025"),
        5,
        /context/,
      );
      expect(existsSync(join(folder, "out4"))).to.equal(false);
    });

    it("replace an existing file only with a whole one", async () => {
      writeFileSync(join(folder, "kept"), "before");
      expectRefusal(
        await local("get", "s3://demo/a/b", "kept", "--config", "app.json", "--context", "tenant=b"),
        5,
        /Provided encryption context does not match/,
      );
      expect(readFileSync(join(folder, "kept"), "utf8")).to.equal("before");
      await local(
        "get",
        "s3://demo/a/b",
        "kept",
        "--config",
        "app.json",
        "--context",
        "tenant=a",
        "--context",
        "x=1=2",
      );
      expect(readFileSync(join(folder, "kept")).equals(plaintext)).to.equal(true);
      expect(partials()).to.deep.equal([]);
    });

    it("leave nothing of an altered object, although its plaintext was streamed", async () => {
      const { Body, Metadata } = await plain.send(new GetObjectCommand({ Bucket: "demo", Key: "a/b" }));
      const stored = Buffer.from((await Body?.transformToByteArray()) ?? []);
      stored[99_000] = (stored[99_000] ?? 0) ^ 1;
      await plain.send(new PutObjectCommand({ Bucket: "demo", Key: "altered", Body: stored, Metadata }));
      const file = await plain.send(new GetObjectCommand({ Bucket: "demo", Key: "a/b.escrow" }));
      const text = (await file.Body?.transformToString()) ?? "";
      await plain.send(new PutObjectCommand({ Bucket: "demo", Key: "altered.escrow", Body: text }));
      expectRefusal(
        await local("get", "s3://demo/altered", "altered", "--config", "escrow.json", "--suffix", ".escrow"),
        6,
        /Unable to decrypt the object/,
      );
      expect(existsSync(join(folder, "altered"))).to.equal(false);
      expect(partials()).to.deep.equal([]);
    });

    it("send a large file in parts", async () => {
      const large = randomBytes(65 * 1024 * 1024);
      writeFileSync(join(folder, "large"), large);
      expect((await local("put", "large", "s3://demo/large", "--config", "other.json")).code).to.equal(0);
      expect(server.requests.map(({ operation }) => operation)).to.include("CompleteMultipartUpload");
      expect((await local("get", "s3://demo/large", "large2", "--config", "other.json")).code).to.equal(0);
      expect(readFileSync(join(folder, "large2")).equals(large)).to.equal(true);
    });
  });

  for (const [signal, exitCode] of [
    ["SIGINT", 130],
    ["SIGTERM", 143],
  ] as const) {
    it(`leaves neither the file nor its temporary when ${signal} ends a download`, async () => {
      // More than one range, since what comes in one has no file before it is whole.
      writeFileSync(join(folder, "slow"), randomBytes(12_000_000));
      await local("put", "slow", "s3://demo/slow", "--config", "other.json");
      const faster = server.faults.add({ operation: "GetObject", key: "slow", throttleBytesPerSecond: 500_000 });
      const args = ["get", "s3://demo/slow", "slow.out", "--config", "other.json", "--dev-server", server.endpoint];
      const { child, outcome } = start(args, folder);
      for (let tries = 0; tries < 1000 && partials().length === 0; tries += 1) await setTimeout(20);
      expect(partials()).to.have.length(1);
      child.kill(signal);
      expectRefusal(await outcome, exitCode, /Interrupted/);
      faster();
      expect(existsSync(join(folder, "slow.out"))).to.equal(false);
      expect(partials()).to.deep.equal([]);
    });
  }

  it("leaves no file under the final name when it is killed without warning", async () => {
    writeFileSync(join(folder, "slow"), randomBytes(12_000_000));
    await local("put", "slow", "s3://demo/slow", "--config", "other.json");
    const faster = server.faults.add({ operation: "GetObject", key: "slow", throttleBytesPerSecond: 500_000 });
    const args = ["get", "s3://demo/slow", "killed.out", "--config", "other.json", "--dev-server", server.endpoint];
    const { child, outcome } = start(args, folder);
    for (let tries = 0; tries < 1000 && partials().length === 0; tries += 1) await setTimeout(20);
    child.kill("SIGKILL");
    await outcome;
    faster();
    expect(existsSync(join(folder, "killed.out"))).to.equal(false);
    for (const name of partials()) rmSync(join(folder, name), { recursive: true });
  });

  it("leaves nothing when the connection breaks", async () => {
    await local("put", "in", "s3://demo/cut", "--config", "other.json");
    const whole = server.faults.add({ operation: "GetObject", key: "cut", cutAfterBytes: 5_000 });
    const { code, stderr } = await local("get", "s3://demo/cut", "cut.out", "--config", "other.json");
    whole();
    expect(stderr).to.match(/^s3ec: [^\n]+\n$/);
    expect(code).to.be.oneOf([1, 6, 7]);
    expect(existsSync(join(folder, "cut.out"))).to.equal(false);
    expect(partials()).to.deep.equal([]);
  });

  describe("refuses in one sentence, with an exit code of its own", () => {
    it("2: wrong arguments", async () => {
      expectRefusal(await inProcess(["get", "demo/a", "out"], folder), 2, /s3:\/\/bucket\/key/);
      expectRefusal(await inProcess(["get", "s3://demo/a"], folder), 2, /missing required argument/);
      expectRefusal(await inProcess(["put", "in", "s3://demo/a", "--context", "x"], folder), 2, /name=value/);
      expectRefusal(await s3ec(["frobnicate"], folder), 2, /unknown command/);
      expectRefusal(await local("put", ".", "s3://demo/a"), 2, /not a file/);
      for (const address of ["localhost", "localhost:4566", "ftp://localhost"]) {
        expectRefusal(await inProcess(["inspect", "s3://demo/a", "--dev-server", address], folder), 2, /http:\/\/127/);
      }
      await local("put", "in", "s3://demo/mine", "--config", "other.json");
      mkdirSync(join(folder, "taken"), { recursive: true });
      expectRefusal(await local("get", "s3://demo/mine", "taken", "--config", "other.json"), 2, /is a folder/);
    });

    it("3: the configuration", async () => {
      expectRefusal(await inProcess(["put", "in", "s3://demo/a"], folder), 3, /--config/);
      expectRefusal(await local("put", "in", "s3://demo/a", "--config", "none.json"), 3, /does not exist/);
      expectRefusal(
        await local("put", "in", "s3://demo/a", "--config", "bad.json"),
        3,
        /keyring\.keyId: expected string/,
      );
    });

    it("4: what no client encrypted, or the policy forbids", async () => {
      await plain.send(new PutObjectCommand({ Bucket: "demo", Key: "plain", Body: "plain" }));
      expectRefusal(
        await local("get", "s3://demo/plain", "x", "--config", "app.json"),
        4,
        /not written by an S3 encryption client/,
      );
      expectRefusal(await local("inspect", "s3://demo/plain"), 4, /not written by an S3 encryption client/);
    });

    it("5: keys that are not there", async () => {
      await local("put", "in", "s3://demo/mine", "--config", "other.json");
      expectRefusal(await asProcess("get", "s3://demo/mine", "x", "--config", "app.json"), 5, /no configured keyring/);
      server.faults.add({ service: "kms", status: 400, code: "AccessDeniedException", times: 1 });
      const refused = await local("put", "in", "s3://demo/a", "--config", "app.json");
      expect(refused.code).to.equal(5);
    });

    it("explains a message, without a key, and gets it back", async () => {
      const wrappingKey = { base64: randomBytes(32).toString("base64") };
      const messageKey = { namespace: "archive", name: "2026" };
      for (const signed of [false, true]) {
        configure("message.json", {
          keyring: { type: "raw-aes", wrappingKey, messageKey },
          client: { formats: [{ type: "aws-message", signed }, { type: "s3" }] },
        });
        const put = await local("put", "in", "s3://demo/message", "--config", "message.json", "--context", "tenant=a");
        expect(put.code, put.stderr).to.equal(0);
        const text = (await local("inspect", "s3://demo/message")).stdout;
        expect(text).to.match(/message of the AWS Encryption SDK, header version 2/);
        expect(text).to.match(/archive: 2026 \(and 20 bytes\)/);
        expect(text).to.match(/tenant = a/);
        expect(text).to.match(
          /To read it {2}beside one of its keys and the encryption context of "tenant", set formats: /,
        );
        const { stdout } = await local("inspect", "s3://demo/message", "--json");
        expect(JSON.parse(stdout)).to.deep.include({
          format: "message",
          isCommitting: true,
          isSigned: signed,
          frameBytes: 65_536,
          bytes: signed ? null : plaintext.length,
        });
        const get = await local("get", "s3://demo/message", "out", "--config", "message.json", "--context", "tenant=a");
        expect(get.code, get.stderr).to.equal(0);
        expect(readFileSync(join(folder, "out")).equals(plaintext)).to.equal(true);
      }
    });

    it("3: S3 without a region or credentials, and says what to set", async () => {
      const nothing = {
        AWS_REGION: undefined,
        AWS_DEFAULT_REGION: undefined,
        AWS_PROFILE: undefined,
        AWS_ACCESS_KEY_ID: undefined,
        AWS_CONFIG_FILE: "/dev/null",
        AWS_SHARED_CREDENTIALS_FILE: "/dev/null",
        AWS_EC2_METADATA_DISABLED: "true",
      };
      const args = ["inspect", "s3://demo/a"];
      expectRefusal(await inProcess(args, folder, nothing), 3, /no region.* AWS_REGION.* s3\.region/);
      const keyless = { ...nothing, AWS_REGION: "us-east-1" };
      expectRefusal(await inProcess(args, folder, keyless), 3, /No AWS credentials.* AWS_PROFILE/);
    });

    it("7: storage", async () => {
      expectRefusal(await asProcess("get", "s3://demo/none", "x", "--config", "app.json"), 7, /no such object/);
      expectRefusal(await local("inspect", "s3://demo/none"), 7, /no such object/);
      expectRefusal(await local("get", "s3://nowhere/none", "x", "--config", "app.json"), 7, /no such bucket/);
      expectRefusal(await local("put", "none", "s3://demo/a", "--config", "app.json"), 7, /no file or folder none/);
      expectRefusal(
        await local("get", "s3://demo/mine", "none/x", "--config", "other.json"),
        7,
        /no folder \S*none\.$/m,
      );
      expectRefusal(
        await local("get", "s3://demo/mine", "in/x", "--config", "other.json"),
        7,
        /^s3ec: in\/x is below a file, .*name another path\.$/m,
      );
      expect(partials()).to.deep.equal([]);
    });
  });

  it("works on the local server of --dev, which keeps what was put", async () => {
    const dev = join(folder, "dev");
    mkdirSync(dev);
    writeFileSync(join(dev, "in"), plaintext);
    expect((await s3ec(["put", "in", "s3://demo/x", "--dev", "--context", "tenant=a"], dev)).code).to.equal(0);
    const inspected = await inProcess(["inspect", "s3://demo/x", "--dev", "--json"], dev);
    expect(JSON.parse(inspected.stdout)).to.include({
      format: "V3",
      wrapAlgorithm: "kms+context",
      bytes: 100_000,
    });
    expect((await s3ec(["get", "s3://demo/x", "out", "--dev", "--context", "tenant=a"], dev)).code).to.equal(0);
    expect(readFileSync(join(dev, "out")).equals(plaintext)).to.equal(true);
  });

  it("takes s3ec.config.json of the folder, and its keys from beside it", async () => {
    const home = join(folder, "home");
    mkdirSync(home);
    writeFileSync(join(home, "app.key"), randomBytes(32), { mode: 0o600 });
    writeFileSync(join(home, "in"), plaintext);
    const { endpoint, region } = server;
    const s3 = {
      endpoint,
      region,
      forcePathStyle: true,
      credentials: { accessKeyId: "test", secretAccessKey: "test" },
    };
    writeFileSync(
      join(home, "s3ec.config.json"),
      JSON.stringify({ keyring: { type: "raw-aes", wrappingKey: { file: "app.key" } }, s3 }),
    );
    expect((await inProcess(["put", "in", "s3://demo/home"], home)).code).to.equal(0);
    expect((await inProcess(["get", "s3://demo/home", "out"], home)).code).to.equal(0);
    expect((await inProcess(["inspect", "s3://demo/home"], home)).stdout).to.match(/wrapped with AES\/GCM/);
  });

  it("explains a configuration, and prints its schema", async () => {
    const check = await inProcess(["config", "check", "app.json"], folder);
    expect(check).to.include({ code: 0, stderr: "" });
    expect(check.stdout)
      .to.match(/^app\.json is valid\.$/m)
      .and.match(/kms:Decrypt/)
      .and.match(/holds its private key/);
    expect(check.stdout).to.not.match(/Look at/);
    expectRefusal(await inProcess(["config", "check", "bad.json"], folder), 3, /keyring\.keyId/);
    configure("any.json", { keyring: { type: "kms-discovery" } });
    const any = await inProcess(["config", "check", "any.json"], folder);
    expect(any.stdout).to.match(/^Look at:\n {2}- keyring takes whichever KMS key an object names/m);
    configure("malformed.json", { keyring: { type: "kms", keyId: "arn:aws:kms:eu-west-1:123" } });
    for (const args of [
      ["config", "check", "malformed.json"],
      ["put", "in", "s3://demo/a", "--config", "malformed.json"],
    ]) {
      expectRefusal(await inProcess(args, folder), 3, /^ {2}keyring: /m);
    }
    const schema = await inProcess(["config", "schema"], folder);
    expect(JSON.parse(schema.stdout)).to.have.nested.property("$defs.configuration.properties.keyring");
  });

  it("does not fail because nobody reads what it prints", async () => {
    for (const args of [["--help"], ["config", "schema"], ["put", "in", "s3://demo/unread", "--config", "app.json"]]) {
      const { child, outcome } = start(
        [...args, ...(args[0] === "put" ? ["--dev-server", server.endpoint] : [])],
        folder,
      );
      child.stdout?.destroy();
      expect(await outcome).to.deep.include({ code: 0, stderr: "" });
    }
  });

  it("tells its version", async () => {
    const { version } = JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8"));
    const { code, stdout } = await s3ec(["--version"], folder);
    expect([code, stdout]).to.deep.equal([0, `${version}\n`]);
  });

  it("lists its exit codes in its help", async () => {
    const { code, stdout } = await inProcess(["--help"], folder);
    expect(code).to.equal(0);
    expect(stdout).to.match(/130, 143 {2}interrupted, terminated/);
  });
});
