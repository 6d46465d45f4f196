import {
  CopyObjectCommand,
  type CopyObjectCommandInput,
  CreateBucketCommand,
  GetObjectCommand,
  PutObjectCommand,
} from "@aws-sdk/client-s3";
import type { S3EncryptionClient } from "@s3ec/client";
import { expect } from "chai";
import { BUCKET, Fixture, get, put, refusal } from "./fixture.js";

const ALIAS = `${BUCKET}-abc123-s3alias`;
const ELSEWHERE = "elsewhere-abc123-s3alias";

describe("a copy by the name of an access point", () => {
  let fixture: Fixture;
  let client: S3EncryptionClient;
  let onHead = async (): Promise<void> => {};
  before(async () => {
    fixture = await Fixture.start();
    await fixture.plain.send(new CreateBucketCommand({ Bucket: ELSEWHERE }));
    client = fixture.client();
    // As S3, which knows the bucket by the access point's name too.
    const named = (text: string) =>
      text.replace(`/${ALIAS}/`, `/${BUCKET}/`).replace(new RegExp(`^${ALIAS}/`), `${BUCKET}/`);
    client.middlewareStack.add(
      (next) => async (args) => {
        const request = args.request as { method: string; path: string; headers: Record<string, string> };
        const source = request.headers["x-amz-copy-source"];
        if (request.method === "HEAD" && request.path.includes(ALIAS)) await onHead();
        request.path = named(request.path);
        if (source !== undefined) request.headers["x-amz-copy-source"] = named(source);
        return next(args);
      },
      { step: "build" },
    );
  });
  after(() => fixture.close());
  beforeEach(() => fixture.server.clearRequests());
  afterEach(() => {
    fixture.server.faults.clear();
    onHead = async () => {};
  });

  const copy = (Bucket: string, Key: string, CopySource: string, more: Partial<CopyObjectCommandInput> = {}) =>
    client.send(new CopyObjectCommand({ Bucket, Key, CopySource, ...more }));
  const REPLACE = { MetadataDirective: "REPLACE", Metadata: { mine: "2" } } as const;
  const copies = () => fixture.server.requests.filter(({ operation }) => operation === "CopyObject").length;

  it("is refused by both names where source and target are one object", async () => {
    await client.send(put("a"));
    const before = await fixture.metadata("a");
    for (const [Bucket, source] of [
      [ALIAS, BUCKET],
      [BUCKET, ALIAS],
    ] as const) {
      for (const more of [REPLACE, {}]) {
        const error = await refusal(copy(Bucket, "a", `${source}/a`, more));
        expect([error.code, copies()]).to.deep.equal(["unsupported-operation", 0]);
        expect(error.message).to.contain("are one object under two names").and.to.contain(ALIAS);
      }
    }
    expect(await fixture.metadata("a")).to.deep.equal(before);
  });

  it("is refused where that cannot be told", async () => {
    await client.send(put("b"));
    const mrap = "arn:aws:s3::123456789012:accesspoint/mfzwi23gnjvgw.mrap";
    expect((await refusal(copy(mrap, "b", `${BUCKET}/b`))).message).to.contain("may be one object");
    onHead = async () => {
      fixture.server.faults.add({ operation: "HeadObject", key: "b", status: 403, code: "AccessDenied" });
    };
    expect((await refusal(copy(ALIAS, "b", `${BUCKET}/b`))).message).to.contain("may be one object");
    fixture.server.faults.clear();
    // Between the two looks, so that they differ.
    onHead = async () => {
      await fixture.client().send(put("b", "newer"));
    };
    expect((await refusal(copy(ALIAS, "b", `${BUCKET}/b`, REPLACE))).code).to.equal("content-mismatch");
    expect(copies()).to.equal(0);
  });

  it("goes to another key, to its own name, and to where the key is of another object or of none", async () => {
    await client.send(put("c"));
    await copy(ALIAS, "d", `${BUCKET}/c`);
    await copy(ALIAS, "c", `${ALIAS}/c`, REPLACE);
    expect((await fixture.metadata("c")).mine).to.equal("2");
    for (const stands of [false, true]) {
      if (stands) await fixture.plain.send(new PutObjectCommand({ Bucket: ELSEWHERE, Key: "c", Body: "another" }));
      await copy(ELSEWHERE, "c", `${BUCKET}/c`);
      const { Body } = await client.send(new GetObjectCommand({ Bucket: ELSEWHERE, Key: "c" }));
      expect(await Body?.transformToString()).to.equal("secret");
    }
    for (const key of ["c", "d"]) {
      expect(await (await client.send(get(key))).Body?.transformToString()).to.equal("secret");
    }
  });
});
