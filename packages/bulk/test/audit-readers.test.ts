import { generateKeyPairSync } from "node:crypto";
import { CopyObjectCommand, PutObjectCommand } from "@aws-sdk/client-s3";
import { type AuditReader, AuditTotals, auditObjects, listObjects, rawKeyQuestion } from "@s3ec/bulk";
import { KMS_CONTEXT } from "@s3ec/envelope";
import { MultiKeyring } from "@s3ec/keyring-multi";
import { RawRsaKeyring } from "@s3ec/keyring-raw-rsa";
import { loadVectors, readBody } from "@s3ec/test-vectors";
import { expect } from "chai";
import { BUCKET, BulkFixture, former, renewed } from "./bulk-fixture.js";
import { gathered } from "./gathered.js";

const partner = new RawRsaKeyring(generateKeyPairSync("rsa", { modulusLength: 2048 }));
const ALLOWING = {
  commitmentPolicy: "REQUIRE_ENCRYPT_ALLOW_DECRYPT",
  enableLegacyUnauthenticatedModes: true,
  enableLegacyWrappingAlgorithms: true,
} as const;
const STRICT = {
  commitmentPolicy: "REQUIRE_ENCRYPT_REQUIRE_DECRYPT",
  enableLegacyUnauthenticatedModes: false,
  enableLegacyWrappingAlgorithms: false,
} as const;
const withAes = (keyring: typeof former): AuditReader => ({
  ...STRICT,
  wrapAlgorithms: keyring.wrapAlgorithms,
  keyQuestions: [rawKeyQuestion({ keyring, keyKind: "aes" })],
});
const withPartner: AuditReader = {
  ...STRICT,
  wrapAlgorithms: partner.wrapAlgorithms,
  keyQuestions: [rawKeyQuestion({ keyring: partner, keyKind: "rsa" })],
};

describe("an audit that is asked about readers and several keys", () => {
  let fixture: BulkFixture;
  beforeEach(async () => {
    fixture = await BulkFixture.start();
  });
  afterEach(() => fixture.close());

  const audit = async (options: Partial<Parameters<typeof auditObjects>[2]>) => {
    const objects = listObjects(fixture.plain, { Bucket: BUCKET });
    return await gathered(auditObjects(fixture.plain, objects, { Bucket: BUCKET, areFilesListed: true, ...options }));
  };
  const readable = async (readableBy: AuditReader) =>
    Object.fromEntries((await audit({ readableBy })).map(({ Key, readable: answer }) => [Key, answer]));

  it("tells by its keys, wherever the wrap is, and nothing of what is not encrypted", async () => {
    await fixture.put(["a"]);
    await fixture.put(["b"], { keyring: renewed });
    const keyring = new MultiKeyring({
      generator: former,
      children: [{ keyring: partner, instructionFileSuffix: ".partner" }],
    });
    await fixture.put(["c"], { keyring });
    await fixture.plain.send(new PutObjectCommand({ Bucket: BUCKET, Key: "plain", Body: "x" }));
    const files: Record<string, undefined> = { "c.partner": undefined, plain: undefined };
    expect(await readable(withAes(former))).to.deep.equal({ a: "yes", b: "no", c: "yes", ...files });
    // A further file may be of the object before, or of a longer key: it rules the partner out no more, and proves nothing.
    await fixture.plain.send(
      new CopyObjectCommand({ Bucket: BUCKET, Key: "b.x.partner", CopySource: `${BUCKET}/c.partner` }),
    );
    files["b.x.partner"] = undefined;
    expect(await readable(withPartner)).to.deep.equal({ a: "no", b: "unknown", c: "unknown", ...files });
    const [, b] = await audit({ readableBy: withAes(former) });
    expect(b?.whyNot).to.equal("None of the reader's keys has made its wrapped key.");
    const totals = new AuditTotals();
    for (const each of await audit({ readableBy: withPartner })) totals.add(each);
    expect(JSON.parse(JSON.stringify(totals)).byReadable).to.deep.include({
      no: { objects: 1, bytes: 12, ofUnknownLength: 0 },
    });
  });

  it("says no for nothing that it could not look at, and unknown without keys to ask", async () => {
    await fixture.put(["a"]);
    const { keyQuestions: _, ...mute } = withAes(renewed);
    expect(await readable(mute)).to.deep.equal({ a: "unknown" });
    const kms = { ...mute, wrapAlgorithms: [KMS_CONTEXT] };
    const [a] = await audit({ readableBy: kms });
    expect([a?.readable, a?.whyNot]).to.deep.equal([
      "no",
      "The object's data key is wrapped with AES/GCM, which no configured keyring unwraps.",
    ]);
    fixture.server.faults.add({ operation: "ListObjectAnnotations", key: "a", status: 403 });
    expect(await readable(kms)).to.deep.equal({ a: "unknown" });
    fixture.server.faults.clear();
    fixture.server.faults.add({ operation: "HeadObject", key: "a", status: 403 });
    expect(await readable(kms)).to.deep.equal({ a: "unknown" });
  });

  it("tells what policy and switches refuse, with the words of a get", async () => {
    const vectors = loadVectors().filter(({ expect: refused }) => refused === undefined);
    const find = (wrap: RegExp, metadata: RegExp) =>
      vectors.find((each) => wrap.test(JSON.stringify(each.metadata)) && metadata.test(JSON.stringify(each.metadata)));
    const cbc = find(/AES\/CBC\/PKCS5Padding/, /"x-amz-wrap-alg":"kms"/);
    const legacy = find(/AES\/GCM\/NoPadding/, /"x-amz-wrap-alg":"AESWrap"/);
    if (cbc === undefined || legacy === undefined) throw new Error("no such vectors");
    for (const [key, vector] of Object.entries({ cbc, legacy })) {
      await fixture.server.putRawObject(BUCKET, key, { body: readBody(vector), metadata: vector.metadata });
    }
    const wrapAlgorithms = [...former.wrapAlgorithms];
    const whyNot = async (policy: Partial<AuditReader>) =>
      (await audit({ readableBy: { ...ALLOWING, wrapAlgorithms, ...policy } })).map((each) => each.whyNot ?? "");
    const [committed, alsoCommitted] = await whyNot({ commitmentPolicy: "REQUIRE_ENCRYPT_REQUIRE_DECRYPT" });
    expect(committed).to.contain("The commitment policy REQUIRE_ENCRYPT_REQUIRE_DECRYPT does not allow decrypting");
    expect(alsoCommitted).to.contain("(format V2)");
    const [content] = await whyNot({ enableLegacyUnauthenticatedModes: false });
    expect(content).to.contain("Enable legacy unauthenticated modes to use legacy content decryption");
    const [, wrap] = await whyNot({ enableLegacyWrappingAlgorithms: false });
    expect(wrap).to.contain("Enable legacy wrapping algorithms to use legacy key wrapping algorithm: AESWrap");
    expect(await whyNot({})).to.deep.equal([
      "The object's data key is wrapped with kms, which no configured keyring unwraps.",
      "",
    ]);
  });

  it("answers each of several keys by itself", async () => {
    await fixture.put(["a"]);
    await fixture.put(["b"], { keyring: renewed });
    const questionOf = (keyring: typeof former) => rawKeyQuestion({ keyring, keyKind: "aes" });
    const keyQuestions = { former: questionOf(former), renewed: questionOf(renewed) };
    const found = await audit({ keyQuestions });
    expect(found.map(({ needsKeys, needsKey }) => [needsKeys, needsKey])).to.deep.equal([
      [{ former: "yes", renewed: "no" }, undefined],
      [{ former: "no", renewed: "yes" }, undefined],
    ]);
    expect(found[0]?.wraps[0]?.needsKeys).to.deep.equal({ former: "yes", renewed: "no" });
    const totals = new AuditTotals();
    for (const each of found) totals.add(each);
    const one = { objects: 1, bytes: 12, ofUnknownLength: 0 };
    expect(JSON.parse(JSON.stringify(totals)).byNeedOf).to.deep.equal({
      former: { yes: one, no: one },
      renewed: { no: one, yes: one },
    });
    fixture.server.faults.add({ operation: "HeadObject", key: "b", status: 403 });
    const [, denied] = await audit({ keyQuestions });
    expect(denied?.needsKeys).to.deep.equal({ former: "unknown", renewed: "unknown" });
  });
});
