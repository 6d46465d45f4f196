import { createPrivateKey, generateKeyPairSync, randomBytes } from "node:crypto";
import { DisableKeyCommand, KMSClient } from "@aws-sdk/client-kms";
import { kmsKeyQuestion, rawKeyQuestion } from "@s3ec/bulk";
import { type DevServer, startDevServer } from "@s3ec/dev-server";
import {
  AES_GCM,
  COMMITTING_GCM,
  classifyEnvelope,
  defineWrapAlgorithm,
  KMS,
  KMS_CONTEXT,
  readWrapBeside,
} from "@s3ec/envelope";
import { KmsKeyring } from "@s3ec/keyring-kms";
import { RawAesKeyring } from "@s3ec/keyring-raw-aes";
import { RawRsaKeyring } from "@s3ec/keyring-raw-rsa";
import type { EncryptedDataKey, Keyring } from "@s3ec/materials";
import { hasNoCipherFor } from "@s3ec/test-support";
import { instructionFileToRead, loadKeys, loadVectors, type Vector } from "@s3ec/test-vectors";
import { expect } from "chai";

function wrapOf(vector: Vector): EncryptedDataKey {
  const file = instructionFileToRead(vector);
  if (file !== undefined) return readWrapBeside(file).encryptedDataKey;
  const classified = classifyEnvelope(vector.metadata);
  if (classified.placement !== "metadata") throw new Error(vector.id);
  return classified.envelope.encryptedDataKey;
}

const readable = loadVectors().filter((vector) => vector.expect === undefined);
/** Any key opens these to something, and without a name nothing tells. */
const BLIND = new Set(["RSA", "AES"]);
const newRsa = () => generateKeyPairSync("rsa", { modulusLength: 2048 });

describe("rawKeyQuestion", () => {
  const keyringOf = (material: string): { keyring: Keyring; keyKind: "aes" | "rsa" } | undefined => {
    const key = loadKeys()[material];
    if (key?.kind === "aes") {
      return { keyring: new RawAesKeyring({ wrappingKey: Buffer.from(key.base64, "base64") }), keyKind: "aes" };
    }
    if (key?.kind !== "rsa") return undefined;
    const der = Buffer.from(key.pkcs8Base64, "base64");
    const privateKey = createPrivateKey({ key: der, format: "der", type: "pkcs8" });
    return { keyring: new RawRsaKeyring({ privateKey }), keyKind: "rsa" };
  };
  const others = {
    aes: new RawAesKeyring({ wrappingKey: randomBytes(32) }),
    rsa: new RawRsaKeyring(newRsa()),
  };

  it("never says no of an object that needs the key, whatever wrote it and whatever it is bound to", async () => {
    const asked = readable.flatMap((vector) => {
      const key = keyringOf(vector.material);
      return key === undefined ? [] : [{ vector, key }];
    });
    expect(asked).to.have.length.above(100);
    for (const { vector, key } of asked) {
      const wrap = wrapOf(vector);
      const isBlind = BLIND.has(wrap.wrapAlgorithm.name) || hasNoCipherFor(vector);
      expect(await rawKeyQuestion(key).needs(wrap, undefined), vector.id).to.equal(isBlind ? "unknown" : "yes");
    }
    // Among them are CBC objects whose wrap is bound to GCM (H1), which a keyring opens only when it is told to.
    expect(asked.some(({ vector }) => vector.requires === "cbc-rewrap-bound-to-gcm")).to.equal(true);
  });

  it("says no only where the key itself does not open the wrap, or could not have made it", async () => {
    for (const vector of readable) {
      const wrap = wrapOf(vector);
      for (const keyKind of ["aes", "rsa"] as const) {
        const isOpen = wrap.wrapAlgorithm.keyKind === keyKind && BLIND.has(wrap.wrapAlgorithm.name);
        const answer = await rawKeyQuestion({ keyring: others[keyKind], keyKind }).needs(wrap, undefined);
        expect(answer, `${vector.id} ${keyKind}`).to.equal(isOpen ? "unknown" : "no");
      }
    }
  });

  it("takes the key's description for a yes, another one's for nothing", async () => {
    const question = (materialDescription?: Record<string, string>, keyring: Keyring = others.aes) =>
      rawKeyQuestion({
        keyring,
        keyKind: "aes",
        ...(materialDescription === undefined ? {} : { materialDescription }),
      });
    const wrap = { wrapAlgorithm: AES_GCM, ciphertext: randomBytes(60), description: { key: "a" } };
    expect(await question({ key: "a" }).needs(wrap, undefined)).to.equal("yes");
    const mute: Keyring = { ...others.aes, wrapAlgorithms: [], onDecrypt: async () => null, onEncrypt: async (m) => m };
    expect(await question({ key: "b" }, mute).needs(wrap, undefined)).to.equal("unknown");
    // A public key alone describes, and opens nothing.
    const { publicKey } = newRsa();
    const vector = readable.find((each) => wrapOf(each).wrapAlgorithm.name === "RSA-OAEP-SHA1");
    const publicOnly = rawKeyQuestion({ keyring: new RawRsaKeyring({ publicKey }), keyKind: "rsa" });
    expect(await publicOnly.needs(wrapOf(vector as Vector), undefined)).to.equal("unknown");
    const none = { ...wrap, description: {} };
    expect(await question(undefined, mute).needs(none, undefined)).to.equal("unknown");
  });

  it("knows nothing of wraps of somebody's own", async () => {
    const wrapAlgorithm = defineWrapAlgorithm({ name: "acme:vault" });
    const wrap = { wrapAlgorithm, ciphertext: randomBytes(60), description: {} };
    expect(await rawKeyQuestion({ keyring: others.aes, keyKind: "aes" }).needs(wrap, undefined)).to.equal("unknown");
    expect(await kmsKeyQuestion({ keyArn: "arn:aws:kms:x:1:key/a" }).needs(wrap, undefined)).to.equal("unknown");
  });
});

describe("kmsKeyQuestion", () => {
  let server: DevServer;
  let client: KMSClient;
  before(async () => {
    server = await startDevServer({});
    client = new KMSClient({ ...server.clientConfig, maxAttempts: 1 });
  });
  after(async () => {
    client.destroy();
    await server.close();
  });

  async function wrapped(keyId: string): Promise<EncryptedDataKey> {
    const keyring = new KmsKeyring({ keyId, client });
    const materials = await keyring.onEncrypt({
      suite: COMMITTING_GCM,
      algorithmBinding: "115",
      encryptionContext: { tenant: "a" },
      encryptedDataKeys: [],
    });
    return materials.encryptedDataKeys[0] as EncryptedDataKey;
  }

  it("asks by dry runs, and takes only KMS's own word for a no", async () => {
    const { arn } = server.kms.createKey({ alias: "alias/old" });
    const { arn: other } = server.kms.createKey({ alias: "alias/new" });
    const wrap = await wrapped("alias/old");
    server.clearRequests();
    const asked = kmsKeyQuestion({ keyArn: arn, client });
    expect(await asked.needs(wrap, undefined)).to.equal("yes");
    expect(await kmsKeyQuestion({ keyArn: other, client }).needs(wrap, undefined)).to.equal("no");
    expect(server.requests.map(({ operation }) => operation)).to.deep.equal(["Decrypt", "Decrypt"]);
    expect(server.requests.every(({ body }) => JSON.parse(String(body)).DryRun === true)).to.equal(true);
    const altered = { ...wrap, description: { ...wrap.description, tenant: "b" } };
    expect(await asked.needs(altered, undefined)).to.equal("unknown");
    expect(await asked.needs({ ...wrap, ciphertext: randomBytes(100) }, undefined)).to.equal("unknown");
    server.faults.add({ service: "kms", operation: "Decrypt", status: 403, code: "AccessDeniedException", times: 1 });
    expect(await asked.needs(wrap, undefined)).to.equal("unknown");
    await client.send(new DisableKeyCommand({ KeyId: arn }));
    expect(await asked.needs(wrap, undefined)).to.equal("unknown");
  });

  it("without KMS knows only what names the key, and never a no of a KMS wrap", async () => {
    const keyArn = "arn:aws:kms:eu-west-1:111122223333:key/0000-1111";
    const question = kmsKeyQuestion({ keyArn });
    const wrap = { wrapAlgorithm: KMS_CONTEXT, ciphertext: randomBytes(100), description: {} };
    expect(await question.needs(wrap, undefined)).to.equal("unknown");
    expect(await question.needs(wrap, keyArn)).to.equal("yes");
    expect(await question.needs(wrap, keyArn.replace("0000", "2222"))).to.equal("unknown");
    for (const [kms_cmk_id, need] of [
      ["0000-1111", "yes"],
      [keyArn, "yes"],
      ["alias/old", "unknown"],
      ["", "unknown"],
    ] as const) {
      const named = { ...wrap, wrapAlgorithm: KMS, description: { kms_cmk_id } };
      expect(await question.needs(named, undefined), kms_cmk_id).to.equal(need);
    }
    expect(await question.needs({ ...wrap, wrapAlgorithm: AES_GCM }, undefined)).to.equal("no");
  });
});
