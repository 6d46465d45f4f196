import {
  CopyObjectCommand,
  type CopyObjectCommandInput,
  GetObjectAnnotationCommand,
  GetObjectCommand,
  PutObjectAnnotationCommand,
  PutObjectCommand,
  type S3Client,
} from "@aws-sdk/client-s3";
import { expect } from "chai";
import { BUCKET, Fixture, TEST_KEYRING } from "./fixture.js";
import { createLocked, described, PROPERTIES } from "./kept-properties.js";

/** By a twin that is not encrypted, and is put and copied by the same commands through a client of S3 alone. */
describe("a copy of an encrypted object keeps what one of any object keeps", () => {
  let fixture: Fixture;
  before(async () => {
    fixture = await Fixture.start();
    await createLocked(fixture.plain);
  });
  after(() => fixture.close());

  const CASES: readonly [string, string, Partial<CopyObjectCommandInput>][] = [
    ["to another key", "to", {}],
    ["to another key, its metadata replaced", "to", { MetadataDirective: "REPLACE", Metadata: { mine: "2" } }],
    ["onto itself, its metadata replaced", "from", { MetadataDirective: "REPLACE", Metadata: { mine: "2" } }],
  ];

  for (const [how, target, directives] of CASES) {
    for (const [what, properties, , more = {}] of PROPERTIES) {
      it(`${what}: ${how}`, async () => {
        const at = { Bucket: BUCKET, ...more };
        const twins = await Promise.all([
          copied(fixture.client({ keyring: TEST_KEYRING }), `encrypted/${target}`, "encrypted/from"),
          copied(fixture.plain, `plain/${target}`, "plain/from"),
        ]);
        expect(twins[0]).to.deep.equal(twins[1]);
        const read = new GetObjectCommand({ ...at, Key: `encrypted/${target}` });
        const { Body } = await fixture.client({ keyring: TEST_KEYRING }).send(read);
        expect(await Body?.transformToString()).to.equal("content");

        async function copied(s3: S3Client, Key: string, from: string): Promise<object> {
          const put = { Bucket: BUCKET, Body: "content", Metadata: { mine: "1" }, ...properties };
          await s3.send(new PutObjectCommand({ ...put, Key: from }));
          const { Bucket } = at;
          const customers = Object.entries(more).filter(([name]) => name !== "Bucket");
          const source = Object.fromEntries(customers.map(([name, value]) => [`CopySource${name}`, value]));
          const CopySource = `${Bucket}/${from}`;
          await s3.send(new CopyObjectCommand({ ...at, ...source, ...directives, CopySource, Key }));
          const seen = await described(fixture.plain, { ...at, Key }, more);
          const others = Object.entries(seen).filter(([name]) => !/^(?:ContentLength|ETag)$/.test(name));
          // Of a checksum, its algorithm.
          return Object.fromEntries(
            others.map(([name, value]) => [name, /^Checksum(?!Type)/.test(name) ? typeof value : value]),
          );
        }
      });
    }

    it(`annotations: ${how}`, async () => {
      const Key = "annotated/from";
      const s3 = fixture.client({ keyring: TEST_KEYRING });
      await s3.send(new PutObjectCommand({ Bucket: BUCKET, Key, Body: "content" }));
      const annotation = { Bucket: BUCKET, AnnotationName: "note" };
      await fixture.plain.send(new PutObjectAnnotationCommand({ ...annotation, Key, AnnotationPayload: "a text" }));
      const to = `annotated/${target}`;
      await s3.send(new CopyObjectCommand({ Bucket: BUCKET, Key: to, CopySource: `${BUCKET}/${Key}`, ...directives }));
      const { AnnotationPayload } = await fixture.plain.send(
        new GetObjectAnnotationCommand({ ...annotation, Key: to }),
      );
      expect(await AnnotationPayload?.transformToString()).to.equal("a text");
    });
  }
});
