import { createHash } from "node:crypto";
import { KMSClient } from "@aws-sdk/client-kms";
import { GetObjectCommand, type S3Client } from "@aws-sdk/client-s3";
import { openObject, S3EncryptionClient } from "@s3ec/client";
import { type DevServer, startDevServer } from "@s3ec/dev-server";
import { assertMayDecrypt, classifyEnvelope, decryptContent, openContentKey, S3EncryptionError } from "@s3ec/envelope";
import { DefaultMaterialsManager } from "@s3ec/materials";
import { hasNoCipherFor } from "@s3ec/test-support";
import {
  instructionFileToRead,
  loadKeys,
  loadVectors,
  type ReadableVector,
  type RefusedVector,
  type Requirement,
  readBody,
  type Switch,
  type Vector,
} from "@s3ec/test-vectors";
import { expect } from "chai";
import { chunksOf, refusal, saysWhichCipher } from "./fixture.js";
import {
  ALL_SWITCHES,
  CountingKeyring,
  callOptionsFor,
  keyringFor,
  optionsFor,
  switchesMissingOne,
} from "./vector-reader.js";

const BUCKET = "vectors";
const vectors = loadVectors();
const readable = vectors.filter((vector): vector is ReadableVector => vector.expect === undefined);
const refused = vectors.filter((vector): vector is RefusedVector => vector.expect === "refuse");
const keys = loadKeys();

describe("vectors of the official clients", () => {
  let server: DevServer;
  let kms: KMSClient;
  const clients = new Set<S3Client>();

  before(async () => {
    server = await startDevServer({ buckets: [BUCKET], fsync: false });
    kms = new KMSClient({ ...server.clientConfig, maxAttempts: 1 });
    for (const vector of vectors) {
      const { metadata, instructionFiles = {} } = vector;
      await server.putRawObject(BUCKET, vector.id, { body: readBody(vector), metadata });
      for (const [suffix, file] of Object.entries(instructionFiles)) {
        const body = Buffer.from(file.text, "utf8");
        await server.putRawObject(BUCKET, `${vector.id}${suffix}`, { body, metadata: file.metadata });
      }
      if (vector.kms === undefined) continue;
      const { ciphertextBlob, encryptionContext, keyArn, plaintextDataKey } = vector.kms;
      server.kms.seedDecrypt({
        ciphertextBlob: Buffer.from(ciphertextBlob, "base64"),
        plaintext: Buffer.from(plaintextDataKey, "base64"),
        encryptionContext,
        keyArn,
      });
    }
  });

  after(async () => {
    for (const client of clients) client.destroy();
    kms.destroy();
    await server.close();
  });

  function counted({ material }: Vector, requires?: Requirement): CountingKeyring {
    const key = keys[material];
    if (key === undefined) throw new Error(`No key ${material}`);
    return new CountingKeyring(keyringFor(key, requires, kms));
  }

  /** Through envelope and keyring alone, in chunks of `size` bytes. */
  async function readAlone(vector: Vector, keyring: CountingKeyring, switches: readonly Switch[], size: number) {
    const call = callOptionsFor(vector);
    const classified = classifyEnvelope(vector.metadata, {
      preferInstructionFile: call.preferInstructionFile ?? false,
    });
    const file = instructionFileToRead(vector);
    if (classified.placement === "instruction-file" && file === undefined) {
      throw new S3EncryptionError("not-encrypted", "no instruction file");
    }
    const envelope =
      classified.placement === "metadata" ? classified.envelope : classified.complete(file ?? { suffix: "", text: "" });
    const { commitmentPolicy = "REQUIRE_ENCRYPT_REQUIRE_DECRYPT", ...rest } = optionsFor(switches);
    const policy = {
      commitmentPolicy,
      enableLegacyUnauthenticatedModes: rest.enableLegacyUnauthenticatedModes === true,
      enableLegacyWrappingAlgorithms: rest.enableLegacyWrappingAlgorithms === true,
    };
    assertMayDecrypt(envelope, policy, keyring.wrapAlgorithms);
    const { dataKey } = await new DefaultMaterialsManager(keyring).getDecryptionMaterials({
      suite: envelope.suite,
      algorithmBinding: envelope.algorithmBinding,
      commitmentPolicy,
      encryptionContext: call.encryptionContext ?? {},
      encryptedDataKeys: [envelope.encryptedDataKey],
    });
    return Buffer.concat(await decryptContent(openContentKey(envelope, dataKey), chunksOf(readBody(vector), size)));
  }

  /** Over HTTP, through the client. */
  async function readThroughClient(vector: Vector, keyring: CountingKeyring, switches: readonly Switch[]) {
    const client = new S3EncryptionClient({
      ...server.clientConfig,
      maxAttempts: 1,
      encryption: { keyring, ...optionsFor(switches) },
    });
    clients.add(client);
    const command = new GetObjectCommand({ Bucket: BUCKET, Key: vector.id });
    const { Body, ContentLength } = await client.send(command, callOptionsFor(vector));
    const plaintext = Buffer.from((await Body?.transformToByteArray()) ?? []);
    expect(ContentLength).to.equal(plaintext.length);
    return plaintext;
  }

  /** As it was downloaded by another tool, without an S3 client. */
  async function readAway(vector: Vector, keyring: CountingKeyring, switches: readonly Switch[]) {
    const { encryptionContext } = callOptionsFor(vector);
    const instructionFile = instructionFileToRead(vector);
    const { Body, ContentLength } = await openObject(
      { Metadata: vector.metadata, Body: readBody(vector) },
      {
        keyring,
        ...optionsFor(switches),
        ...(encryptionContext === undefined ? {} : { encryptionContext }),
        ...(instructionFile === undefined ? {} : { instructionFile }),
      },
    );
    const plaintext = Buffer.from(await Body.transformToByteArray());
    expect(ContentLength).to.equal(plaintext.length);
    return plaintext;
  }

  const ways = [
    { name: "alone", read: (v: Vector, k: CountingKeyring, s: readonly Switch[]) => readAlone(v, k, s, 4096) },
    { name: "through the client", read: readThroughClient },
    { name: "away from S3", read: readAway },
  ];

  for (const { name, read } of ways) {
    describe(name, () => {
      for (const vector of readable) {
        it(`opens ${vector.id}`, async () => {
          if (hasNoCipherFor(vector)) return saysWhichCipher(read(vector, counted(vector), vector.switches));
          const plaintext = await read(vector, counted(vector, vector.requires), vector.switches);
          expect(plaintext.length).to.equal(vector.plaintext.length);
          expect(createHash("sha256").update(plaintext).digest("hex")).to.equal(vector.plaintext.sha256);
        });
        for (const switches of switchesMissingOne(vector)) {
          it(`refuses ${vector.id} with only [${switches.join(", ")}], before a key is used`, async () => {
            const keyring = counted(vector, vector.requires);
            server.clearRequests();
            const error = await refusal(read(vector, keyring, switches));
            expect(error.code).to.be.oneOf(["commitment-policy", "legacy-disabled"]);
            expect(keyring.unwraps).to.equal(0);
            expect(server.requests.filter((request) => request.service === "kms")).to.have.length(0);
          });
        }
      }
      for (const vector of refused) {
        it(`refuses ${vector.id} with every switch on`, async () => {
          const error = await refusal(read(vector, counted(vector), ALL_SWITCHES));
          expect(error).to.be.instanceOf(S3EncryptionError);
        });
      }
    });
  }

  describe("named opt-ins", () => {
    for (const vector of readable.filter(({ requires }) => requires !== undefined)) {
      it(`${vector.requires} is off unless named: ${vector.id}`, async () => {
        const error = await refusal(readThroughClient(vector, counted(vector), ALL_SWITCHES));
        expect(error.code).to.equal("decryption-failed");
      });
    }
  });

  it("opens every vector whatever the chunks", async () => {
    const small = readable.filter((vector) => vector.body.length < 200 && !hasNoCipherFor(vector));
    expect(small.length).to.be.greaterThan(100);
    for (const vector of small) {
      for (const size of [1, 7, 15, 16, 17]) {
        const plaintext = await readAlone(vector, counted(vector, vector.requires), vector.switches, size);
        expect(createHash("sha256").update(plaintext).digest("hex"), vector.id).to.equal(vector.plaintext.sha256);
      }
    }
  });
});
