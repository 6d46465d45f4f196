import { randomBytes } from "node:crypto";
import { CopyObjectCommand, ListObjectVersionsCommand, PutBucketVersioningCommand } from "@aws-sdk/client-s3";
import type { EncryptionCallOptions, S3EncryptionClient, S3EncryptionOptions } from "@s3ec/client";
import { MultiKeyring } from "@s3ec/keyring-multi";
import { RawAesKeyring } from "@s3ec/keyring-raw-aes";
import { expect } from "chai";
import { BUCKET, Fixture, get, put, refusal } from "./fixture.js";

const generator = new RawAesKeyring({ wrappingKey: randomBytes(32) });
const child = new RawAesKeyring({ wrappingKey: randomBytes(32), materialDescription: { of: "child" } });
const keyring = new MultiKeyring({ generator, children: [{ keyring: child, instructionFileSuffix: ".child" }] });
const IN_FILE = { keyring: generator, instructionFileConfig: { enableInstructionFilePutObject: true } } as const;
const V2 = { commitmentPolicy: "FORBID_ENCRYPT_ALLOW_DECRYPT" } as const;

/** Copies of older versions, whose instruction files have versions of their own. */
describe("a copy of a version", () => {
  let fixture: Fixture;
  before(async () => {
    fixture = await Fixture.start();
    const VersioningConfiguration = { Status: "Enabled" } as const;
    await fixture.plain.send(new PutBucketVersioningCommand({ Bucket: BUCKET, VersioningConfiguration }));
  });
  after(() => fixture.close());
  afterEach(() => fixture.server.faults.clear());

  const TEXTS = ["first", "second", "third"];
  async function putAll(key: string, options: Partial<S3EncryptionOptions>): Promise<string[]> {
    const client = fixture.client(options);
    const versions: string[] = [];
    for (const text of TEXTS) versions.push((await client.send(put(key, text))).VersionId ?? "");
    return versions;
  }
  async function fileVersions(key: string): Promise<string[]> {
    const asked = new ListObjectVersionsCommand({ Bucket: BUCKET, Prefix: key });
    const { Versions = [] } = await fixture.plain.send(asked);
    return Versions.map(({ VersionId = "" }) => VersionId).reverse();
  }
  /** As writers do that put a V2 envelope into a file, with no mark of ours anywhere. */
  async function storeForeign(key: string): Promise<string> {
    const options = { ...V2, ...IN_FILE };
    let oldest: string | undefined;
    for (const text of TEXTS) {
      await fixture.client(options).send(put("scratch", text));
      const [object, file] = [await fixture.stored("scratch"), await fixture.stored("scratch.instruction")];
      await fixture.plain.send(put(`${key}.instruction`, file.body));
      oldest ??= (await fixture.plain.send(put(key, object.body))).VersionId;
      if (text !== TEXTS[0]) await fixture.plain.send(put(key, object.body));
    }
    return oldest ?? "";
  }
  function copy(
    client: S3EncryptionClient,
    from: string,
    version: string,
    Key: string,
    call: EncryptionCallOptions = {},
  ) {
    const CopySource = `${BUCKET}/${from}?versionId=${version}`;
    return client.send(new CopyObjectCommand({ Bucket: BUCKET, Key, CopySource }), call);
  }
  const read = async (key: string, options: Partial<S3EncryptionOptions>, call: EncryptionCallOptions = {}) =>
    (await fixture.client(options).send(get(key), call)).Body?.transformToString();

  it("takes the version of each file that has the object's mark, for every key and in either placement", async () => {
    for (const wrapPlacement of ["metadata", "instruction-files"] as const) {
      const key = `children ${wrapPlacement}`;
      const versions = await putAll(key, { keyring, wrapPlacement });
      for (const [index, text] of TEXTS.entries()) {
        const to = `${key} ${text}`;
        await copy(fixture.client({ keyring }), encodeURIComponent(key), versions[index] ?? "", to);
        expect(await read(to, { keyring: generator })).to.equal(text);
        expect(await read(to, { keyring: child }, { instructionFileSuffix: ".child" })).to.equal(text);
      }
      // Making an old version the current one is a copy, too.
      await copy(fixture.client({ keyring }), encodeURIComponent(key), versions[0] ?? "", key);
      expect(await read(key, { keyring: child }, { instructionFileSuffix: ".child" })).to.equal("first");
    }
  });

  it("takes it of V2 by the mark as well, without a key, and the current one where versions may not be listed", async () => {
    const versions = await putAll("v2", { ...V2, ...IN_FILE });
    const client = fixture.client({ keyring: child });
    await copy(client, "v2", versions[0] ?? "", "v2-copy");
    expect(await read("v2-copy", { ...V2, keyring: generator })).to.equal("first");
    fixture.server.faults.add({ operation: "ListObjectVersions", status: 403, code: "AccessDenied" });
    await copy(client, "v2", versions[2] ?? "", "v2-copy-3");
    expect(await read("v2-copy-3", { ...V2, keyring: generator })).to.equal("third");
    const error = await refusal(copy(client, "v2", versions[0] ?? "", "v2-copy-1"));
    expect(error.message).to.match(/instructionFileVersionId/);
    expect(await fixture.keys("v2-copy-1")).to.deep.equal([]);
  });

  it("takes a file without a mark by what a key proves (V3), and refuses where none does, saying what is missing", async () => {
    const versions = await putAll("proven", IN_FILE);
    // The same text again, as a writer leaves it that knows no marks.
    for (const VersionId of await fileVersions("proven.instruction")) {
      const { body } = await fixture.stored("proven.instruction", VersionId);
      await fixture.plain.send(put("unmarked.instruction", body));
    }
    const unmarked: string[] = [];
    for (const version of versions) {
      const CopySource = `${BUCKET}/proven?versionId=${version}`;
      const { VersionId = "" } = await fixture.plain.send(
        new CopyObjectCommand({ Bucket: BUCKET, Key: "unmarked", CopySource }),
      );
      unmarked.push(VersionId);
    }
    await copy(fixture.client({ keyring: generator }), "unmarked", unmarked[1] ?? "", "by-key");
    expect(await read("by-key", { keyring: generator })).to.equal("second");
    const error = await refusal(copy(fixture.client({ keyring: child }), "unmarked", unmarked[1] ?? "", "by-none"));
    expect(error.code).to.equal("invalid-argument");
    expect(error.message).to.match(/a version of "unmarked" was named.*instructionFileVersionId/);
    const [, instructionFileVersionId = ""] = await fileVersions("unmarked.instruction");
    await copy(fixture.client({ keyring: child }), "unmarked", unmarked[1] ?? "", "by-name", {
      instructionFileVersionId,
    });
    expect(await read("by-name", { keyring: generator })).to.equal("second");
  });

  it("refuses where nothing on the object tells (V2 of other writers), and takes the version that is named", async () => {
    const version = await storeForeign("foreign");
    const client = fixture.client({ keyring: generator });
    const error = await refusal(copy(client, "foreign", version, "foreign-copy"));
    expect(error.code).to.equal("invalid-argument");
    expect(await fixture.keys("foreign-copy")).to.deep.equal([]);
    const [instructionFileVersionId = ""] = await fileVersions("foreign.instruction");
    await copy(client, "foreign", version, "foreign-copy", { instructionFileVersionId });
    expect(await read("foreign-copy", { ...V2, keyring: generator })).to.equal("first");
    const wrong = refusal(copy(client, "foreign", version, "x", { instructionFileVersionId: "no-such-version" }));
    expect((await wrong).message).to.match(/names no version.*"foreign\.instruction"/);
  });

  it("refuses a version that is named and is of another object by its mark", async () => {
    const versions = await putAll("named", IN_FILE);
    const [, instructionFileVersionId = ""] = await fileVersions("named.instruction");
    const client = fixture.client({ keyring: generator });
    const error = await refusal(copy(client, "named", versions[0] ?? "", "named-copy", { instructionFileVersionId }));
    expect(error.code).to.equal("content-mismatch");
    expect(await fixture.keys("named-copy")).to.deep.equal([]);
  });

  it("takes no file along of an object that needs none where no version of it is known to be its own", async () => {
    await fixture.client({ keyring }).send(put("kids", "content"));
    const { body } = await fixture.stored("kids.child");
    const CopySource = `${BUCKET}/kids`;
    const copied = await fixture.plain.send(new CopyObjectCommand({ Bucket: BUCKET, Key: "unknown", CopySource }));
    await fixture.plain.send(put("unknown.child", body));
    const stranger = new RawAesKeyring({ wrappingKey: randomBytes(32) });
    const children = [{ keyring: stranger, instructionFileSuffix: ".child" }];
    const client = fixture.client({ keyring: new MultiKeyring({ generator: stranger, children }) });
    await copy(client, "unknown", copied.VersionId ?? "", "unknown-copy");
    expect(await fixture.keys("unknown-copy")).to.deep.equal(["unknown-copy"]);
    expect(await read("unknown-copy", { keyring: generator })).to.equal("content");
  });

  it("does not mind a store that has no listing of versions, of an object that needs none", async () => {
    const versions = await putAll("unlisted", { keyring: generator });
    fixture.server.faults.add({ operation: "ListObjectVersions", status: 404, code: "NoSuchKey" });
    await copy(fixture.client({ keyring: generator }), "unlisted", versions[0] ?? "", "unlisted-copy");
    expect(await read("unlisted-copy", { keyring: generator })).to.equal("first");
  });

  it("needs nothing of an object that is in no file, nor of one that is not encrypted", async () => {
    const versions = await putAll("alone", { keyring: generator });
    await copy(fixture.client({ keyring: generator }), "alone", versions[0] ?? "", "alone-copy");
    expect(await read("alone-copy", { keyring: generator })).to.equal("first");
    const { VersionId = "" } = await fixture.plain.send(put("plain", "plain"));
    await fixture.plain.send(put("plain", "later"));
    await copy(fixture.client({ keyring: generator }), "plain", VersionId, "plain-copy");
    expect((await fixture.stored("plain-copy")).body.toString()).to.equal("plain");
  });
});
