import { randomBytes } from "node:crypto";
import { HeadObjectCommand, PutObjectCommand } from "@aws-sdk/client-s3";
import {
  addRecipient,
  annotatedWraps,
  isRewrapped,
  migrateObject,
  type PlannedEnvelope,
  rewrapObject,
  type S3EncryptionClient,
} from "@s3ec/client";
import { MultiKeyring } from "@s3ec/keyring-multi";
import { RawAesKeyring } from "@s3ec/keyring-raw-aes";
import { S3EncryptionError, UnopenedWrapError } from "@s3ec/materials";
import { expect } from "chai";
import { BUCKET, Fixture } from "./fixture.js";

const aes = (key: string) => new RawAesKeyring({ wrappingKey: randomBytes(32), materialDescription: { key } });
const [former, renewed, escrow] = [aes("former"), aes("renewed"), aes("escrow")];
const FILES = { instructionFileConfig: { enableInstructionFilePutObject: true } } as const;
const object = { Bucket: BUCKET, Key: "k", settleTime: 0 } as const;
const hierarchy = new MultiKeyring({
  generator: renewed,
  children: [{ keyring: escrow, instructionFileSuffix: ".escrow" }],
});

describe("an envelope that is about to be stored", () => {
  let fixture: Fixture;
  beforeEach(async () => {
    fixture = await Fixture.start();
  });
  afterEach(() => fixture.close());

  const put = (options: object = {}) =>
    fixture
      .client({ keyring: former, ...options })
      .send(new PutObjectCommand({ Bucket: BUCKET, Key: "k", Body: "content" }));
  const changes = () =>
    fixture.server.requests
      .map(({ operation }) => operation)
      .filter((operation) => /^(?:Put|Copy|Delete|Create|Upload|Complete)/.test(operation));
  const told: PlannedEnvelope[] = [];
  const seen: string[][] = [];
  beforeEach(() => {
    told.length = 0;
    seen.length = 0;
  });
  const beforeWrite = async (envelope: PlannedEnvelope): Promise<void> => {
    told.push(envelope);
    seen.push(changes());
  };

  type Call = (client: S3EncryptionClient, options: object) => Promise<unknown>;
  const rewrap: Call = (client, options) => rewrapObject(client, { ...object, to: { keyring: renewed }, ...options });
  const migrate: Call = (client, options) =>
    migrateObject(client, { ...object, to: { keyring: hierarchy }, ...options });
  const partner: Call = (client, options) => rewrap(client, { recipient: "partner", ...options });

  for (const [name, call, options] of [
    ["in metadata", rewrap, {}],
    ["in a file", rewrap, FILES],
    ["in an annotation", partner, {}],
    ["of an object that is written anew", migrate, {}],
    ["of an object that is written anew, which was read by a file", migrate, FILES],
    ["of an object that is written anew with all wraps in files", migrate, { wrapPlacement: "instruction-files" }],
    ["of an object that is written anew with a recipient annotated", migrate, { wrapPlacement: "annotations" }],
  ] as const) {
    it(`is told before anything changes, and stands then: ${name}`, async () => {
      await put(options);
      const to = { keyring: former };
      if (call === partner) {
        await addRecipient(fixture.client({ keyring: former }), { Bucket: BUCKET, Key: "k", recipient: "partner", to });
      }
      const client = fixture.client({ keyring: former, ...options });
      fixture.server.clearRequests();

      await call(client, { beforeWrite, dryRun: true });
      expect([told, changes()]).to.deep.equal([[], []]);

      const refused = new Error("no room for a record");
      const refusing = async () => {
        throw refused;
      };
      const outcome: unknown = await call(client, { beforeWrite: refusing }).catch((error: unknown) => error);
      expect(outcome).to.equal(refused);
      expect(changes()).to.deep.equal([]);

      await call(client, { beforeWrite });
      expect(seen).to.deep.equal([[]]);
      const [{ place, metadata, text, beside = [], removes = [] } = { metadata: {} }] = told;
      expect((await fixture.plain.send(new HeadObjectCommand({ Bucket: BUCKET, Key: "k" }))).Metadata).to.deep.equal(
        metadata,
      );
      if (place?.in === "instruction-file") {
        expect((await fixture.stored(`k${place.suffix}`)).body.toString()).to.equal(text);
      }
      const annotated = await annotatedWraps(fixture.plain, { Bucket: BUCKET, Key: "k" });
      for (const { place: where, text: body } of beside) {
        if (where.in === "instruction-file") {
          expect((await fixture.stored(`k${where.suffix}`)).body.toString()).to.equal(body);
        } else if (annotated.state === "listed") expect(annotated.wraps.map((wrap) => wrap.text)).to.include(body);
      }
      const annotates = "wrapPlacement" in options && options.wrapPlacement === "annotations";
      const isBeside = annotates ? "annotation" : "instruction-file";
      if (call === migrate) expect(beside.map(({ place: { in: where } }) => where)).to.include(isBeside);
      expect(removes.map(({ key }) => key)).to.deep.equal(name.endsWith("by a file") ? ["k.instruction"] : []);
    });
  }

  it("was stored by an earlier call, where the new key opens what stands", async () => {
    const client = fixture.client({ keyring: former });
    const is = (options: object = {}, asked = client) =>
      isRewrapped(asked, { ...object, to: { keyring: renewed }, ...options });
    await put();
    expect(await is()).to.equal(false);
    await rewrapObject(client, { ...object, to: { keyring: renewed } });
    expect(await is()).to.equal(true);
    await put(FILES);
    expect(await is()).to.equal(false);
    await rewrapObject(client, { ...object, to: { keyring: renewed } });
    expect(await is()).to.equal(true);
    await put();
    const recipient = { Bucket: BUCKET, Key: "k", recipient: "partner", to: { keyring: escrow } } as const;
    await addRecipient(client, recipient);
    expect(await is({ recipient: "partner" })).to.equal(false);
    expect(await is({ instructionFileSuffix: ".partner" })).to.equal(false);
    expect(await is({ recipient: "partner", to: { keyring: escrow } })).to.equal(true);
    const absent: unknown = await is({ recipient: "nobody" }).catch((error: unknown) => error);
    expect(absent).to.be.instanceOf(S3EncryptionError).and.to.have.property("code", "not-encrypted");
  });

  it("is read with the new key, after a call that broke off behind the object", async () => {
    await put({ keyring: renewed });
    const client = fixture.client({ keyring: former });
    const outcome: unknown = await migrate(client, {}).catch((error: unknown) => error);
    expect(outcome).to.have.property("code", "decryption-failed");
    await migrate(client, { readWithTarget: true });
    expect(await fixture.keys("")).to.deep.equal(["k", "k.escrow"]);
    const wrong: unknown = await migrate(client, { readWithTarget: 1 }).catch((error: unknown) => error);
    expect(wrong).to.have.property("code", "invalid-argument");
  });

  it("says so when the new keyring does not open it", async () => {
    await put();
    const blind = {
      wrapAlgorithms: renewed.wrapAlgorithms,
      onEncrypt: renewed.onEncrypt.bind(renewed),
      onDecrypt: async () => null,
    };
    const outcome: unknown = await rewrap(fixture.client({ keyring: former }), { to: { keyring: blind } }).catch(
      (error: unknown) => error,
    );
    expect(outcome).to.be.instanceOf(UnopenedWrapError).and.to.have.property("code", "no-matching-key");
  });
});
