// biome-ignore-all lint/suspicious/noTemplateCurlyInString: these are the variables of configurations, not of JavaScript
import { execFileSync, spawn } from "node:child_process";
import { symlinkSync } from "node:fs";
import { join } from "node:path";
import { refusal } from "@s3ec/test-support";
import { expect } from "chai";
import { createFromConfig, explainConfiguration, type LoadOptions, loadConfiguration } from "../dist/index.js";
import { temporaryFolder } from "./fixture.js";

const YAML = `# Who writes, and who reads after a disaster.
use: app
configurations:
  app:
    keyring: { type: kms, keyId: "\${APP_KEY:-alias/app}" }
    client:
      bufferSize: 1000
      commitmentPolicy: REQUIRE_ENCRYPT_ALLOW_DECRYPT
    s3: { region: eu-west-1 }
  escrow:
    extends: app
    keyring:
      type: raw-aes
      wrappingKey: { env: ESCROW }
    client: { bufferSize: 2000 }
`;
const env = { ESCROW: Buffer.alloc(32, 3).toString("base64") };

describe("a configuration file", () => {
  let temporary: ReturnType<typeof temporaryFolder>;
  before(() => {
    temporary = temporaryFolder();
  });
  after(() => temporary.remove());

  const load = (name: string, text: string, options: LoadOptions = {}) =>
    loadConfiguration(temporary.write(name, text), { env, ...options });
  const problems = async (name: string, text: string, options: LoadOptions = {}): Promise<string[]> => {
    const { message } = await refusal("invalid-configuration", load(name, text, options));
    return message.split("\n").slice(1);
  };

  for (const name of ["several.yaml", "several.yml"]) {
    it(`may be YAML, and hold several configurations: ${name}`, async () => {
      const app = await load(name, YAML);
      expect(app.configuration.keyring).to.deep.equal({ type: "kms", keyId: "alias/app" });
      const { configuration } = await load(name, YAML, { use: "escrow" });
      expect(configuration.keyring?.type).to.equal("raw-aes");
      // Options are taken over one by one, what is there a keyring is not.
      expect(configuration.client).to.deep.equal({
        bufferSize: 2000,
        commitmentPolicy: "REQUIRE_ENCRYPT_ALLOW_DECRYPT",
      });
      expect(configuration.s3).to.deep.equal({ region: "eu-west-1" });
    });
  }

  it("is used by createFromConfig and explainConfiguration, by name", async () => {
    const path = temporary.write("used.yaml", YAML);
    const { client, dispose } = await createFromConfig(path, { use: "escrow", env });
    expect(await client.config.region()).to.equal("eu-west-1");
    await dispose();
    const { readers } = await explainConfiguration(path, { use: "escrow", env });
    expect(readers).to.have.length(1);
    expect(readers[0]).to.match(/AES-256 key/);
  });

  it("takes variables of the environment, with a default where they have none", async () => {
    const given = await load("v.yaml", YAML, { env: { APP_KEY: "alias/other" } });
    expect(given.configuration.keyring?.keyId).to.equal("alias/other");
    const empty = await load("v.yaml", YAML, { env: { APP_KEY: "" } });
    expect(empty.configuration.keyring?.keyId).to.equal("alias/app");
    const keyring = { type: "kms", keyId: "a$${b}-${C}-${D:-}-$E" };
    const { configuration } = await loadConfiguration({ keyring }, { env: { C: "${X}" } });
    expect(configuration.keyring?.keyId).to.equal("a${b}-${X}--$E");
  });

  it("leaves other objects of a configuration in code as they are", async () => {
    const credentials = async () => ({ accessKeyId: "a", secretAccessKey: "b" });
    const overrides = { s3: { region: "us-west-2", credentials } };
    const { client, dispose } = await createFromConfig({ keyring: { type: "kms", keyId: "alias/a" } }, overrides);
    expect((await client.config.credentials()).accessKeyId).to.equal("a");
    await dispose();
  });

  const MISSING = '{\n  "keyring": { "type": "kms", "keyId": "${APP_KEY}" },\n  "s3": { "region": "${no name}" }\n}';
  it("says which variable is missing, and where", async () => {
    expect(await problems("m.json", MISSING)).to.deep.equal([
      "  keyring.keyId: the environment variable APP_KEY is not set, and has no default, as in ${NAME:-default} (line 2, column 31)",
      "  s3.region: expected ${NAME} or ${NAME:-default}; $${ stands for ${ itself (line 3, column 11)",
    ]);
  });

  const WRONG: readonly [what: string, name: string, text: string, options: LoadOptions, lines: string[]][] = [
    [
      "a misspelt field of JSON",
      "a.json",
      '{\n  "keyring": {\n    "type": "kms", "keyId": "a", "grantToken": []\n  },\n  "clinet": {}\n}',
      {},
      [
        "  keyring.grantToken: no such field is known here; did you mean grantTokens? (line 3, column 34)",
        "  clinet: no such field is known here; did you mean client? (line 5, column 3)",
      ],
    ],
    [
      "a missing field of YAML: where what misses it is",
      "a.yaml",
      "s3:\n  region: a\nkeyring:\n  type: kms\n",
      {},
      ["  keyring.keyId: expected string, but it is missing (line 3, column 1)"],
    ],
    [
      "a wrong field that was taken over from another",
      "b.yaml",
      YAML.replace("1000", "-1").replace("bufferSize: 2000", ""),
      { use: "escrow" },
      ["  configurations.app.client.bufferSize: Too small: expected number to be >=0 (line 7, column 7)"],
    ],
    [
      "a wrong field of its own",
      "c.yaml",
      YAML.replace("2000", "many"),
      { use: "escrow" },
      ["  configurations.escrow.client.bufferSize: expected number, received string (line 15, column 15)"],
    ],
    [
      "a name that nobody has",
      "d.yaml",
      YAML,
      { use: "escrwo" },
      [
        '  no configuration here has the name that the caller asks for (use, or --use): did you mean "escrow"? Known are "app", "escrow"',
      ],
    ],
    [
      "a name that is not like another",
      "d.yaml",
      YAML,
      { use: "production" },
      ['  no configuration here has the name that the caller asks for (use, or --use): known are "app", "escrow"'],
    ],
    [
      "a name in the file that nobody has",
      "d.yaml",
      YAML.replace("use: app", "use: apq"),
      {},
      ['  use: no configuration here has this name: did you mean "app"? Known are "app", "escrow" (line 2, column 1)'],
    ],
    [
      "no name for one of two",
      "e.yaml",
      YAML.replace("use: app\n", ""),
      {},
      ['  use: expected the name of a configuration, here or from the caller: "app", "escrow"'],
    ],
    [
      "a name where there is one without",
      "f.yaml",
      "keyring: { type: kms, keyId: a }",
      { use: "app" },
      ['  one configuration is here, without a name: "use" has nothing to choose from'],
    ],
    [
      "an extension of itself",
      "g.yaml",
      YAML.replace("  app:\n", "  app:\n    extends: escrow\n"),
      {},
      ["  configurations.escrow.extends: expected no configuration that extends this one (line 12, column 5)"],
    ],
    [
      "an extension of what is not there",
      "h.yaml",
      YAML.replace("extends: app", "extends: ap"),
      { use: "escrow" },
      [
        '  configurations.escrow.extends: no configuration here has this name: did you mean "app"? Known are "app", "escrow" (line 11, column 5)',
      ],
    ],
    [
      "a field beside the configurations",
      "i.yaml",
      `s3: {}\n${YAML}`,
      {},
      ['  s3: no such field is known beside "configurations": it belongs into one of them (line 1, column 1)'],
    ],
    [
      "a misspelt field beside the configurations",
      "i.yaml",
      YAML.replace("use: app", "usee: app"),
      {},
      ['  usee: no such field is known beside "configurations"; did you mean use? (line 2, column 1)'],
    ],
    [
      "several configurations by a misspelt name",
      "i.yaml",
      YAML.replace("configurations:", "configuration:"),
      { use: "app" },
      ["  configuration: no such field is known here; did you mean configurations? (line 3, column 1)"],
    ],
    [
      "a misspelt extension",
      "i.yaml",
      YAML.replace("extends: app", "extend: app"),
      { use: "escrow" },
      ["  configurations.escrow.extend: no such field is known here; did you mean extends? (line 11, column 5)"],
    ],
    [
      "no YAML",
      "j.yaml",
      "keyring: { type: kms\nclient: hunter2: x",
      {},
      [
        "  the file must hold YAML: Flow map in block collection must be sufficiently indented and end with a } (line 2, column 1)",
      ],
    ],
    [
      "two of one name",
      "k.yaml",
      "s3: {}\ns3: {}\n",
      {},
      ["  the file must hold YAML: Map keys must be unique (line 2, column 1)"],
    ],
    [
      "two of one name in JSON",
      "k.json",
      '{\n  "s3": {},\n  "\\u00733": {}\n}',
      {},
      ["  the file must hold JSON, with each name once in an object (line 3, column 3)"],
    ],
    [
      "a second document",
      "m.yaml",
      "s3: {}\n---\nkeyring: {}\n",
      {},
      ["  the file must hold YAML: one document, but here a second one begins (line 2, column 1)"],
    ],
    ["an escape", "n.yaml", 's3: "\\hunter2"\n', {}, ["  the file must hold YAML: bad dq escape (line 1, column 6)"]],
    [
      "a comma too many in JSON",
      "n.json",
      '{\n  "s3": {},\n}',
      {},
      ["  the file must hold JSON: Expected double-quoted property name (line 3, column 1)"],
    ],
    ["a bare word in JSON", "o.json", '{ "s3": hunter2 }', {}, ["  the file must hold JSON: Unexpected token"]],
    [
      "an alias of nothing",
      "l.yaml",
      "keyring: *none\n",
      {},
      ["  the file must hold YAML without aliases of what is not there, or of too much"],
    ],
  ];
  for (const [what, name, text, options, lines] of WRONG) {
    it(`is refused with line and column: ${what}`, async () => {
      expect(await problems(name, text, options)).to.deep.equal(lines);
    });
  }

  it("is refused where it holds no configuration, or none in UTF-8", async () => {
    expect(await problems("none.json", '{ "configurations": {} }')).to.deep.equal([
      '  configurations: expected one configuration or more, as { "app": { "keyring": ... } } (line 1, column 3)',
    ]);
    for (const encoding of ["utf16le", "latin1"] as const) {
      const path = temporary.write("encoded.yaml", Buffer.from("\uFEFFs3: { region: ü }", encoding));
      expect((await refusal("invalid-configuration", loadConfiguration(path))).message).to.match(
        /:\n {2}the file must hold text in UTF-8$/,
      );
    }
    const marked = temporary.write("marked.yaml", "\uFEFFkeyring: { type: kms, keyId: a }");
    expect((await loadConfiguration(marked)).configuration.keyring?.keyId).to.equal("a");
  });

  it("is read no further than a configuration is long, whatever it is", async function () {
    if (process.platform === "win32") this.skip();
    const refused = async (path: string): Promise<string> =>
      (await refusal("invalid-configuration", loadConfiguration(path))).message.replace(/^.*:\n {2}/, "");
    const tooLarge = "the file is larger than a configuration may be (4194304 bytes)";
    const zero = join(temporary.folder, "zero.yaml");
    symlinkSync("/dev/zero", zero);
    expect(await refused(zero)).to.equal(tooLarge);
    expect(await refused(temporary.write("large.json", Buffer.alloc(5 << 20, " ")))).to.equal(tooLarge);
    // Nothing opens them: a pipe without a writer would never be open.
    const noModule = /^expected a \.json, \.yaml or \.yml file, or a module/;
    const pipe = join(temporary.folder, "pipe.mjs");
    execFileSync("mkfifo", [pipe]);
    for (const path of ["/dev/zero", pipe, temporary.folder]) expect(await refused(path)).to.match(noModule);
    const module = join(temporary.folder, "zero.mjs");
    symlinkSync("/dev/zero", module);
    expect(await refused(module)).to.match(noModule);
  });

  it("may be a named pipe, or a file of which the system tells no size", async function () {
    if (process.platform !== "linux") this.skip();
    const pipe = join(temporary.folder, "pipe.json");
    execFileSync("mkfifo", [pipe]);
    const text = '{"keyring":{"type":"kms","keyId":"alias/piped"}}';
    const writer = spawn("sh", ["-c", `printf %s '${text}' > "$0"`, pipe]);
    expect((await loadConfiguration(pipe)).configuration.keyring?.keyId).to.equal("alias/piped");
    writer.kill();
    const sizeless = join(temporary.folder, "sizeless.yaml");
    symlinkSync("/proc/sys/kernel/ostype", sizeless);
    // It was read: what it holds is a text.
    const { message } = await refusal("invalid-configuration", loadConfiguration(sizeless));
    expect(message).to.match(/expected object, received string/);
  });

  const TOO_DEEP = "expected a configuration of at most 32 levels, in which nothing contains itself";
  it("is refused where it contains itself, or is nested without end", async () => {
    expect(await problems("cycle.yaml", "keyring: &k\n  type: multi\n  generator: *k\n")).to.deep.equal([
      `  keyring: ${TOO_DEEP} (line 1, column 1)`,
    ]);
    const nested = (depth: number): string => `{"keyring":${"[".repeat(depth)}${"]".repeat(depth)}}`;
    expect(await problems("deep.json", nested(20_000))).to.deep.equal([`  keyring: ${TOO_DEEP} (line 1, column 2)`]);
    expect(await problems("deep.yaml", nested(500))).to.deep.equal([`  keyring: ${TOO_DEEP} (line 1, column 2)`]);
    expect(await problems("deeper.yaml", nested(20_000))).to.match(/^ {2}the file must hold YAML/);
  });

  it("is refused where it is an object that is nested without end, but not one of ten keyrings in each other", async () => {
    const multi = (levels: number): object => {
      const kms = { type: "kms", keyId: "alias/a" };
      let keyring: object = kms;
      for (let level = 0; level < levels; level++)
        keyring = {
          type: "multi",
          generator: keyring,
          children: [{ keyring: kms, instructionFileSuffix: `.${level}` }],
        };
      return { keyring };
    };
    const { message } = await refusal("invalid-configuration", createFromConfig(multi(3_000)));
    expect(message).to.equal(`The configuration is not valid:\n  keyring: ${TOO_DEEP}`);
    expect((await loadConfiguration(multi(10))).configuration.keyring?.type).to.equal("multi");
  });

  it("gives no name of Object's own", async () => {
    for (const use of ["__proto__", "constructor"]) {
      expect(await problems("o.yaml", YAML, { use })).to.match(
        /no configuration here has the name that the caller asks for/,
      );
    }
    const text = '{"configurations":{"a":{"keyring":{"type":"kms","keyId":"x"},"__proto__":{"s3":{}}}}}';
    expect(await problems("p.json", text)).to.match(/__proto__.*no such field is known here/);
  });
});
