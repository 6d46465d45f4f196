import { generateKeyPairSync, randomBytes } from "node:crypto";
import { PutObjectCommand } from "@aws-sdk/client-s3";
import { S3EncryptionClient, verifyObject } from "@s3ec/client";
import { AwsMessageFormat } from "@s3ec/format-aws-message";
import { S3Format } from "@s3ec/format-s3";
import { RawAesKeyring } from "@s3ec/keyring-raw-aes";
import { RawRsaKeyring } from "@s3ec/keyring-raw-rsa";
import { loadKeys, loadVectors, readBody } from "@s3ec/test-vectors";
import { expect } from "chai";
import { BUCKET, Fixture, put, refusal, TEST_KEYRING } from "./fixture.js";
import { errorOf } from "./transfers.js";

const at = (Key: string) => ({ Bucket: BUCKET, Key });

describe("verifyObject", () => {
  let fixture: Fixture;
  before(async () => {
    fixture = await Fixture.start();
  });
  after(() => fixture.close());
  afterEach(() => fixture.server.faults.clear());

  for (const [format, options] of [
    ["V3", {}],
    ["V2", { commitmentPolicy: "FORBID_ENCRYPT_ALLOW_DECRYPT" }],
  ] as const) {
    it(`proves all of an object of ${format}, and of one that was altered anywhere, says so`, async () => {
      const client = fixture.client(options);
      for (const length of [0, 1, 100_000]) {
        await client.send(put(format, randomBytes(length)));
        const { ETag, ...verified } = await verifyObject(client, at(format));
        expect(verified).to.deep.equal({ formatName: "s3", isAuthenticated: true, length });
        const { body, metadata } = await fixture.stored(format);
        for (const place of new Set([0, Math.floor(body.length / 2), body.length - 1])) {
          const altered = Buffer.from(body);
          altered[place] = (altered[place] ?? 0) ^ 1;
          await fixture.server.putRawObject(BUCKET, `${format}-altered`, { body: altered, metadata });
          const error = await refusal(verifyObject(client, at(`${format}-altered`)));
          expect(error.code).to.equal("decryption-failed");
        }
        await fixture.server.putRawObject(BUCKET, `${format}-short`, { body: body.subarray(0, -1), metadata });
        expect((await refusal(verifyObject(client, at(`${format}-short`)))).code).to.equal("decryption-failed");
        expect((await errorOf(verifyObject(client, { ...at(format), IfMatch: '"other"' }))).name).to.equal(
          "PreconditionFailed",
        );
        expect(ETag).to.be.a("string");
      }
    });
  }

  it("reads in one request, and what is missing in another where the connection broke", async () => {
    const client = fixture.track(
      new S3EncryptionClient({ ...fixture.server.clientConfig, encryption: { keyring: TEST_KEYRING } }),
    );
    await client.send(put("large", randomBytes(3_000_000)));
    for (const [faults, requests] of [
      [0, 1],
      [1, 2],
    ] as const) {
      fixture.server.clearRequests();
      if (faults > 0) fixture.server.faults.add({ operation: "GetObject", cutAfterBytes: 1_000_000, times: faults });
      expect(await verifyObject(client, at("large"))).to.include({ length: 3_000_000 });
      expect(fixture.server.requests.map(({ operation }) => operation)).to.deep.equal(
        Array(requests).fill("GetObject"),
      );
    }
    fixture.server.faults.add({ operation: "GetObject", cutAfterBytes: 1000 });
    expect(await errorOf(verifyObject(client, at("large")))).to.be.instanceOf(Error);
  });

  it("says of CBC that nothing authenticates it, where it may be read at all", async () => {
    const vector = loadVectors().find(
      (each) =>
        each.instructionFiles === undefined &&
        each.expect === undefined &&
        each.switches.includes("legacy-content") &&
        loadKeys()[each.material]?.kind === "aes",
    );
    if (vector === undefined) throw new Error("There is no such vector.");
    await fixture.server.putRawObject(BUCKET, "cbc", { body: readBody(vector), metadata: vector.metadata });
    const key = loadKeys()[vector.material];
    const keyring = new RawAesKeyring({ wrappingKey: Buffer.from(key?.kind === "aes" ? key.base64 : "", "base64") });
    const legacy = { commitmentPolicy: "REQUIRE_ENCRYPT_ALLOW_DECRYPT", enableLegacyWrappingAlgorithms: true } as const;
    expect((await refusal(verifyObject(fixture.client({ keyring, ...legacy }), at("cbc")))).code).to.equal(
      "legacy-disabled",
    );
    const client = fixture.client({ keyring, ...legacy, enableLegacyUnauthenticatedModes: true });
    const { length } = vector.plaintext;
    expect(await verifyObject(client, at("cbc"))).to.include({ isAuthenticated: false, length });
  });

  it("takes the options of a call, and verifies messages", async () => {
    const { publicKey, privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
    const keyring = new RawRsaKeyring({ publicKey, privateKey, messageKey: { namespace: "a", name: "b" } });
    const client = fixture.client({ keyring, formats: [new AwsMessageFormat(), new S3Format()] });
    await client.send(new PutObjectCommand({ ...at("message"), Body: "secret" }), { encryptionContext: { a: "b" } });
    const call = { ...at("message"), encryptionContext: { a: "b" } };
    expect(await verifyObject(client, call)).to.include({ formatName: "message", isAuthenticated: true, length: 6 });
    expect((await refusal(verifyObject(client, { ...call, encryptionContext: { a: "c" } }))).code).to.equal(
      "context-mismatch",
    );
    const other = fixture.client();
    await other.send(put("other"));
    expect((await refusal(verifyObject(client, at("other")))).code).to.equal("no-matching-key");
  });

  it("refuses what is not encrypted, wrong options, and ends when it is told to", async () => {
    const client = fixture.client();
    await fixture.server.putRawObject(BUCKET, "plain", { body: Buffer.from("plain") });
    expect((await refusal(verifyObject(client, at("plain")))).code).to.equal("not-encrypted");
    expect((await refusal(verifyObject(client, { ...at("plain"), versionId: "x" } as never))).code).to.equal(
      "invalid-argument",
    );
    expect((await refusal(verifyObject(client, at("")))).code).to.equal("invalid-argument");
    expect((await refusal(verifyObject(fixture.plain, at("plain")))).code).to.equal("invalid-argument");
    await client.send(put("ended", randomBytes(1000)));
    const abortSignal = AbortSignal.abort();
    expect((await errorOf(verifyObject(client, { ...at("ended"), abortSignal }))).name).to.equal("AbortError");
  });
});
