import { createCipheriv, createDecipheriv, randomBytes } from "node:crypto";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { GetObjectCommand } from "@aws-sdk/client-s3";
import { EncryptedDownload, EncryptedUpload, inspectObject, type S3EncryptionOptions } from "@s3ec/client";
import { AwsMessageFormat } from "@s3ec/format-aws-message";
import { S3Format } from "@s3ec/format-s3";
import { defineKeyring } from "@s3ec/materials";
import { expect } from "chai";
import { BUCKET, bytesOfLength, Fixture, get, put, refusal } from "./fixture.js";
import { ToyFormat } from "./toy-format.js";

/** A wrap as somebody outside writes it, in two functions. */
const key = randomBytes(32);
const vault = defineKeyring({
  name: "acme:vault/v1",
  wrap(dataKey, binding) {
    const iv = randomBytes(12);
    const cipher = createCipheriv("aes-256-gcm", key, iv).setAAD(Buffer.from(binding));
    return Buffer.concat([iv, cipher.update(dataKey), cipher.final(), cipher.getAuthTag()]);
  },
  unwrap(wrapped, binding) {
    const decipher = createDecipheriv("aes-256-gcm", key, wrapped.subarray(0, 12)).setAAD(Buffer.from(binding));
    decipher.setAuthTag(wrapped.subarray(-16));
    return Buffer.concat([decipher.update(wrapped.subarray(12, -16)), decipher.final()]);
  },
});

const { wrapAlgorithms } = vault;

describe("a format and a wrap from outside", () => {
  const content = bytesOfLength(12_345);
  let fixture: Fixture;
  let folder: string;
  before(async () => {
    fixture = await Fixture.start();
    folder = await mkdtemp(join(tmpdir(), "s3ec-test-"));
  });
  after(async () => {
    await fixture.close();
    await rm(folder, { recursive: true });
  });

  const options = (...formats: NonNullable<S3EncryptionOptions["formats"]>): Partial<S3EncryptionOptions> => ({
    keyring: vault,
    formats,
  });
  const s3 = new S3Format({ enableLegacyUnauthenticatedModes: true });

  for (const [name, formats] of [
    ["box", [new ToyFormat()]],
    ["box", [new ToyFormat(), s3]],
    ["s3", [s3, new ToyFormat()]],
    ["s3", [s3]],
    ["message", [new AwsMessageFormat({ frameLength: 500 }), s3, new ToyFormat()]],
  ] as const) {
    const among = formats.map((format) => format.name).join(", ");

    it(`puts, gets, reads ranges and inspects "${name}" among ${among}`, async () => {
      const client = fixture.client(options(...formats));
      await client.send(put("object", content));
      const whole = await client.send(get("object"));
      expect(whole.ContentLength).to.equal(content.length);
      expect(Buffer.from((await whole.Body?.transformToByteArray()) ?? []).equals(content)).to.equal(true);
      for (const [Range, first, last] of [
        ["bytes=0-0", 0, 0],
        ["bytes=999-3001", 999, 3001],
        ["bytes=12000-", 12_000, 12_344],
        ["bytes=-5", 12_340, 12_344],
        ["bytes=5000-99999", 5000, 12_344],
      ] as const) {
        const part = await client.send(new GetObjectCommand({ Bucket: BUCKET, Key: "object", Range }));
        expect(part.ContentRange).to.equal(`bytes ${first}-${last}/${content.length}`);
        const bytes = Buffer.from((await part.Body?.transformToByteArray()) ?? []);
        expect(bytes.equals(content.subarray(first, last + 1)), Range).to.equal(true);
      }
      const past = client.send(new GetObjectCommand({ Bucket: BUCKET, Key: "object", Range: "bytes=12345-" }));
      expect(await past.catch((error: unknown) => error)).to.have.property("name", "InvalidRange");
      const inspected = await inspectObject(client, { Bucket: BUCKET, Key: "object", formats, wrapAlgorithms });
      expect(inspected.formatName).to.equal(name);
      expect(JSON.stringify(inspected.inspection)).to.contain("acme:vault/v1");
    });

    it(`uploads and downloads "${name}" among ${among}, files and streams`, async () => {
      const client = fixture.client(options(...formats));
      const [file, to] = [join(folder, "source"), join(folder, "copy")];
      const large = bytesOfLength(6_000_000);
      await writeFile(file, large);
      await new EncryptedUpload({ client, params: { Bucket: BUCKET, Key: "large" }, file }).done();
      await new EncryptedDownload({ client, params: { Bucket: BUCKET, Key: "large" }, to }).done();
      expect((await readFile(to)).equals(large)).to.equal(true);
    });
  }

  it("says of a message that another format may tell it, where none is named", async () => {
    await fixture.client(options(new AwsMessageFormat())).send(put("told", "x"));
    const inspected = inspectObject(fixture.plain, { Bucket: BUCKET, Key: "told" });
    const error: unknown = await inspected.catch((reason: unknown) => reason);
    expect(error).to.have.property("code", "not-encrypted");
    expect(error).to.have.property("message").that.contains("name that in formats");
  });

  it("reads each object by the format that recognises it, whichever is written", async () => {
    const formats = [s3, new AwsMessageFormat(), new ToyFormat()];
    const client = fixture.client(options(...formats));
    for (const { name } of formats) {
      await client.send(put(`by-${name}`, "x"), { format: name });
      const inspected = await inspectObject(fixture.plain, {
        Bucket: BUCKET,
        Key: `by-${name}`,
        formats,
        wrapAlgorithms,
      });
      expect(inspected.formatName).to.equal(name);
    }
    for (const { name } of formats) {
      const { Body } = await client.send(get(`by-${name}`));
      expect(await Body?.transformToString()).to.equal("x");
      for (const other of formats.filter((format) => format.name !== name)) {
        const asked = client.send(get(`by-${name}`), { format: other.name });
        expect((await refusal(asked)).code, `${name} as ${other.name}`).to.equal("not-encrypted");
      }
    }
  });

  it("are refused where they are none, twice the same, or not among the client's", async () => {
    const box = new ToyFormat();
    const refusedBy = (formats: unknown): string => {
      try {
        fixture.client({ keyring: vault, formats: formats as [] });
      } catch (error) {
        return (error as Error).message;
      }
      return "";
    };
    expect(refusedBy([])).to.contain("one or more");
    expect(refusedBy({})).to.contain("one or more");
    expect(refusedBy([{ name: "box" }])).to.contain("object format");
    expect(refusedBy([box, new ToyFormat()])).to.contain('Two of formats are named "box"');
    const named = fixture.client(options(box)).send(put("x"), { format: "s3" });
    const { code, message } = await refusal(named);
    expect([code, message]).to.deep.equal([
      "invalid-argument",
      'format must be "box", which this client was given; name others in the client\'s formats.',
    ]);
    const stray = { keyring: vault, formats: [s3], enableLegacyWrappingAlgorithms: true };
    expect(() => fixture.client(stray)).to.throw("new S3Format({ enableLegacyWrappingAlgorithms })");
  });
});
