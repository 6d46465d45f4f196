import { execFileSync } from "node:child_process";
import { createPublicKey, randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { inspect } from "node:util";
import { GetObjectCommand, PutObjectCommand } from "@aws-sdk/client-s3";
import { type DevServer, startDevServer } from "@s3ec/dev-server";
import { AES_GCM, COMMITTING_GCM } from "@s3ec/envelope";
import { describeOnSoftHsm } from "@s3ec/softhsm";
import { expect } from "chai";
import { createFromConfig, explainConfiguration } from "../dist/index.js";
import { repository, temporaryFolder } from "./fixture.js";

const KEYRING = { type: "pkcs11", module: "/usr/lib/vendor/pkcs11.so", tokenLabel: "hsm-1", keyLabel: "app" };
const PIN = "1234";

async function failureOf(keyring: object, env: Record<string, string> = {}): Promise<unknown> {
  return await createFromConfig({ keyring }, { env }).catch((error: unknown) => error);
}

describe("the keyring type pkcs11", () => {
  const wrong: readonly [string, object, RegExp][] = [
    ["no token", { tokenLabel: undefined }, /keyring: expected a slot or a tokenLabel/],
    ["a slot and a token label", { slot: 0 }, /keyring: expected a slot or a tokenLabel/],
    ["no key", { keyLabel: undefined }, /keyring: expected a keyLabel, a keyId, or both/],
    ["an id that is not hex", { keyId: "xyz" }, /keyring\.keyId: expected hex digits/],
    ["the PIN itself", { pin: PIN }, /keyring\.pin: expected one of \{ "file": path \}/],
    ["a PIN that is not there", { pin: { env: "NONE" } }, /keyring\.pin: the environment variable NONE is not set/],
    [
      "a former key without a name",
      { decryptionKeys: [{ materialDescription: {} }] },
      /decryptionKeys\[0\]: expected a key/,
    ],
  ];
  for (const [what, fields, words] of wrong) {
    it(`refuses ${what}, and names the field`, async () => {
      const given = Object.entries({ ...KEYRING, ...fields }).filter(([, value]) => value !== undefined);
      const failure = await failureOf(Object.fromEntries(given));
      expect(failure).to.have.property("code", "invalid-configuration");
      expect(failure).to.have.property("message").that.matches(words).and.does.not.contain(PIN);
    });
  }

  it("tells why a keyring cannot be opened, without the PIN", async () => {
    const failure = await failureOf({ ...KEYRING, pin: { env: "PIN" } }, { PIN });
    expect(failure).to.have.property("code", "invalid-configuration");
    expect(failure)
      .to.have.property("message")
      .that.matches(/keyring: .*(\/usr\/lib\/vendor\/pkcs11\.so|npm install pkcs11js)/);
    expect(inspect(failure, { depth: 9 })).to.not.contain(`'${PIN}'`);
  });

  it("says what to install where its package is missing", () => {
    const program = `
      import { register } from "node:module";
      const hooks = 'export const resolve = (name, context, next) => { if (name === "@s3ec/keyring-pkcs11") throw new Error("absent"); return next(name, context); };';
      register("data:text/javascript," + encodeURIComponent(hooks));
      const { createFromConfig } = await import(process.argv[1]);
      const failure = await createFromConfig({ keyring: ${JSON.stringify(KEYRING)} }).catch((error) => error);
      console.log(failure.code, failure.message);`;
    const index = new URL("../dist/index.js", import.meta.url).href;
    const run = [process.execPath, ["--input-type=module", "-e", program, index], { stdio: "pipe" }] as const;
    expect(execFileSync(...run).toString()).to.match(/^invalid-configuration [\s\S]*npm install @s3ec\/keyring-pkcs11/);
  });

  it("is explained without asking the token", async () => {
    const reading = await explainConfiguration(
      {
        keyring: {
          ...KEYRING,
          keyId: "01",
          pin: { env: "PIN" },
          decryptionKeys: [{ keyLabel: "old", materialDescription: { key: "2024" } }],
        },
      },
      { env: { PIN } },
    );
    expect(reading.readers).to.deep.equal([
      "With the key app (id 01) in the PKCS#11 token hsm-1: whoever can log into the token, or holds a copy of the key.",
    ]);
    expect(reading.writing[0]).to.match(/the token, and its PIN/);
    expect(reading.reads).to.have.length(2);
    expect(reading.reads[1]).to.match(/a former key old of the same token described as key=2024/);
    const { tokenLabel: _, ...bySlot } = KEYRING;
    const writing = await explainConfiguration({ keyring: { ...bySlot, slot: 3 } });
    expect(writing.written[1]).to.match(/the key app in the PKCS#11 token of slot 3/);
    expect(writing.reads).to.deep.equal(["Nothing: it holds public keys only."]);
  });
});

describeOnSoftHsm("the keyring type pkcs11 on SoftHSM", (hsm) => {
  let server: DevServer;
  let temporary: ReturnType<typeof temporaryFolder>;
  before(async () => {
    server = await startDevServer({ buckets: ["demo"] });
    temporary = temporaryFolder();
    hsm().importRsa("app", "01");
    hsm().importAes("app", "02");
    temporary.write("token.pin", `${hsm().pin}\r\n`);
    temporary.write("escrow.pin", hsm().pin);
  });
  after(async () => {
    await server.close();
    temporary.remove();
  });

  for (const keyType of ["rsa", "aes"]) {
    it(`reads and writes with an ${keyType.toUpperCase()} key, its PIN in a file or in the environment, until it is disposed`, async () => {
      const { module, tokenLabel, pin } = hsm();
      const keyring = { type: "pkcs11", module, tokenLabel, keyLabel: "app", keyType };
      const inFile = temporary.write(
        "hsm.json",
        JSON.stringify({ keyring: { ...keyring, pin: { file: "token.pin" } } }),
      );
      const inEnvironment = { keyring: { ...keyring, pin: { env: "TOKEN_PIN" } } };
      const options = { env: { TOKEN_PIN: pin }, s3: server.clientConfig };
      const [writer, reader] = [
        await createFromConfig(inFile, options),
        await createFromConfig(inEnvironment, options),
      ];
      expect(inspect(writer.configuration, { depth: 9 })).to.not.contain(pin);
      const object = { Bucket: "demo", Key: keyType };
      await writer.client.send(new PutObjectCommand({ ...object, Body: "hello" }));
      await writer.dispose();
      const { Body } = await reader.client.send(new GetObjectCommand(object));
      expect(await Body?.transformToString()).to.equal("hello");
      await reader.dispose();
      const late: unknown = await reader.keyring
        .onDecrypt({ suite: COMMITTING_GCM, algorithmBinding: "115", encryptionContext: {} }, [
          {
            wrapAlgorithm: reader.keyring.wrapAlgorithms[0] ?? AES_GCM,
            ciphertext: Buffer.alloc(keyType === "aes" ? 60 : 256),
            description: {},
          },
        ])
        .catch((error: unknown) => error);
      expect(late).to.have.property("code", "key-unavailable");
    });
  }

  it("reads as the page about hierarchies says: an escrow key in a token", async () => {
    const page = readFileSync(join(repository, "docs/assemble-a-key-hierarchy.md"), "utf8");
    const reader = /```json\n([\s\S]*?)```/.exec(page)?.[1]?.replace("/usr/lib/softhsm/libsofthsm2.so", hsm().module);
    if (reader === undefined) throw new Error("The page has lost its example.");
    const publicKey = createPublicKey(hsm().importRsa("escrow", "03")).export({ type: "spki", format: "pem" });
    temporary.write("escrow.pub.pem", publicKey);
    const writer = {
      keyring: {
        type: "multi",
        generator: { type: "raw-aes", wrappingKey: { base64: randomBytes(32).toString("base64") } },
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
    };
    const object = { Bucket: "demo", Key: "escrowed" };
    const app = await createFromConfig(temporary.write("app.json", JSON.stringify(writer)), {
      s3: server.clientConfig,
    });
    await app.client.send(new PutObjectCommand({ ...object, Body: "hello" }));
    await app.dispose();
    const escrow = await createFromConfig(temporary.write("escrow.json", reader), { s3: server.clientConfig });
    const { Body } = await escrow.client.send(new GetObjectCommand(object));
    expect(await Body?.transformToString()).to.equal("hello");
    await escrow.dispose();
  });
});
