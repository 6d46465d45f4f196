import { CopyObjectCommand, DeleteObjectCommand, DeleteObjectsCommand } from "@aws-sdk/client-s3";
import type { S3EncryptionClient, S3EncryptionOptions } from "@s3ec/client";
import { MultiKeyring } from "@s3ec/keyring-multi";
import { expect } from "chai";
import { BUCKET, Fixture, put, refusal, TEST_KEYRING } from "./fixture.js";

const IN_FILE: Partial<S3EncryptionOptions> = { instructionFileConfig: { enableInstructionFilePutObject: true } };
const keyring = new MultiKeyring({
  generator: TEST_KEYRING,
  children: [{ keyring: TEST_KEYRING, instructionFileSuffix: ".escrow" }],
});

describe("an object of somebody's that is called as an instruction file would be", () => {
  let fixture: Fixture;
  before(async () => {
    fixture = await Fixture.start();
  });
  after(() => fixture.close());

  const raw = (Key: string, body: string) => fixture.server.putRawObject(BUCKET, Key, { body: Buffer.from(body) });
  const kinds: Readonly<Record<string, (Key: string) => Promise<unknown>>> = {
    "a text": (Key) => raw(Key, "precious"),
    "other JSON": (Key) => raw(Key, '{"precious":"x"}'),
    "a long one": (Key) => raw(Key, "x".repeat(100_000)),
    "an encrypted one": (Key) => fixture.client().send(put(Key, "precious")),
  };
  const writers: Readonly<Record<string, readonly [suffix: string, client: () => S3EncryptionClient]>> = {
    "with its wrapped key in a file": [".instruction", () => fixture.client(IN_FILE)],
    "with a further file": [".escrow", () => fixture.client({ keyring })],
  };
  for (const [kind, seed] of Object.entries(kinds)) {
    for (const [how, [suffix, client]] of Object.entries(writers)) {
      const keyed = (name: string): string => `${kind}/${suffix}/${name}`;

      it(`stays when an object beside it is deleted ${how}: ${kind}`, async () => {
        const [one, many] = [keyed("one"), keyed("many")];
        for (const key of [one, many]) {
          await fixture.client().send(put(key));
          await seed(`${key}${suffix}`);
        }
        await client().send(new DeleteObjectCommand({ Bucket: BUCKET, Key: one }));
        const Delete = { Objects: [{ Key: many }] };
        expect(await client().send(new DeleteObjectsCommand({ Bucket: BUCKET, Delete }))).not.to.have.property(
          "Errors",
        );
        expect(await fixture.keys(one)).to.deep.equal([`${one}${suffix}`]);
        expect(await fixture.keys(many)).to.deep.equal([`${many}${suffix}`]);
      });

      it(`is refused before anything is stored ${how}: ${kind}`, async () => {
        const key = keyed("put");
        await seed(`${key}${suffix}`);
        const before = (await fixture.stored(`${key}${suffix}`)).body;
        expect((await refusal(client().send(put(key)))).code).to.equal("unsupported-operation");
        await client().send(put(keyed("source")));
        const copy = new CopyObjectCommand({
          Bucket: BUCKET,
          Key: key,
          CopySource: `${BUCKET}/${encodeURI(keyed("source"))}`,
        });
        expect((await refusal(client().send(copy))).code).to.equal("unsupported-operation");
        expect(await fixture.keys(key)).to.deep.equal([`${key}${suffix}`]);
        expect((await fixture.stored(`${key}${suffix}`)).body.equals(before)).to.equal(true);
      });
    }
  }

  it("is replaced, and deleted, by who says so", async () => {
    const config = { enableInstructionFilePutObject: true, replaceUnknownFiles: true };
    const client = fixture.client({ instructionFileConfig: config });
    await raw("told.instruction", "precious");
    await client.send(put("told"));
    await raw("told.instruction", "precious");
    await client.send(new DeleteObjectCommand({ Bucket: BUCKET, Key: "told" }));
    expect(await fixture.keys("told")).to.deep.equal([]);
  });
});
