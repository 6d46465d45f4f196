import type { ListPartsCommandOutput, S3Client } from "@aws-sdk/client-s3";
import { expect } from "chai";
import { MultipartUpload } from "../dist/transfer/multipart-upload.js";
import { refusal } from "./fixture.js";

describe("a list of an upload's parts", () => {
  function listed(pages: (asked: number) => Partial<ListPartsCommandOutput>): Promise<unknown> {
    let asked = 0;
    const client = {
      send: async () => {
        asked += 1;
        if (asked > 20_000) throw new Error("It never ends.");
        return pages(asked);
      },
    } as unknown as S3Client;
    const object = { input: { Bucket: "bucket", Key: "key" } };
    return new MultipartUpload(client, object as never, "u").list(AbortSignal.timeout(60_000));
  }

  const lies: Readonly<Record<string, (asked: number) => Partial<ListPartsCommandOutput>>> = {
    "goes on where it was": () => ({ IsTruncated: true, NextPartNumberMarker: "1" }),
    "goes back": (asked) => ({ IsTruncated: true, NextPartNumberMarker: String(3 - asked) }),
    "does not say where it goes on": () => ({ IsTruncated: true }),
    "goes on behind all parts that there can be": (asked) => ({
      IsTruncated: true,
      NextPartNumberMarker: String(asked),
    }),
    "has a part of no number": () => ({ IsTruncated: false, Parts: [{ ETag: "e" }] }),
    "has a part above 10,000": () => ({ IsTruncated: false, Parts: [{ PartNumber: 10_001 }] }),
  };
  for (const [what, pages] of Object.entries(lies)) {
    it(`is refused where it ${what}`, async () => {
      expect((await refusal(listed(pages))).code).to.equal("unsupported-operation");
    });
  }

  it("is read to its end", async () => {
    const pages = (asked: number): Partial<ListPartsCommandOutput> => ({
      Parts: [{ PartNumber: asked }],
      IsTruncated: asked < 3,
      NextPartNumberMarker: String(asked),
    });
    expect([...((await listed(pages)) as Map<number, unknown>).keys()]).to.deep.equal([1, 2, 3]);
  });
});
