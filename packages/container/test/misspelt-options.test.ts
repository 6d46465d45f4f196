import { createFromConfig, loadConfiguration } from "@s3ec/container";
import { AwsMessageFormat } from "@s3ec/format-aws-message";
import { KmsDiscoveryKeyring, KmsKeyring } from "@s3ec/keyring-kms";
import { MultiKeyring } from "@s3ec/keyring-multi";
import { Pkcs11Keyring } from "@s3ec/keyring-pkcs11";
import { RawAesKeyring } from "@s3ec/keyring-raw-aes";
import { RawRsaKeyring } from "@s3ec/keyring-raw-rsa";
import { CachingMaterialsManager, DefaultMaterialsManager, RequiredContextManager } from "@s3ec/materials";
import { bytes, refusal } from "@s3ec/test-support";
import { expect } from "chai";

const wrappingKey = bytes(1, 32);
const messageKey = { namespace: "ns", name: "n" };
const keyring = new RawAesKeyring({ wrappingKey });
const manager = new DefaultMaterialsManager(keyring);

type Misspelt = readonly [what: string, make: (options: object) => unknown, options: object, wrong: string];

const made = (Made: new (options: never) => unknown) => (options: object) => Reflect.construct(Made, [options]);

/** As plain JavaScript passes them; each is right but for one name. */
const MISSPELT: readonly Misspelt[] = [
  ["RawAesKeyring", made(RawAesKeyring), { wrappingKey, materialDescripton: { a: "1" } }, "materialDescripton"],
  [
    "a former key of RawAesKeyring",
    made(RawAesKeyring),
    { wrappingKey, decryptionKeys: [{ wrappingKey, materialDescription: { a: "1" }, messagekey: messageKey }] },
    "messagekey",
  ],
  ["a messageKey", made(RawAesKeyring), { wrappingKey, messageKey: { ...messageKey, nmae: "m" } }, "nmae"],
  ["RawRsaKeyring", made(RawRsaKeyring), { pubicKey: "", privateKey: "" }, "pubicKey"],
  [
    "a former key of RawRsaKeyring",
    made(RawRsaKeyring),
    { privateKey: "", decryptionKeys: [{ privateKey: "", materialDescripton: { a: "1" } }] },
    "materialDescripton",
  ],
  ["a private key", made(RawRsaKeyring), { privateKey: { key: "", pasphrase: "" } }, "pasphrase"],
  ["a public key", made(RawRsaKeyring), { publicKey: { key: "", typ: "spki" } }, "typ"],
  ["KmsKeyring", made(KmsKeyring), { keyId: "alias/a", acceptUnstoredContexts: true }, "acceptUnstoredContexts"],
  ["KmsDiscoveryKeyring", made(KmsDiscoveryKeyring), { discoveryFilters: {} }, "discoveryFilters"],
  [
    "a discoveryFilter",
    made(KmsDiscoveryKeyring),
    { discoveryFilter: { partition: "aws", accountIds: ["111122223333"], regions: ["us-east-1"] } },
    "regions",
  ],
  ["MultiKeyring", made(MultiKeyring), { generator: keyring, childs: [] }, "childs"],
  [
    "a child of MultiKeyring",
    made(MultiKeyring),
    { generator: keyring, children: [{ keyring, instructionfileSuffix: ".a" }] },
    "instructionfileSuffix",
  ],
  [
    "Pkcs11Keyring",
    (options) => Reflect.apply(Pkcs11Keyring.open, Pkcs11Keyring, [options]),
    { module: "m", slot: 0, keyLabel: "k", materialDescripton: { a: "1" } },
    "materialDescripton",
  ],
  [
    "a former key of Pkcs11Keyring",
    (options) => Reflect.apply(Pkcs11Keyring.open, Pkcs11Keyring, [options]),
    { module: "m", slot: 0, keyLabel: "k", decryptionKeys: [{ keyLabel: "k", materialDescripton: { a: "1" } }] },
    "materialDescripton",
  ],
  ["CachingMaterialsManager", made(CachingMaterialsManager), { manager, maxAgeMs: 1, maxByte: 1 }, "maxByte"],
  [
    "RequiredContextManager",
    made(RequiredContextManager),
    { manager, requiredContextKeys: ["a"], requireContextKeys: ["b"] },
    "requireContextKeys",
  ],
  ["AwsMessageFormat", made(AwsMessageFormat), { sign: true }, "sign"],
  ["createFromConfig", (options) => createFromConfig({}, options), { s3Client: {} }, "s3Client"],
  ["loadConfiguration", (options) => loadConfiguration({}, options), { envs: {} }, "envs"],
];

describe("a misspelt option", () => {
  for (const [what, make, options, wrong] of MISSPELT) {
    it(`of ${what} is refused, not ignored`, async () => {
      const { message } = await refusal("invalid-argument", async () => await make(options));
      expect(message).to.contain(`knows no option "${wrong}".`);
    });
  }
});
