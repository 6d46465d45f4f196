import { createPrivateKey, generateKeyPairSync } from "node:crypto";
import { inspect } from "node:util";
import { S3EncryptionError } from "@s3ec/materials";
import { refusal } from "@s3ec/test-support";
import { expect } from "chai";
import { z } from "zod";
import { createFromConfig, explainConfiguration, keyringDescriptor } from "../dist/index.js";
import { escrowPair, temporaryFolder } from "./fixture.js";

const SECRET = "c2VjcmV0LXNlY3JldC1zZWNyZXQtc2VjcmV0";
const aes = { type: "raw-aes", wrappingKey: { base64: Buffer.alloc(32, 7).toString("base64") } };
const kms = { type: "kms", keyId: "alias/app" };

function shortRsaKey(): string {
  const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 1024 });
  return privateKey.export({ type: "pkcs8", format: "der" }).toString("base64");
}

const otherPublicKey = generateKeyPairSync("rsa", { modulusLength: 2048 })
  .publicKey.export({ type: "spki", format: "der" })
  .toString("base64");

const encrypted = createPrivateKey(escrowPair.privateKey)
  .export({ type: "pkcs8", format: "der", cipher: "aes-256-cbc", passphrase: SECRET })
  .toString("base64");

const CASES: readonly [name: string, configuration: object, lines: readonly RegExp[]][] = [
  ["no keyring", {}, [/^ {2}keyring: expected object, but it is missing$/m]],
  ["a list instead of an object", [], [/^ {2}expected object, received array$/m]],
  [
    "an unknown keyring type",
    { keyring: { type: "nope" } },
    [/^ {2}keyring\.type: .*'raw-aes' \| 'raw-rsa' \| 'kms'/m],
  ],
  [
    "a misspelt keyring type",
    { keyring: { type: "raw-aess" } },
    [/^ {2}keyring\.type: .*; did you mean 'raw-aes'\?$/m],
  ],
  [
    "a misspelt policy, manager and format",
    {
      keyring: kms,
      materialsManager: { type: "cacheing" },
      client: { commitmentPolicy: "REQUIRE_ENCRYPT_REQUIRE_DECRIPT", formats: [{ type: "aws_message" }] },
    },
    [
      /^ {2}materialsManager\.type: .*; did you mean 'caching'\?$/m,
      /^ {2}client\.commitmentPolicy: .*; did you mean 'REQUIRE_ENCRYPT_REQUIRE_DECRYPT'\?$/m,
      /^ {2}client\.formats\[0\]\.type: .*; did you mean 'aws-message'\?$/m,
    ],
  ],
  ["a keyring without a type", { keyring: { keyId: "x" } }, [/^ {2}keyring\.type: /m]],
  ["a missing field", { keyring: { type: "kms" } }, [/^ {2}keyring\.keyId: expected string, but it is missing$/m]],
  [
    "a misspelt field",
    { keyring: { ...kms, keyid: SECRET } },
    [/^ {2}keyring\.keyid: no such field is known here; did you mean keyId\?$/m],
  ],
  [
    "several wrong fields at once",
    {
      keyring: { type: "multi", generator: { type: "kms", keyId: 7 }, children: [{ keyring: { type: "raw-rsa" } }] },
      s3: { regoin: "x" },
      client: { bufferSize: -1 },
    },
    [
      /^ {2}keyring\.generator\.keyId: expected string, received number$/m,
      /^ {2}keyring\.children\[0\]\.keyring: expected a publicKey/m,
      /^ {2}s3\.regoin: no such field/m,
      /^ {2}client\.bufferSize: /m,
    ],
  ],
  [
    "a wrong policy",
    { keyring: kms, client: { commitmentPolicy: "NONE" } },
    [/^ {2}client\.commitmentPolicy: .*REQUIRE_ENCRYPT_REQUIRE_DECRYPT/m],
  ],
  [
    "a suite against the policy",
    { keyring: kms, client: { encryptionAlgorithm: "ALG_AES_256_GCM_IV12_TAG16_NO_KDF" } },
    [/^ {2}client: The commitment policy/m],
  ],
  [
    "an endpoint that is no URL",
    { keyring: kms, kms: { endpoint: SECRET } },
    [/^ {2}kms\.endpoint: expected an http or https URL$/m],
  ],
  [
    "a key as text",
    { keyring: { type: "raw-aes", wrappingKey: SECRET } },
    [/^ {2}keyring\.wrappingKey: expected one of \{ "file": path \}/m],
  ],
  [
    "a key of two sources",
    { keyring: { type: "raw-aes", wrappingKey: { base64: SECRET, env: "X" } } },
    [/^ {2}keyring\.wrappingKey: expected one of/m],
  ],
  [
    "a key of a wrong length",
    { keyring: { type: "raw-aes", wrappingKey: { base64: SECRET } } },
    [/^ {2}keyring\.wrappingKey: An AES wrapping key has 16, 24 or 32 bytes/m],
  ],
  [
    "a key that is not base64",
    { keyring: { type: "raw-aes", wrappingKey: { base64: `${SECRET}!` } } },
    [/^ {2}keyring\.wrappingKey: expected base64 text$/m],
  ],
  [
    "a secret where a file name belongs",
    { keyring: { type: "raw-aes", wrappingKey: { file: SECRET } } },
    [/^ {2}keyring\.wrappingKey: the file named here does not exist$/m],
  ],
  [
    "a folder as key file",
    { keyring: { type: "raw-aes", wrappingKey: { file: "." } } },
    [/^ {2}keyring\.wrappingKey: the file named here cannot be read$/m],
  ],
  [
    "an unset variable",
    { keyring: { type: "raw-aes", wrappingKey: { env: SECRET } } },
    [/^ {2}keyring\.wrappingKey: the environment variable named here is not set$/m],
  ],
  [
    "a private key for a public one",
    { keyring: { type: "raw-rsa", publicKey: { base64: Buffer.from(escrowPair.privateKey).toString("base64") } } },
    [/^ {2}keyring\.publicKey: expected an RSA public key .*, but this is a private key, which should not/m],
  ],
  [
    "a public key for a private one",
    { keyring: { type: "raw-rsa", privateKey: { base64: Buffer.from(escrowPair.publicKey).toString("base64") } } },
    [/^ {2}keyring\.privateKey: expected an RSA private key .*, but this is a public key, which can only write/m],
  ],
  [
    "an RSA key that can be broken",
    { keyring: { type: "raw-rsa", privateKey: { base64: shortRsaKey() } } },
    [/^ {2}keyring: privateKey must have 2048 bits or more/m],
  ],
  [
    "an encrypted key without its passphrase",
    { keyring: { type: "raw-rsa", privateKey: { base64: encrypted } } },
    [/^ {2}keyring\.privateKey: .*, but this is encrypted, and its passphrase is missing beside it$/m],
  ],
  [
    "a passphrase that is not there",
    { keyring: { type: "raw-rsa", privateKey: { base64: encrypted, passphrase: { env: SECRET } } } },
    [/^ {2}keyring\.privateKey: passphrase: the environment variable named here is not set$/m],
  ],
  [
    "a passphrase as text",
    { keyring: { type: "raw-rsa", privateKey: { base64: encrypted, passphrase: SECRET } } },
    [
      /^ {2}keyring\.privateKey: its passphrase is never written here, but where it is: expected one of \{ "file": path \}/m,
    ],
  ],
  [
    "a passphrase where no key has one",
    { keyring: { type: "raw-aes", wrappingKey: { ...aes.wrappingKey, passphrase: { env: "TEXT" } } } },
    [/^ {2}keyring\.wrappingKey: .*nothing else of an AES key has a passphrase: none is made of one here$/m],
  ],
  [
    "a command that nobody allowed",
    { keyring: { type: "raw-aes", wrappingKey: { command: [process.execPath, "-e", SECRET] } } },
    [/^ {2}keyring\.wrappingKey: commands are run only where the caller allows it, with the option allowCommands/m],
  ],
  [
    "two keys with one description",
    { keyring: { ...aes, decryptionKeys: [{ wrappingKey: aes.wrappingKey, materialDescription: {} }] } },
    [/^ {2}keyring: Give the keyring and each of its decryptionKeys/m],
  ],
  [
    "an inner keyring that refuses",
    {
      keyring: {
        type: "multi",
        generator: kms,
        children: [
          {
            keyring: { ...aes, decryptionKeys: [{ wrappingKey: aes.wrappingKey, materialDescription: {} }] },
            instructionFileSuffix: ".a",
          },
        ],
      },
    },
    [/^ {2}keyring\.children\[0\]\.keyring: Give the keyring/m],
  ],
  [
    "two children in one place",
    {
      keyring: {
        type: "multi",
        generator: kms,
        children: [
          { keyring: aes, instructionFileSuffix: ".a" },
          { keyring: aes, instructionFileSuffix: "a" },
        ],
      },
    },
    [
      /^ {2}keyring\.children\[1\]\.instructionFileSuffix: expected a suffix of its own: "\.a" is the place of another child's/m,
    ],
  ],
  [
    "a child in the generator's place",
    { keyring: { type: "multi", generator: kms, children: [{ keyring: aes, instructionFileSuffix: ".instruction" }] } },
    [
      /^ {2}keyring\.children\[0\]\.instructionFileSuffix: .*"\.instruction" is the place of the generator's wrapped key$/m,
    ],
  ],
  [
    "a child in the place that the client's option names",
    {
      keyring: { type: "multi", generator: kms, children: [{ keyring: aes, instructionFileSuffix: ".a" }] },
      client: { instructionFileConfig: { enableInstructionFilePutObject: true, suffix: "a" } },
    },
    [/^ {2}keyring\.children\[0\]\.instructionFileSuffix: .* is the place of client\.instructionFileConfig\.suffix$/m],
  ],
  [
    "children of two levels in one place",
    {
      keyring: {
        type: "multi",
        generator: kms,
        children: [
          {
            keyring: { type: "multi", generator: kms, children: [{ keyring: aes, instructionFileSuffix: ".b" }] },
            instructionFileSuffix: ".a",
          },
          { keyring: aes, instructionFileSuffix: ".b" },
        ],
      },
    },
    [/^ {2}keyring\.children\[1\]\.instructionFileSuffix: .*"\.b" is the place of another child's wrapped key$/m],
  ],
  [
    "a KMS key id that is none",
    { keyring: { type: "kms", keyId: "arn:aws:kms:eu-west-1:123" } },
    [/^ {2}keyring: .*key/m],
  ],
  [
    "a pair of keys that do not belong together",
    {
      keyring: {
        type: "raw-rsa",
        privateKey: { base64: Buffer.from(escrowPair.privateKey).toString("base64") },
        publicKey: { base64: otherPublicKey },
      },
    },
    [/^ {2}keyring: publicKey does not belong to privateKey/m],
  ],
  [
    "raw keys without the name by which messages find them",
    {
      keyring: { type: "multi", generator: kms, children: [{ keyring: aes }] },
      client: { formats: [{ type: "aws-message" }] },
    },
    [/^ {2}keyring\.children\[0\]\.keyring\.messageKey: expected \{ "namespace": text, "name": text \}/m],
  ],
  [
    "a cache without an age",
    { keyring: kms, materialsManager: { type: "caching" } },
    [/^ {2}materialsManager\.maxAgeMs: expected number, but it is missing$/m],
  ],
  [
    "a plugin that is not there",
    { plugins: ["@acme/none"], keyring: kms },
    [/^ {2}plugins\[0\]: the package or file "@acme\/none" is not found/m],
  ],
];

describe("a wrong configuration", () => {
  for (const [name, configuration, lines] of CASES) {
    it(`says where and what was expected: ${name}`, async () => {
      const error = await refusal(
        "invalid-configuration",
        createFromConfig(configuration, { folder: "/tmp", env: { TEXT: "text" } }),
      );
      for (const line of lines) expect(error.message).to.match(line);
      expect(inspect(error, { depth: 9, showHidden: true })).to.not.contain(SECRET);
      expect(error.message.split("\n")).to.have.length(lines.length + 1);
      const explained = explainConfiguration(configuration, { folder: "/tmp", env: { TEXT: "text" } });
      expect((await refusal("invalid-configuration", explained)).message).to.equal(error.message);
    });
  }

  for (const [name, client, words] of [
    [
      "an option beside formats that is one of theirs",
      { formats: [{ type: "s3" }], wrapPlacement: "metadata" },
      /Beside formats, wrapPlacement/,
    ],
    [
      "a suite against the policy",
      { encryptionAlgorithm: "ALG_AES_256_GCM_IV12_TAG16_NO_KDF" },
      /The commitment policy/,
    ],
    [
      "instruction files that are written and never read",
      { instructionFileConfig: { enableInstructionFilePutObject: true, disableInstructionFile: true } },
      /instructionFileConfig/,
    ],
  ] as const) {
    it(`is not explained as if it were right: ${name}`, async () => {
      const configuration = { keyring: kms, client };
      const explained = await refusal("invalid-configuration", explainConfiguration(configuration));
      expect(explained.message)
        .to.match(/^ {2}client: /m)
        .and.match(words);
      const created = await refusal("invalid-configuration", createFromConfig(configuration));
      expect(explained.message).to.equal(created.message);
    });
  }

  for (const source of [undefined, null, 5]) {
    it(`is not ${source}`, async () => {
      const created: Promise<unknown> = Reflect.apply(createFromConfig, undefined, [source]);
      const error: unknown = await created.catch((reason: unknown) => reason);
      expect(error).to.have.property("code", "invalid-argument");
      expect(error).to.have.property("message").that.contains("Pass the configuration");
    });
  }

  it("is not what a key is that cannot be had now", async () => {
    const away = keyringDescriptor({
      type: "away",
      schema: () => z.strictObject({}),
      create: () => {
        throw new S3EncryptionError("key-unavailable", "The token is not there.");
      },
    });
    const created = createFromConfig({ keyring: { type: "away" } }, { plugins: [{ keyrings: [away] }] });
    const error = await refusal("key-unavailable", created);
    expect(error.message).to.equal(
      "The configuration names a key that cannot be used now:\n  keyring: The token is not there.",
    );
  });

  it("says which package is missing, and nothing of where it was looked for", async () => {
    const away = keyringDescriptor({
      type: "uninstalled",
      schema: () => z.strictObject({}),
      create: async () => {
        const name = "@acme/not-installed/sub";
        return await import(name);
      },
    });
    const configuration = { keyring: { type: "uninstalled" } };
    const created = createFromConfig(configuration, { plugins: [{ keyrings: [away] }] });
    const { message } = await refusal("invalid-configuration", created);
    expect(message).to.match(
      /^ {2}keyring: this needs the package @acme\/not-installed: npm install @acme\/not-installed$/m,
    );
  });

  it("is named with the line of a JSON mistake, without quoting the file", async () => {
    const { write, remove } = temporaryFolder();
    try {
      const path = write(
        "bad.json",
        `{\n  "keyring": { "type": "raw-aes",\n    "wrappingKey": { "base64": "${SECRET}" ]\n}`,
      );
      const error = await refusal("invalid-configuration", createFromConfig(path));
      expect(error.message).to.match(
        /bad\.json is not a valid configuration:\n {2}the file must hold JSON: Expected [^"]+ \(line 3, column \d+\)$/,
      );
      expect(inspect(error, { depth: 9, showHidden: true })).to.not.contain(SECRET);
    } finally {
      remove();
    }
  });

  it("is refused when the file is missing, a folder, or a module that throws", async () => {
    const { folder, write, remove } = temporaryFolder();
    try {
      const missing = await refusal("invalid-configuration", createFromConfig(`${folder}/none.json`));
      expect(missing.message).to.match(/the file does not exist$/);
      write("folder.json/x", "");
      const unreadable = await refusal("invalid-configuration", createFromConfig(`${folder}/folder.json`));
      expect(unreadable.message).to.match(/the file cannot be read$/);
      const path = write("bad.mjs", `throw new Error("${SECRET}");`);
      const error = await refusal("invalid-configuration", createFromConfig(path));
      expect(error.message).to.match(/a module that loads and has a default export$/);
      expect(inspect(error, { depth: 9, showHidden: true })).to.not.contain(SECRET);
    } finally {
      remove();
    }
  });
});
