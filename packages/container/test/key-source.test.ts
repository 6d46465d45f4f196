import { createPrivateKey, createPublicKey } from "node:crypto";
import { inspect } from "node:util";
import { COMMITTING_GCM } from "@s3ec/envelope";
import { RawAesKeyring } from "@s3ec/keyring-raw-aes";
import { DefaultMaterialsManager, type MaterialsManager } from "@s3ec/materials";
import { refusal } from "@s3ec/test-support";
import { expect } from "chai";
import { type Assembly, createFromConfig } from "../dist/index.js";
import { escrowPair, temporaryFolder } from "./fixture.js";

const AES_KEY = Buffer.from(Array.from({ length: 32 }, (_, index) => 255 - index));
const PRIVATE = createPrivateKey(escrowPair.privateKey);
const PASSPHRASE = " open sesame ";
const PUBLIC = createPublicKey(escrowPair.publicKey);

/** Wraps a data key with one assembly and unwraps it with another: they hold the same key. */
async function opens(writer: MaterialsManager, reader: MaterialsManager): Promise<boolean> {
  const common = {
    suite: COMMITTING_GCM,
    algorithmBinding: "115",
    commitmentPolicy: "REQUIRE_ENCRYPT_REQUIRE_DECRYPT",
    encryptionContext: {},
  } as const;
  const { dataKey, encryptedDataKeys } = await writer.getEncryptionMaterials(common);
  const opened = await reader.getDecryptionMaterials({ ...common, encryptedDataKeys });
  return opened.dataKey.equals(dataKey);
}

describe("a key of the configuration", () => {
  let temporary: ReturnType<typeof temporaryFolder>;
  const assemblies: Assembly[] = [];

  before(() => {
    temporary = temporaryFolder();
    temporary.write("aes.key", AES_KEY);
    temporary.write("hex.key", AES_KEY.subarray(0, 16).toString("hex"));
    temporary.write("base64.key", AES_KEY.subarray(0, 16).toString("base64"));
    temporary.write("nested/private.der", PRIVATE.export({ type: "pkcs8", format: "der" }));
    temporary.write("private.pkcs1", PRIVATE.export({ type: "pkcs1", format: "der" }));
    temporary.write("private.jwk", JSON.stringify(PRIVATE.export({ format: "jwk" })));
    temporary.write("private.pem", escrowPair.privateKey);
    const cipher = { cipher: "aes-256-cbc", passphrase: PASSPHRASE } as const;
    temporary.write("encrypted.pem", PRIVATE.export({ type: "pkcs8", format: "pem", ...cipher }));
    temporary.write("encrypted.der", PRIVATE.export({ type: "pkcs8", format: "der", ...cipher }));
    temporary.write("traditional.pem", PRIVATE.export({ type: "pkcs1", format: "pem", ...cipher }));
    temporary.write("passphrase", `${PASSPHRASE}\r\n`);
    temporary.write("public.pem", escrowPair.publicKey);
    temporary.write("public.der", PUBLIC.export({ type: "spki", format: "der" }));
    temporary.write("public.pkcs1", PUBLIC.export({ type: "pkcs1", format: "der" }));
    temporary.write("public.jwk", JSON.stringify(PUBLIC.export({ format: "jwk" })));
  });
  after(async () => {
    for (const { dispose } of assemblies) await dispose();
    temporary.remove();
  });

  async function assemble(keyring: object): Promise<Assembly> {
    const assembly = await createFromConfig(
      { keyring },
      {
        folder: temporary.folder,
        env: {
          AES: `${AES_KEY.toString("base64")}\n`,
          HEX: AES_KEY.subarray(0, 16).toString("hex"),
          AES128: AES_KEY.subarray(0, 16).toString("base64"),
          HEX_IN_BASE64: Buffer.from(AES_KEY.subarray(0, 16).toString("hex")).toString("base64"),
          PEM: escrowPair.privateKey,
          PASSPHRASE,
          WRONG: "close",
          DER: PRIVATE.export({ type: "pkcs8", format: "der" }).toString("base64"),
          PUBLIC_PEM: escrowPair.publicKey,
        },
        s3: { region: "us-west-2" },
      },
    );
    assemblies.push(assembly);
    return assembly;
  }

  const aesSources = [{ file: "aes.key" }, { env: "AES" }, { base64: AES_KEY.toString("base64") }];
  for (const source of aesSources) {
    it(`AES: ${JSON.stringify(Object.keys(source))}`, async () => {
      const known = await assemble({ type: "raw-aes", wrappingKey: { base64: AES_KEY.toString("base64") } });
      const { materialsManager } = await assemble({ type: "raw-aes", wrappingKey: source });
      expect(await opens(known.materialsManager, materialsManager)).to.equal(true);
    });
  }

  const hex = AES_KEY.subarray(0, 16).toString("hex");
  const base64Of = (content: string): string => Buffer.from(content).toString("base64");
  const ambiguous: [what: string, source: object][] = [
    ["hex in a file", { file: "hex.key" }],
    ["hex in a variable", { env: "HEX" }],
    ["base64 of 16 bytes in a file", { file: "base64.key" }],
    ["base64 of 16 bytes in a variable", { env: "AES128" }],
    ["base64 of hex in a variable", { env: "HEX_IN_BASE64" }],
    ["hex that is said to be base64", { base64: hex }],
    ["base64 of hex", { base64: base64Of(hex) }],
  ];
  for (const [what, source] of ambiguous) {
    it(`AES is refused where it may be another key: ${what}`, async () => {
      const { message } = await refusal("invalid-configuration", assemble({ type: "raw-aes", wrappingKey: source }));
      expect(message).to.match(
        /^ {2}keyring\.wrappingKey: .*say which is meant with encoding: "hex" \| "base64" \| "bytes"/m,
      );
      expect(message).to.not.contain(hex);
    });
  }

  const said: [source: object, bytes: Buffer][] = [
    [{ file: "hex.key", encoding: "hex" }, AES_KEY.subarray(0, 16)],
    [{ file: "hex.key", encoding: "bytes" }, Buffer.from(hex)],
    [{ file: "base64.key", encoding: "base64" }, AES_KEY.subarray(0, 16)],
    [{ env: "HEX", encoding: "hex" }, AES_KEY.subarray(0, 16)],
    [{ env: "HEX", encoding: "base64" }, Buffer.from(hex, "base64")],
    [{ env: "HEX", encoding: "bytes" }, Buffer.from(hex)],
    [{ env: "AES128", encoding: "base64" }, AES_KEY.subarray(0, 16)],
    [{ env: "HEX_IN_BASE64", encoding: "base64" }, Buffer.from(hex)],
    [{ base64: base64Of(hex), encoding: "hex" }, AES_KEY.subarray(0, 16)],
    [{ base64: base64Of(hex), encoding: "bytes" }, Buffer.from(hex)],
  ];
  for (const [source, bytes] of said) {
    it(`AES is the key that is meant where its encoding is said: ${Object.values(source).join(" ").slice(0, 30)}`, async () => {
      const { keyring } = await assemble({ type: "raw-aes", wrappingKey: source });
      const own = new DefaultMaterialsManager(new RawAesKeyring({ wrappingKey: { key: bytes, encoding: "bytes" } }));
      expect(await opens(own, new DefaultMaterialsManager(keyring))).to.equal(true);
    });
  }

  it("refuses an encoding that there is not, and one for another kind of key", async () => {
    const wrong = assemble({ type: "raw-aes", wrappingKey: { env: "HEX", encoding: "base32" } });
    expect((await refusal("invalid-configuration", wrong)).message).to.contain("keyring.wrappingKey");
    const rsa = assemble({ type: "raw-rsa", publicKey: { file: "public.pem", encoding: "hex" } });
    expect((await refusal("invalid-configuration", rsa)).message).to.contain("keyring.publicKey");
  });

  const privateSources = [
    { file: "private.pem" },
    { file: "nested/private.der" },
    { file: "private.pkcs1" },
    { file: "private.jwk" },
    { file: "encrypted.pem", passphrase: { env: "PASSPHRASE" } },
    { file: "encrypted.der", passphrase: { file: "passphrase" } },
    { file: "traditional.pem", passphrase: { file: "passphrase" } },
    { env: "PEM" },
    { env: "DER" },
    { base64: Buffer.from(escrowPair.privateKey).toString("base64") },
  ];
  for (const source of privateSources) {
    it(`RSA private key: ${Object.entries(source).join().slice(0, 30)}`, async () => {
      const writer = await assemble({ type: "raw-rsa", publicKey: { file: "public.pem" } });
      const reader = await assemble({ type: "raw-rsa", privateKey: source });
      expect(await opens(writer.materialsManager, reader.materialsManager)).to.equal(true);
    });
  }

  const publicSources = [
    { file: "public.der" },
    { file: "public.pkcs1" },
    { file: "public.jwk" },
    { env: "PUBLIC_PEM" },
  ];
  for (const source of publicSources) {
    it(`RSA public key: ${Object.entries(source).join()}`, async () => {
      const writer = await assemble({ type: "raw-rsa", publicKey: source });
      const reader = await assemble({ type: "raw-rsa", privateKey: { file: "private.pem" } });
      expect(await opens(writer.materialsManager, reader.materialsManager)).to.equal(true);
    });
  }

  it("is refused with a passphrase that does not open it, and without a word of either", async () => {
    const privateKey = { file: "encrypted.pem", passphrase: { env: "WRONG" } };
    const error = await refusal("invalid-configuration", assemble({ type: "raw-rsa", privateKey }));
    expect(error.message).to.match(/but this is encrypted, and the passphrase beside it does not open it$/);
    expect(inspect(error, { depth: 9, showHidden: true })).to.not.contain("close");
  });

  it("selects a former key by its description", async () => {
    const former = await assemble({
      type: "raw-aes",
      wrappingKey: { base64: Buffer.alloc(32, 1).toString("base64") },
      materialDescription: { year: "2024" },
    });
    const current = await assemble({
      type: "raw-aes",
      wrappingKey: { env: "AES" },
      materialDescription: { year: "2026" },
      decryptionKeys: [
        { wrappingKey: { base64: Buffer.alloc(32, 1).toString("base64") }, materialDescription: { year: "2024" } },
      ],
    });
    expect(await opens(former.materialsManager, current.materialsManager)).to.equal(true);
  });

  it("is not shown by the assembly", async () => {
    const key = AES_KEY.toString("base64");
    const assembly = await assemble({ type: "raw-aes", wrappingKey: { base64: key } });
    const shown = `${inspect(assembly, { depth: 12, showHidden: true })}${JSON.stringify(assembly.configuration)}`;
    expect(shown).to.not.contain(key).and.not.contain(AES_KEY.toString("hex"));
  });
});
