import { createSecretKey } from "node:crypto";
import { AES_GCM, KMS_CONTEXT } from "@s3ec/envelope";
import {
  AwsMessageFormat,
  type AwsMessageFormatOptions,
  MESSAGE_SUITES,
  type MessageSuite,
} from "@s3ec/format-aws-message";
import {
  ANY_KEY_PROVIDER,
  type CommitmentPolicy,
  DefaultMaterialsManager,
  decryptionFailed,
  type Keyring,
  keyProvider,
  type MaterialsManager,
  type StringMap,
  stringMap,
  withDataKey,
  withEncryptedDataKey,
} from "@s3ec/materials";
import { collect, plaintextOf, refusal } from "@s3ec/test-support";
import { expect } from "chai";
import { MAX_FRAMES } from "../dist/frame-layout.js";
import { headerTag, messageCommitment, messageKey } from "../dist/message-keys.js";
import {
  type Choices,
  CONTEXT,
  chunksOf,
  opening,
  RawKeyring,
  read,
  STRICT,
  sealed,
  sealing,
  wrapped,
} from "./fixture.js";
import { contextBytes, type HeaderFields, headerBytes } from "./header-bytes.js";

const LENIENT: CommitmentPolicy = "REQUIRE_ENCRYPT_ALLOW_DECRYPT";
const OLD: CommitmentPolicy = "FORBID_ENCRYPT_ALLOW_DECRYPT";
const suiteOf = (id: number): MessageSuite => {
  const suite = MESSAGE_SUITES.find((entry) => entry.id === id);
  if (suite === undefined) throw new Error(`No suite has the id ${id}.`);
  return suite;
};

/** A header with a wrapped key that opens, a commitment and a tag that are right, of any unsigned suite. */
async function authenticHeader(suite: MessageSuite, context: StringMap = stringMap([]), fields: HeaderFields = {}) {
  const dataKey = createSecretKey(Buffer.alloc(suite.keyLength, 9));
  const { providerInfo, ciphertext } = await wrapped(dataKey, context);
  const messageId = Buffer.alloc(suite.messageIdLength, 1);
  const iv = suite.headerVersion === 1 ? Buffer.alloc(12) : Buffer.alloc(0);
  const names = Object.keys(context);
  const header = headerBytes({
    version: suite.headerVersion,
    suiteId: suite.id,
    messageId,
    context: names.length === 0 ? Buffer.alloc(0) : contextBytes(Object.entries(context)),
    dataKeys: [["tests", "", ""]],
    commitment: suite.committing ? messageCommitment(dataKey, messageId) : Buffer.alloc(0),
    iv: Buffer.alloc(0),
    tag: Buffer.alloc(0),
    ...fields,
  });
  // Information and key are no text.
  const marker = Buffer.from("0005746573747300000000", "hex");
  const at = header.indexOf(marker);
  const part = (bytes: Uint8Array) => Buffer.concat([Buffer.from([bytes.length >> 8, bytes.length & 255]), bytes]);
  const authenticated = Buffer.concat([
    header.subarray(0, at + 7),
    part(providerInfo),
    part(ciphertext),
    header.subarray(at + marker.length),
  ]);
  return Buffer.concat([authenticated, iv, headerTag(suite, messageKey(suite, dataKey, messageId), authenticated)]);
}

function counting(): { readonly keyring: RawKeyring; readonly manager: MaterialsManager } {
  const keyring = new RawKeyring();
  return { keyring, manager: new DefaultMaterialsManager(keyring) };
}

describe("AwsMessageFormat", () => {
  const wrong: AwsMessageFormatOptions[] = [
    { frameLength: 0 },
    { frameLength: 1.5 },
    { frameLength: Number.NaN },
    { frameLength: 16 * 1024 * 1024 + 1 },
    { maxFrameLength: 2 ** 31 },
    { maxEncryptedDataKeys: 0 },
    { maxEncryptedDataKeys: 65_536 },
    { maxHeaderLength: -1 },
    { maxHeaderLength: Number.POSITIVE_INFINITY },
  ];
  for (const options of wrong) {
    it(`refuses ${Object.entries(options).flat().join(" = ")}`, () =>
      refusal("invalid-argument", () => new AwsMessageFormat(options)));
  }

  it("takes the longest that each option may be", () => {
    const options = { maxFrameLength: 2 ** 31 - 1, frameLength: 2 ** 31 - 1, maxEncryptedDataKeys: 65_535 };
    expect(new AwsMessageFormat(options)).to.be.instanceOf(AwsMessageFormat);
  });
});

describe("writing a message", () => {
  it("has key commitment, which a policy may forbid before any key is touched", async () => {
    const keyring = new RawKeyring();
    let wraps = 0;
    const manager = new DefaultMaterialsManager({
      wrapAlgorithms: keyring.wrapAlgorithms,
      onEncrypt: (materials) => {
        wraps++;
        return keyring.onEncrypt(materials);
      },
      onDecrypt: (materials, keys) => keyring.onDecrypt(materials, keys),
    });
    await refusal("commitment-policy", () => sealing({ policy: OLD, manager }, chunksOf(plaintextOf(1), 1)));
    await refusal("invalid-argument", () =>
      sealing({ manager, context: stringMap([["aws-crypto-public-key", "x"]]) }, chunksOf(plaintextOf(1), 1)),
    );
    await refusal("content-too-large", () =>
      sealing({ manager, frameLength: 2 }, chunksOf(plaintextOf(1), 1), 2 * MAX_FRAMES + 1),
    );
    expect(wraps).to.equal(0);
    await sealed({ policy: LENIENT, manager }, plaintextOf(1));
    expect(wraps).to.equal(1);
  });

  it("holds as many wrapped keys as allowed", async () => {
    const two = { manager: new DefaultMaterialsManager(new RawKeyring(2)) };
    await sealed({ ...two, maxEncryptedDataKeys: 2 }, plaintextOf(1));
    await refusal("invalid-configuration", () => sealed({ ...two, maxEncryptedDataKeys: 1 }, plaintextOf(1)));
  });

  it("holds no header longer than its readers take by the same options", () =>
    refusal("invalid-argument", () => sealed({ maxHeaderLength: 200 }, plaintextOf(1))));

  it("refuses wraps that a message cannot hold", async () => {
    const keyring = new RawKeyring();
    for (const bad of [{ wrapAlgorithm: AES_GCM }, { ciphertext: new Uint8Array(0) }]) {
      const manager = new DefaultMaterialsManager({
        wrapAlgorithms: keyring.wrapAlgorithms,
        onDecrypt: async () => null,
        onEncrypt: async (materials) => {
          const dataKey = createSecretKey(Buffer.alloc(32));
          const good = { wrapAlgorithm: keyProvider("p"), ciphertext: Buffer.from("k"), description: stringMap([]) };
          return withEncryptedDataKey(withDataKey(materials, dataKey), { ...good, ...bad });
        },
      });
      await refusal("invalid-configuration", () => sealed({ manager }, plaintextOf(1)));
    }
  });

  it("needs the key to sign with", async () => {
    const { manager } = counting();
    const forgetful: MaterialsManager = {
      wrapAlgorithms: manager.wrapAlgorithms,
      getDecryptionMaterials: async (request) => {
        const { verificationKey: _, ...materials } = await manager.getDecryptionMaterials(request);
        return materials;
      },
      getEncryptionMaterials: async (request) => {
        const { signingKey: _, ...materials } = await manager.getEncryptionMaterials(request);
        return materials;
      },
    };
    await refusal("invalid-configuration", () => sealed({ signed: true, manager: forgetful }, plaintextOf(1)));
    const message = await sealed({ signed: true, manager }, plaintextOf(1));
    await refusal("invalid-configuration", () => read({ manager: forgetful }, message));
  });
});

describe("opening a message", () => {
  for (const suite of MESSAGE_SUITES.filter((entry) => entry.signature === undefined)) {
    for (const policy of [STRICT, LENIENT, OLD, "ALLOW_EVERYTHING" as CommitmentPolicy]) {
      const allowed = suite.committing || policy === LENIENT || policy === OLD;
      it(`${allowed ? "reads" : "refuses"} ${suite.name} under ${policy}`, async () => {
        const { keyring, manager } = counting();
        const header = await authenticHeader(suite);
        const choices: Choices = { manager, policy, context: stringMap([]) };
        if (allowed) await opening(choices, header);
        else await refusal("commitment-policy", () => opening(choices, header));
        expect(keyring.unwraps).to.equal(allowed ? 1 : 0);
      });
    }
  }

  it("refuses another context before any key is touched", async () => {
    const { keyring, manager } = counting();
    const contexts = [
      stringMap([]),
      stringMap([["purpose", "tests"]]),
      stringMap([...Object.entries(CONTEXT), ["a", "b"]]),
    ];
    for (const signed of [false, true]) {
      const message = await sealed({ signed }, plaintextOf(1));
      for (const context of contexts) await refusal("context-mismatch", () => read({ manager, context }, message));
    }
    expect(keyring.unwraps).to.equal(0);
  });

  it("refuses too many wrapped keys before any key is touched", async () => {
    const { keyring, manager } = counting();
    const message = await sealed({ manager: new DefaultMaterialsManager(new RawKeyring(2)) }, plaintextOf(1));
    await refusal("malformed-envelope", () => read({ manager, maxEncryptedDataKeys: 1 }, message));
    expect(keyring.unwraps).to.equal(0);
    await read({ manager, maxEncryptedDataKeys: 2 }, message);
  });

  it("refuses providers that no keyring knows before any key is touched", async () => {
    const { keyring, manager } = counting();
    const header = headerBytes({
      dataKeys: [
        ["others", "i", "k"],
        ["", "i", "k"],
      ],
    });
    const { message } = await refusal("no-matching-key", () => opening({ manager, context: stringMap([]) }, header));
    expect(message).to.contain('"others"');
    expect(keyring.unwraps).to.equal(0);
  });

  it("does not take a provider for a wrap of the S3 formats that bears its name", async () => {
    for (const wrap of [KMS_CONTEXT, AES_GCM]) {
      let unwraps = 0;
      const keyring: Keyring = {
        wrapAlgorithms: [wrap],
        onEncrypt: async (materials) => materials,
        onDecrypt: async () => {
          unwraps++;
          return null;
        },
      };
      const header = headerBytes({ dataKeys: [[wrap.name, "{}", "k"]] });
      const choices = { manager: new DefaultMaterialsManager(keyring), context: stringMap([]) };
      await refusal("no-matching-key", () => opening(choices, header));
      expect(unwraps).to.equal(0);
    }
  });

  it("asks a keyring for any provider where it says so", async () => {
    const keyring = new RawKeyring();
    const any: Keyring = {
      wrapAlgorithms: [ANY_KEY_PROVIDER],
      onEncrypt: (materials) => keyring.onEncrypt(materials),
      onDecrypt: (materials, keys) => keyring.onDecrypt(materials, keys),
    };
    const message = await sealed({}, plaintextOf(100));
    const back = await read({ manager: new DefaultMaterialsManager(any) }, message);
    expect(back.equals(plaintextOf(100))).to.equal(true);
  });

  it("refuses an unsigned message under the wraps of a signed one before any key is touched", async () => {
    const { keyring, manager } = counting();
    const context = stringMap([["aws-crypto-public-key", "AyRNGGQZ"]]);
    for (const suite of [suiteOf(0x0478), suiteOf(0x0178)]) {
      const header = await authenticHeader(suite, context);
      for (const callers of [stringMap([]), context]) {
        const choices = { manager, policy: LENIENT, context: callers };
        await refusal("malformed-envelope", () => opening(choices, header));
      }
    }
    expect(keyring.unwraps).to.equal(0);
  });

  it("refuses a wrong commitment although the tag is right, and a wrong tag although the commitment is", async () => {
    const suite = suiteOf(0x0478);
    const uniform = decryptionFailed().message;
    const choices = { context: stringMap([]) };
    const commitment = Buffer.alloc(32, 5);
    const uncommitted = await authenticHeader(suite, choices.context, { commitment });
    const first = await refusal("decryption-failed", () => opening(choices, uncommitted));
    const header = await authenticHeader(suite);
    header.writeUInt8(header.readUInt8(header.length - 1) ^ 1, header.length - 1);
    const second = await refusal("decryption-failed", () => opening(choices, header));
    const unwrapped = await authenticHeader(suite);
    const at = unwrapped.indexOf("key-1") + 25 + 3;
    unwrapped.writeUInt8(unwrapped.readUInt8(at) ^ 1, at);
    const third = await refusal("decryption-failed", () => opening(choices, unwrapped));
    expect([first.message, second.message, third.message]).to.deep.equal([uniform, uniform, uniform]);
  });

  it("refuses a data key of another length than the suite's", async () => {
    const message = await sealed({}, plaintextOf(1));
    const { manager } = counting();
    const short: MaterialsManager = {
      wrapAlgorithms: manager.wrapAlgorithms,
      getEncryptionMaterials: (request) => manager.getEncryptionMaterials(request),
      getDecryptionMaterials: async (request) => withDataKey(request, createSecretKey(Buffer.alloc(16))),
    };
    await refusal("decryption-failed", () => read({ manager: short }, message));
  });

  it("refuses a header that it did not parse", () =>
    refusal("invalid-argument", () =>
      new AwsMessageFormat().open({
        head: { length: 1 },
        materialsManager: counting().manager,
        commitmentPolicy: STRICT,
        encryptionContext: stringMap([]),
      }),
    ));

  it("holds no single block that is longer than allowed, and reads none of it", async () => {
    const context = stringMap([]);
    const header = await authenticHeader(suiteOf(0x0478), context, { contentType: 1, frameLength: 0 });
    const { opened, headerLength } = await opening({ context, maxFrameLength: 1000, frameLength: 1000 }, header);
    expect(headerLength).to.equal(header.length);
    expect(opened.plaintextLength(headerLength + 36 + 5)).to.equal(5);
    await refusal("decryption-failed", () => opened.plaintextLength(headerLength + 35));
    await refusal("unsupported-operation", () => opened.range({ first: 0 }, headerLength + 41));
    const claim = Buffer.alloc(20 + 5000);
    claim.writeBigUInt64BE(1001n, 12);
    const source = chunksOf(claim, 10);
    await refusal("content-too-large", () => collect(opened.decrypt(source)));
    expect([source.read, source.returned]).to.deep.equal([20, 1]);
    claim.writeBigUInt64BE(1000n, 12);
    await refusal("decryption-failed", () => collect(opened.decrypt(chunksOf(claim, 10))));
  });

  it("refuses frames longer than allowed", async () => {
    const message = await sealed({ frameLength: 100 }, plaintextOf(1));
    await refusal("malformed-envelope", () => read({ maxFrameLength: 99, frameLength: 10 }, message));
    expect(await collect((await sealing({}, chunksOf(plaintextOf(1), 1))).ciphertext)).to.have.length.above(0);
  });
});
