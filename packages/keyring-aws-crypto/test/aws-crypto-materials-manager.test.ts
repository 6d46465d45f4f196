import { createPrivateKey, createPublicKey, sign, verify } from "node:crypto";
import {
  getLocalCryptographicMaterialsCache,
  KMS,
  KmsKeyringNode,
  NodeCachingMaterialsManager,
  type NodeDecryptionMaterial,
  NodeDefaultCryptographicMaterialsManager,
  type NodeMaterialsManager,
  RawAesKeyringNode,
  RawAesWrappingSuiteIdentifier,
} from "@aws-crypto/client-node";
import { type DevServer, startDevServer } from "@s3ec/dev-server";
import { COMMITTING_GCM } from "@s3ec/envelope";
import { COMMITTED, COMMITTED_SIGNED, MESSAGE_SUITES } from "@s3ec/format-aws-message";
import { RawAesKeyring } from "@s3ec/keyring-raw-aes";
import { CONTEXT_PUBLIC_KEY, DefaultMaterialsManager } from "@s3ec/materials";
import { bytes, refusal } from "@s3ec/test-support";
import { expect } from "chai";
import { AwsCryptoMaterialsManager, type AwsCryptoMaterialsManagerOptions } from "../dist/index.js";
import { CONTEXT, decryptionRequest, encryptionRequest, NAME } from "./fixture.js";

const keyring = new RawAesKeyringNode({
  keyName: NAME.name,
  keyNamespace: NAME.namespace,
  unencryptedMasterKey: bytes(7, 32),
  wrappingSuite: RawAesWrappingSuiteIdentifier.AES256_GCM_IV12_TAG16_NO_PADDING,
});
const sdkManager = new NodeDefaultCryptographicMaterialsManager(keyring);
const ours = new DefaultMaterialsManager(new RawAesKeyring({ wrappingKey: bytes(7, 32), messageKey: NAME }));

describe("AwsCryptoMaterialsManager", () => {
  const manager = new AwsCryptoMaterialsManager({ manager: sdkManager });

  for (const suite of MESSAGE_SUITES) {
    it(`gives and opens materials of 0x${suite.storedName}, with its signing keys`, async () => {
      const { signature } = suite;
      const materials = await manager.getEncryptionMaterials(encryptionRequest(suite));
      const { dataKey, encryptionContext, signingKey, encryptedDataKeys } = materials;
      expect(dataKey.symmetricKeySize).to.equal(suite.keyLength);
      expect(encryptionContext).to.deep.include(CONTEXT);
      expect(CONTEXT_PUBLIC_KEY in encryptionContext).to.equal(signature !== undefined);
      const opened = await manager.getDecryptionMaterials(
        decryptionRequest(suite, encryptionContext, encryptedDataKeys),
      );
      expect(opened.dataKey.equals(dataKey)).to.equal(true);
      expect({ ...opened.encryptionContext }).to.deep.equal({ ...encryptionContext });
      expect([signingKey === undefined, opened.verificationKey === undefined]).to.deep.equal(
        signature === undefined ? [true, true] : [false, false],
      );
      if (signature === undefined || signingKey === undefined || opened.verificationKey === undefined) return;
      const data = Buffer.from("data");
      const signed = sign(signature.hash, data, signingKey);
      expect(verify(signature.hash, data, opened.verificationKey, signed)).to.equal(true);
    });
  }

  it("agrees with our own manager on wraps, contexts and signing keys", async () => {
    for (const suite of [COMMITTED, COMMITTED_SIGNED]) {
      for (const [writer, reader] of [
        [manager, ours],
        [ours, manager],
      ] as const) {
        const written = await writer.getEncryptionMaterials(encryptionRequest(suite));
        const read = await reader.getDecryptionMaterials(
          decryptionRequest(suite, written.encryptionContext, written.encryptedDataKeys),
        );
        expect(read.dataKey.equals(written.dataKey)).to.equal(true);
        if (written.signingKey === undefined) continue;
        const point = createPublicKey(written.signingKey).export({ format: "jwk" });
        expect(read.verificationKey?.export({ format: "jwk" })).to.deep.equal(point);
      }
    }
  });

  it("passes on commitment policy, context and length, and what a user's own manager adds to the context", async () => {
    const requests: Parameters<NodeMaterialsManager["getEncryptionMaterials"]>[0][] = [];
    const own: AwsCryptoMaterialsManagerOptions["manager"] = {
      getEncryptionMaterials: (request) => {
        requests.push(request);
        const encryptionContext = { ...request.encryptionContext, added: "by the manager" };
        return sdkManager.getEncryptionMaterials({ ...request, encryptionContext });
      },
      decryptMaterials: (request) => sdkManager.decryptMaterials(request),
    };
    const adding = new AwsCryptoMaterialsManager({ manager: own });
    const written = await adding.getEncryptionMaterials({ ...encryptionRequest(), contentLength: 5 });
    expect(requests).to.have.length(1);
    expect(requests[0]).to.deep.include({
      encryptionContext: CONTEXT,
      commitmentPolicy: "REQUIRE_ENCRYPT_REQUIRE_DECRYPT",
      plaintextLength: 5,
    });
    expect(requests[0]?.suite?.id).to.equal(COMMITTED.id);
    expect({ ...written.encryptionContext }).to.deep.equal({ ...CONTEXT, added: "by the manager" });
    const { encryptionContext, encryptedDataKeys } = written;
    const read = await ours.getDecryptionMaterials(decryptionRequest(COMMITTED, encryptionContext, encryptedDataKeys));
    expect(read.dataKey.equals(written.dataKey)).to.equal(true);
    await adding.getEncryptionMaterials(encryptionRequest());
    expect(requests[1]).to.not.have.property("plaintextLength");
  });

  it("has the SDK zero its copies, once the data key is taken", async () => {
    const materials: { readonly hasUnencryptedDataKey: boolean }[] = [];
    const keep = <Material extends { readonly hasUnencryptedDataKey: boolean }>(material: Material): Material => {
      materials.push(material);
      return material;
    };
    const kept = new AwsCryptoMaterialsManager({
      manager: {
        getEncryptionMaterials: async (request) => keep(await sdkManager.getEncryptionMaterials(request)),
        decryptMaterials: async (request) => keep(await sdkManager.decryptMaterials(request)),
      },
    });
    const { encryptionContext, encryptedDataKeys, dataKey } = await kept.getEncryptionMaterials(encryptionRequest());
    await kept.getDecryptionMaterials(decryptionRequest(COMMITTED, encryptionContext, encryptedDataKeys));
    expect(materials.map(({ hasUnencryptedDataKey }) => hasUnencryptedDataKey)).to.deep.equal([false, false]);
    expect(dataKey.export()).to.not.deep.equal(Buffer.alloc(32));
  });

  it("refuses in the same words what does not open: another context, key, signature or altered wraps", async () => {
    const written = await manager.getEncryptionMaterials(encryptionRequest(COMMITTED_SIGNED));
    const { encryptionContext, encryptedDataKeys } = written;
    const altered = encryptedDataKeys.map((key) => ({ ...key, ciphertext: key.ciphertext.map((byte) => byte ^ 1) }));
    const messages = new Set<string>();
    for (const [context, keys] of [
      [{ ...encryptionContext, tenant: "b" }, encryptedDataKeys],
      [{ ...encryptionContext, [CONTEXT_PUBLIC_KEY]: "AAAA" }, encryptedDataKeys],
      [CONTEXT, encryptedDataKeys],
      [encryptionContext, altered],
      [encryptionContext, []],
    ] as const) {
      const request = decryptionRequest(COMMITTED_SIGNED, context, keys);
      messages.add((await refusal("decryption-failed", manager.getDecryptionMaterials(request))).message);
    }
    expect(messages.size).to.equal(1);
  });

  it("refuses answers that the message could not be written or verified with", async () => {
    for (const suite of [COMMITTED, COMMITTED_SIGNED]) {
      const other = suite === COMMITTED ? COMMITTED_SIGNED : COMMITTED;
      const confused = new AwsCryptoMaterialsManager({
        manager: {
          getEncryptionMaterials: (request) => sdkManager.getEncryptionMaterials({ ...request, suite: undefined }),
          decryptMaterials: (request) => sdkManager.decryptMaterials(request),
        },
      });
      const attempt = confused.getEncryptionMaterials(encryptionRequest(suite));
      // The SDK's own default is the suite that signs.
      if (other === COMMITTED_SIGNED) await refusal("invalid-configuration", attempt);
      else expect((await attempt).signingKey).to.not.equal(undefined);
    }
  });

  it("refuses to read what a signature should prove, where it is given nothing to verify that with", async () => {
    const written = await manager.getEncryptionMaterials(encryptionRequest(COMMITTED_SIGNED));
    const careless = new AwsCryptoMaterialsManager({
      manager: {
        getEncryptionMaterials: (request) => sdkManager.getEncryptionMaterials(request),
        decryptMaterials: async (request): Promise<NodeDecryptionMaterial> =>
          // Of the SDK's own class it would throw by itself.
          Object.create(await sdkManager.decryptMaterials(request), { verificationKey: { value: undefined } }),
      },
    });
    const { encryptionContext, encryptedDataKeys } = written;
    const request = decryptionRequest(COMMITTED_SIGNED, encryptionContext, encryptedDataKeys);
    await refusal("decryption-failed", careless.getDecryptionMaterials(request));
  });

  it("gives its errors of writing as a cause", async () => {
    const request = encryptionRequest();
    const encryptionContext = { [CONTEXT_PUBLIC_KEY]: "reserved" };
    const error = await refusal(
      "invalid-configuration",
      manager.getEncryptionMaterials({ ...request, encryptionContext }),
    );
    expect(error.cause).to.have.property("message").that.contains("Reserved");
  });

  it("serves messages only, and refuses what is no manager", async () => {
    await refusal("unsupported-operation", manager.getEncryptionMaterials(encryptionRequest(COMMITTING_GCM)));
    await refusal("unsupported-operation", manager.getDecryptionMaterials(decryptionRequest(COMMITTING_GCM, {}, [])));
    for (const wrong of [undefined, {}, keyring]) {
      expect(() => new AwsCryptoMaterialsManager({ manager: wrong } as unknown as AwsCryptoMaterialsManagerOptions))
        .to.throw()
        .with.property("code", "invalid-argument");
    }
  });

  describe("with the SDK's cache", () => {
    let server: DevServer;
    let client: KMS;
    let caching: AwsCryptoMaterialsManager;

    before(async () => {
      server = await startDevServer();
      const { endpoint, region, credentials } = server.clientConfig;
      client = new KMS({ endpoint, region, credentials, maxAttempts: 1 });
      const backingMaterials = new KmsKeyringNode({
        generatorKeyId: server.kms.createKey().arn,
        clientProvider: () => client,
      });
      caching = new AwsCryptoMaterialsManager({
        manager: new NodeCachingMaterialsManager({
          backingMaterials,
          cache: getLocalCryptographicMaterialsCache(100),
          maxAge: 600_000,
          maxMessagesEncrypted: 2,
        }),
      });
    });
    after(async () => {
      client.destroy();
      await server.close();
    });

    it("asks KMS once for as many messages as the cache allows, and as often as asked for unknown lengths", async () => {
      const known = { ...encryptionRequest(COMMITTED_SIGNED), contentLength: 5 };
      const [first, second, third] = [
        await caching.getEncryptionMaterials(known),
        await caching.getEncryptionMaterials(known),
        await caching.getEncryptionMaterials(known),
      ];
      expect(second.dataKey.equals(first.dataKey)).to.equal(true);
      expect(third.dataKey.equals(first.dataKey)).to.equal(false);
      expect(server.requests.map(({ operation }) => operation)).to.deep.equal(["GenerateDataKey", "GenerateDataKey"]);
      expect(second.signingKey?.type).to.equal("private");
      const pem = second.signingKey?.export({ type: "sec1", format: "pem" }) ?? "";
      expect(createPrivateKey(pem).asymmetricKeyDetails?.namedCurve).to.equal("secp384r1");
      server.clearRequests();
      for (const { encryptionContext, encryptedDataKeys, dataKey } of [first, second, first]) {
        const read = await caching.getDecryptionMaterials(
          decryptionRequest(COMMITTED_SIGNED, encryptionContext, encryptedDataKeys),
        );
        expect(read.dataKey.equals(dataKey)).to.equal(true);
      }
      expect(server.requests.map(({ operation }) => operation)).to.deep.equal(["Decrypt"]);
      await caching.getEncryptionMaterials(encryptionRequest());
      await caching.getEncryptionMaterials(encryptionRequest());
      expect(server.requests).to.have.length(3);
    });

    it("tells a key that cannot be asked from one that does not open", async () => {
      const { encryptionContext, encryptedDataKeys } = await caching.getEncryptionMaterials(encryptionRequest());
      server.faults.add({ service: "kms", status: 400, code: "AccessDeniedException" });
      const request = decryptionRequest(COMMITTED, encryptionContext, encryptedDataKeys);
      await refusal("key-unavailable", caching.getDecryptionMaterials(request));
      await refusal("key-unavailable", caching.getEncryptionMaterials(encryptionRequest()));
      server.faults.clear();
      const elsewhere = { ...request, encryptionContext: { tenant: "b" } };
      await refusal("decryption-failed", caching.getDecryptionMaterials(elsewhere));
    });
  });
});
