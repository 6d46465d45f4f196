import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { PassThrough } from "node:stream";
import { type DevServer, startDevServer } from "@s3ec/dev-server";
import { describeOnSoftHsm } from "@s3ec/softhsm";
import { refusal } from "@s3ec/test-support";
import { expect } from "chai";
import { initCommand } from "../dist/init-command.js";
import { keygenKms } from "../dist/keygen-kms.js";
import { askThrough } from "../dist/terminal-questions.js";
import { temporaryFolder } from "./command.js";
import { inProcess as s3ec } from "./objects/in-process.js";

type Environment = Readonly<Record<string, string>>;

/** From an empty folder to an object that was read again; each line is what somebody would type. */
async function transcript(
  server: DevServer,
  lines: readonly string[],
  env: Environment = {},
  more: readonly string[] = [],
): Promise<string[]> {
  const { folder, remove } = temporaryFolder();
  try {
    expect(readdirSync(folder)).to.deep.equal([]);
    const outputs: string[] = [];
    for (const line of [
      ...lines,
      "config check s3ec.config.json --live s3://demo/",
      "put report.pdf s3://demo/report.pdf",
      "get s3://demo/report.pdf copy.pdf",
      ...more,
    ]) {
      if (line.startsWith("put")) writeFileSync(join(folder, "report.pdf"), "a report");
      const local =
        line.startsWith("keygen") && !line.startsWith("keygen kms") ? [] : ["--dev-server", server.endpoint];
      const { code, stdout, stderr } = await s3ec([...line.split(" "), ...local], folder, env);
      expect({ line, code, stderr }).to.deep.equal({ line, code: 0, stderr: "" });
      for (const secret of Object.values(env)) expect(stdout).to.not.contain(secret);
      outputs.push(stdout);
    }
    expect(readFileSync(join(folder, "copy.pdf"), "utf8")).to.equal("a report");
    return outputs;
  } finally {
    remove();
  }
}

describe("s3ec, from an empty folder to the first object", () => {
  let server: DevServer;
  before(async () => {
    server = await startDevServer({ buckets: ["demo"] });
  });
  after(() => server.close());

  it("an AES key that init makes", async () => {
    await transcript(server, ["init --keyring aes"]);
  });

  it("an RSA key under a passphrase, that keygen made", async () => {
    const lines = [
      "keygen rsa app.pem --bits 2048 --passphrase-env KEY_PASSPHRASE",
      "init --keyring rsa --key app.pem --passphrase-env KEY_PASSPHRASE --legacy",
    ];
    await transcript(server, lines, { KEY_PASSPHRASE: "open sesame" });
  });

  it("a KMS key that init makes, for a configuration that names a region", async () => {
    await transcript(server, ["init --keyring kms --key alias/one --create --region us-west-2"]);
  });

  it("a KMS key that keygen made: what it is, and that it may be used", async () => {
    const [made = "", , checked = ""] = await transcript(server, [
      "keygen kms three",
      "init --keyring kms --key alias/three",
    ]);
    const arn = /arn:aws:kms:\S+/.exec(made)?.[0] ?? "none";
    expect(checked)
      .to.contain(`alias/three is ${arn}, a symmetric key, enabled.`)
      .and.contain("kms:GenerateDataKey is allowed on alias/three.")
      .and.contain("kms:Decrypt is allowed on alias/three.")
      .and.contain("s3:GetObject is allowed on s3://demo/.")
      .and.not.contain("MISSING");
    const policies = [...made.matchAll(/^\{\n[\s\S]*?^\}$/gm)].map(([json]) => JSON.parse(json));
    expect(policies).to.deep.equal([
      { keyring: { type: "kms", keyId: "alias/three", region: "us-west-2" } },
      ...["kms:GenerateDataKey", "kms:Decrypt"].map((Action) => ({
        Version: "2012-10-17",
        Statement: [{ Effect: "Allow", Action, Resource: arn }],
      })),
    ]);
  });

  it("a KMS key for the application, and an RSA key for an escrow, which alone opens what was put, too", async () => {
    const lines = [
      "keygen rsa escrow.pem --bits 2048 --public escrow.pub.pem",
      "init --keyring kms --key alias/hierarchy --create --escrow escrow.pub.pem",
    ];
    const escrow = [
      "init escrow.config.json --keyring rsa --key escrow.pem",
      "get s3://demo/report.pdf again.pdf --config escrow.config.json --suffix .escrow",
    ];
    const [, written = "", checked = ""] = await transcript(server, lines, {}, escrow);
    expect(written).to.contain("s3ec get s3://BUCKET/KEY FILE --suffix .escrow --config ITS-CONFIGURATION");
    expect(checked)
      .to.match(
        /is wrapped with the RSA key SHA256:\S+ described as key=escrow, stored in the instruction file at the object's key plus "\.escrow"/,
      )
      .and.contain("kms:GenerateDataKey is allowed on alias/hierarchy.");
  });

  describeOnSoftHsm("with a token", (hsm) => {
    const token = (type: string) =>
      `--module ${hsm().module} --token-label ${hsm().tokenLabel} --pin-env TOKEN_PIN --key-type ${type}`;

    it("an AES key of it, that init has it make", async () => {
      const line = `init --keyring pkcs11 --key first --create ${token("aes")}`;
      await transcript(server, [line], { TOKEN_PIN: hsm().pin });
    });

    it("no key of it that it does not have", async () => {
      const folder = temporaryFolder();
      const line = `init --keyring pkcs11 --key nobody ${token("rsa")}`;
      const { code, stderr } = await s3ec(line.split(" "), folder.folder, { TOKEN_PIN: hsm().pin });
      expect(code, stderr).to.not.equal(0);
      expect(readdirSync(folder.folder)).to.deep.equal([]);
      folder.remove();
    });

    it("an RSA key of it, that keygen had it make", async () => {
      const lines = [
        `keygen pkcs11 second --bits 2048 ${token("rsa")}`,
        `init --keyring pkcs11 --key second ${token("rsa")}`,
      ];
      const outputs = await transcript(server, lines, { TOKEN_PIN: hsm().pin });
      expect(outputs[0]).to.contain("Made the RSA key second in the token s3ec");
      expect(outputs[2]).to.contain("The PKCS#11 token took the PIN, and its key opened what it wrapped.");
    });
  });

  describe("keygen kms", () => {
    const { folder, remove } = temporaryFolder();
    after(remove);
    const keygen = (alias: string) => s3ec(["keygen", "kms", alias, "--dev-server", server.endpoint], folder);

    it("makes no second key under an alias", async () => {
      expect((await keygen("alias/once")).code).to.equal(0);
      const { code, stderr } = await keygen("once");
      expect({ code, stderr }).to.deep.equal({
        code: 2,
        stderr: "s3ec: alias/once is there already: use it, or choose another name.\n",
      });
    });

    it("leaves no key behind whose alias somebody else made meanwhile", async () => {
      server.clearRequests();
      server.faults.add({
        service: "kms",
        operation: "CreateAlias",
        status: 400,
        code: "AlreadyExistsException",
        times: 1,
      });
      const { code, stderr } = await keygen("alias/raced");
      expect(stderr).to.match(/alias\/raced is there already/);
      expect(code).to.equal(2);
      const operations = server.requests.map(({ operation }) => operation);
      expect(operations).to.deep.equal(["DescribeKey", "CreateKey", "CreateAlias", "ScheduleKeyDeletion"]);
      server.faults.clear();
    });

    for (const alias of ["alias/aws/s3", "alias/", "a key"]) {
      it(`refuses the alias "${alias}"`, async () => {
        await refusal("invalid-argument", keygenKms(alias, {}));
      });
    }
  });
});

describe("s3ec init", () => {
  let temporary: ReturnType<typeof temporaryFolder>;
  beforeEach(() => {
    temporary = temporaryFolder();
  });
  afterEach(() => temporary.remove());
  const path = (name: string): string => join(temporary.folder, name);
  const read = (name: string): string => readFileSync(path(name), "utf8");

  it("asks for what no option says, and takes an empty answer for the default", async () => {
    const input = new PassThrough();
    const output = new PassThrough();
    let asked = "";
    const answers = ["aes", "", path("its.key"), "eu-west-1", "y"];
    output.on("data", (text) => {
      asked += text;
      if (/: $/.test(String(text))) input.write(`${answers.shift()}\n`);
    });
    const { words: said } = await initCommand(path("s3ec.config.yaml"), {}, askThrough(input, output));
    expect(answers).to.deep.equal([]);
    expect(asked).to.match(
      /What wraps the data keys: kms, aes, rsa or pkcs11 \[kms\]: [\s\S]*made where there is none \[s3ec\.key\]: /,
    );
    expect(said).to.match(/^Made the AES key \S+its\.key, which only you can read/);
    expect(statSync(path("its.key")).size).to.equal(32);
    expect(read("s3ec.config.yaml")).to.equal(
      [
        "# yaml-language-server: $schema=./s3ec.schema.json",
        "# Which keys objects are encrypted with, and how S3 is reached. s3ec config check FILE says what it means.",
        "keyring:",
        "  type: raw-aes",
        "  wrappingKey:",
        "    file: its.key",
        "  materialDescription:",
        "    key: its",
        "client:",
        "  commitmentPolicy: REQUIRE_ENCRYPT_ALLOW_DECRYPT",
        "  enableLegacyWrappingAlgorithms: true",
        "s3:",
        "  region: eu-west-1",
        "",
      ].join("\n"),
    );
    const { code, stdout } = await s3ec(["config", "check", "s3ec.config.yaml"], temporary.folder);
    expect(code).to.equal(0);
    expect(stdout).to.match(/^s3ec\.config\.yaml is valid\./);
  });

  it("takes the defaults of questions that are answered with nothing", async () => {
    const { words: said } = await initCommand(path("s3ec.config.json"), {}, async (_question, byDefault) => byDefault);
    expect(said).to.match(/^Wrote \S+s3ec\.config\.json and s3ec\.schema\.json/);
    expect(said).to.match(/alias\/app is an alias, .* formerKeyIds\. The key's ARN names it for good\./);
    expect(JSON.parse(read("s3ec.config.json"))).to.deep.equal({
      $schema: "./s3ec.schema.json",
      keyring: { type: "kms", keyId: "alias/app" },
    });
    expect(JSON.parse(read("s3ec.schema.json"))).to.have.nested.property("$defs.configuration.properties.keyring");
  });

  it("writes the keyring that keygen prints, so that a later key tells the objects of this one apart", async () => {
    const rsa = ["keygen", "rsa", "team.pem", "--bits", "2048", "--public", "team.pub.pem"];
    const { stdout } = await s3ec(rsa, temporary.folder);
    const printed = [...stdout.matchAll(/^\{\n[\s\S]*?^\}$/gm)].map(([json]) => JSON.parse(json).keyring);
    const init = ["init", "team.json", "--keyring", "rsa", "--key", "team.pem", "--escrow", "team.pub.pem"];
    expect((await s3ec(init, temporary.folder)).code).to.equal(0);
    const { generator, children } = JSON.parse(read("team.json")).keyring;
    expect([children[0].keyring, generator]).to.deep.equal(printed);
  });

  it("names the key's file as it is seen from the configuration", async () => {
    mkdirSync(path("etc"));
    const { code } = await s3ec(["init", "etc/app.json", "--keyring", "aes", "--key", "app.key"], temporary.folder);
    expect(code).to.equal(0);
    expect(JSON.parse(read("etc/app.json")).keyring.wrappingKey).to.deep.equal({ file: "../app.key" });
    expect(existsSync(path("etc/s3ec.schema.json"))).to.equal(true);
  });

  it("writes over nothing: no configuration, no key, no schema", async () => {
    writeFileSync(path("s3ec.config.json"), "kept");
    const taken = await s3ec(["init", "--keyring", "aes"], temporary.folder);
    expect(taken.code).to.equal(2);
    expect(taken.stderr).to.match(/^s3ec: s3ec\.config\.json is there already, and nothing is ever written over/);
    expect(readdirSync(temporary.folder)).to.deep.equal(["s3ec.config.json"]);
    writeFileSync(path("s3ec.schema.json"), "{}");
    writeFileSync(path("s3ec.key"), Buffer.alloc(32, 7));
    chmodSync(path("s3ec.key"), 0o600);
    const { code, stdout } = await s3ec(["init", "other.json", "--keyring", "aes"], temporary.folder);
    expect(code).to.equal(0);
    expect(stdout).to.match(/^Took the AES key s3ec\.key\.\nWrote other\.json\.\n/);
    expect(read("s3ec.schema.json")).to.equal("{}");
    expect(readFileSync(path("s3ec.key"))).to.deep.equal(Buffer.alloc(32, 7));
    expect(read("s3ec.config.json")).to.equal("kept");
  });

  it("says which folder is not there, and how to go on with what it wrote", async () => {
    const { code, stderr } = await s3ec(["init", "--keyring", "aes", "--key", "keys/app.key"], temporary.folder);
    expect({ code, stderr }).to.deep.equal({
      code: 2,
      stderr: "s3ec: There is no folder keys for keys/app.key: make it first.\n",
    });
    const { stdout } = await s3ec(["init", "--keyring", "aes"], temporary.folder);
    const server = { endpoint: "http://127.0.0.1:1", forcePathStyle: true } as const;
    const asTest = { ...server, credentials: { accessKeyId: "test", secretAccessKey: "test" } };
    const local = { keyring: "kms", key: "alias/a", devServer: { ...asTest, region: "us-west-2" } };
    const { words: said } = await initCommand(path("local.json"), local, undefined);
    expect(said)
      .to.contain(`local.json --live s3://BUCKET/ --dev-server http://127.0.0.1:1\n`)
      .and.match(/local\.json --dev-server http:\/\/127\.0\.0\.1:1$/);
    const elsewhere = { ...local, devServer: { ...asTest, region: "eu-west-1" } };
    expect((await initCommand(path("elsewhere.json"), elsewhere, undefined)).words).to.match(
      /--dev-server 'http:\/\/127\.0\.0\.1:1\?region=eu-west-1'$/,
    );
    const credentials = { accessKeyId: "ID", secretAccessKey: "hunter2" };
    const own = { ...local, devServer: { ...server, region: "us-west-2", credentials } };
    expect((await initCommand(path("own.json"), own, undefined)).words).to.match(/--dev-server URL$/);
    expect(stdout).to.match(/^ {2}s3ec config check --live s3:\/\/BUCKET\/\n {2}s3ec put FILE s3:\/\/BUCKET\/KEY$/m);
  });

  it("writes no configuration for a key that is none", async () => {
    writeFileSync(path("s3ec.key"), "short");
    const { code, stderr } = await s3ec(["init", "--keyring", "aes"], temporary.folder);
    expect(code).to.equal(3);
    expect(stderr).to.match(/^s3ec: The configuration is not valid:\n {2}keyring\.wrappingKey: .*16, 24 or 32 bytes/);
    expect(readdirSync(temporary.folder)).to.deep.equal(["s3ec.key"]);
  });

  it("writes no configuration for a token that cannot be opened", async () => {
    const token = { keyring: "pkcs11", module: path("none.so"), tokenLabel: "none", key: "orders", pinEnv: "PATH" };
    await refusal("invalid-configuration", initCommand(path("c.json"), token, undefined));
    expect(readdirSync(temporary.folder)).to.deep.equal([]);
  });

  for (const [file, options, words] of [
    ["c.json", {}, /There is no terminal to ask at: say --keyring with one of kms, aes, rsa, pkcs11/],
    ["c.json", { keyring: "vault" }, /--keyring is one of kms, aes, rsa, pkcs11/],
    ["c.json", { keyring: "pkcs11" }, /An answer is missing: PKCS#11 library/],
    ["c.json", { keyring: "kms", key: "1234", create: true }, /Only a key under an alias can be made/],
    [
      "c.json",
      { keyring: "aes", escrow: "e.pem" },
      /There is no e\.pem: s3ec keygen rsa KEY --public e\.pem makes one/,
    ],
    ["c.mjs", { keyring: "kms" }, /Name the configuration with \.json, \.yaml or \.yml/],
  ] as const) {
    it(`refuses ${JSON.stringify(options)} for ${file}`, async () => {
      const { message } = await refusal("invalid-argument", initCommand(path(file), options, undefined));
      expect(message).to.match(words);
      expect(readdirSync(temporary.folder)).to.deep.equal([]);
    });
  }
});
