import { S3Client } from "@aws-sdk/client-s3";
import { encryptS3, inspectObject, S3EncryptionClient } from "@s3ec/client";
import { RawAesKeyring } from "@s3ec/keyring-raw-aes";
import { S3EncryptionError } from "@s3ec/materials";
import { expect } from "chai";

const keyring = new RawAesKeyring({ wrappingKey: Buffer.alloc(32, 1) });

/** As plain JavaScript may call it. */
function clientWith(encryption: object): unknown {
  return Reflect.construct(S3EncryptionClient, [{ region: "us-west-2", encryption }]);
}

function refusalOf(make: () => unknown): S3EncryptionError {
  try {
    make();
  } catch (error) {
    if (error instanceof S3EncryptionError) return error;
    throw error;
  }
  throw new Error("The options were accepted.");
}

describe("the options of the encryption client", () => {
  it("are missed where they are not under encryption", () => {
    for (const configuration of [{ region: "us-west-2" }, { region: "us-west-2", keyring }]) {
      const { code, message } = refusalOf(() => Reflect.construct(S3EncryptionClient, [configuration]));
      expect(code).to.equal("invalid-configuration");
      expect(message).to.contain("encryption: { keyring }");
    }
  });

  const beside: [name: string, value: unknown, sentence: string][] = [
    ["commitmentPolicy", "REQUIRE_ENCRYPT_ALLOW_DECRYPT", "Pass commitmentPolicy in encryption, not beside it"],
    ["formats", undefined, "Pass formats in encryption, not beside it"],
    ["encryptionContext", { tenant: "a" }, "Pass encryptionContext with each call, not to the client"],
  ];
  for (const [name, value, sentence] of beside) {
    it(`are refused beside encryption, where the SDK would ignore them: ${name}`, () => {
      const own = { region: "us-west-2", encryption: { keyring }, [name]: value };
      for (const configuration of [own, Object.assign(Object.create({ [name]: value }), { encryption: { keyring } })]) {
        const { code, message } = refusalOf(() => Reflect.construct(S3EncryptionClient, [configuration]));
        expect(code).to.equal("invalid-configuration");
        expect(message).to.contain(sentence);
      }
    });
  }

  it("are refused where they are inherited, and may be dropped", () => {
    const { code, message } = refusalOf(() => clientWith(Object.assign(Object.create({ spool: false }), { keyring })));
    expect(code).to.equal("invalid-configuration");
    expect(message).to.contain("Pass spool to encryption as a property of a plain object");
  });

  it("are asked for in the words of the way that they were left out", () => {
    const { code, message } = refusalOf(() => Reflect.apply(encryptS3, undefined, [new S3Client({})]));
    expect(code).to.equal("invalid-configuration");
    expect(message).to.contain("encryptS3(client, { keyring })");
  });

  it("are not taken for the client, nor the client for them", async () => {
    const swapped = refusalOf(() => Reflect.apply(encryptS3, undefined, [{ keyring }, new S3Client({})]));
    expect(swapped.message).to.contain("Pass an S3Client");
    const place = { Bucket: "b", Key: "k" };
    const inspected: Promise<unknown> = Reflect.apply(inspectObject, undefined, [place, new S3Client({})]);
    const error: unknown = await inspected.catch((reason: unknown) => reason);
    expect(error).to.have.property("message").that.contains("Pass an S3Client to inspectObject");
  });

  const switches = [
    "enableLegacyWrappingAlgorithms",
    "enableLegacyUnauthenticatedModes",
    "enableDelayedAuthenticationMode",
  ];
  for (const name of switches) {
    it(`turn nothing on with a text: ${name}`, () => {
      const { code, message } = refusalOf(() => clientWith({ keyring, [name]: "false" }));
      expect([code, message]).to.deep.equal(["invalid-configuration", `${name} must be true or false.`]);
    });
  }

  const misspelt: [what: string, options: object, name: string, meant: string][] = [
    ["a policy", { comitmentPolicy: "REQUIRE_ENCRYPT_REQUIRE_DECRYPT" }, "comitmentPolicy", "commitmentPolicy"],
    ["a format", { messageFormat: {} }, "messageFormat", "formats"],
    ["an instruction file's option", { instructionFileConfig: { sufix: ".a" } }, "sufix", "suffix"],
    ["a spool's option", { spool: { dirctory: "/tmp" } }, "dirctory", "directory"],
  ];
  for (const [what, options, name, meant] of misspelt) {
    it(`are refused where ${what} is misspelt, and not ignored`, () => {
      const { code, message } = refusalOf(() => clientWith({ keyring, ...options }));
      expect(code).to.equal("invalid-configuration");
      expect(message).to.contain(`knows no option "${name}". Did you mean ${meant}?`);
    });
  }

  it("name the commands that may go unencrypted in a list", () => {
    for (const allowUnencryptedCommands of ["UploadPartCommand", { UploadPartCommand: true }, [1]]) {
      const { code, message } = refusalOf(() => clientWith({ keyring, allowUnencryptedCommands }));
      expect(code).to.equal("invalid-configuration");
      expect(message).to.contain("allowUnencryptedCommands must be a list");
    }
  });

  it("take formats, not their description in a configuration file", () => {
    const options = { keyring, formats: [{ type: "aws-message" }] };
    const { code, message } = refusalOf(() => clientWith(options));
    expect(code).to.equal("invalid-configuration");
    expect(message).to.contain("new S3Format()");
  });
});
