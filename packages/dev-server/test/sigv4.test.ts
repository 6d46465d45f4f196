import { GetObjectCommand, ListObjectsV2Command, PutObjectCommand, S3Client } from "@aws-sdk/client-s3";
import { getSignedUrl } from "@aws-sdk/s3-request-presigner";
import { HttpRequest } from "@smithy/core/protocols";
import { expect } from "chai";
import { Bucket, type Fixture, type RawRequest, refusal, sendRaw, startFixture } from "./fixture.js";

describe("signature verification", () => {
  let fixture: Fixture;
  before(async () => {
    fixture = await startFixture();
    await fixture.s3.send(new PutObjectCommand({ Bucket, Key: "k", Body: "body" }));
  });
  after(async () => fixture[Symbol.asyncDispose]());

  const get = (signing: NonNullable<RawRequest["signing"]>) => ({ method: "GET", path: `/${Bucket}/k`, signing });

  it("accepts a request signed by hand", async () => {
    expect(await sendRaw(fixture.server, get({}))).to.include({ status: 200, text: "body" });
  });

  // The clock is read when the test runs: it may be minutes after it was declared.
  const minutesFromNow = (minutes: number) => new Date(Date.now() + minutes * 60_000);
  const refused: readonly [string, () => NonNullable<RawRequest["signing"]>, string][] = [
    ["another secret", () => ({ secret: "wrong" }), "SignatureDoesNotMatch"],
    ["an unknown key id", () => ({ accessKeyId: "nobody" }), "InvalidAccessKeyId"],
    ["another region", () => ({ region: "eu-west-1" }), "AuthorizationHeaderMalformed"],
    ["another service", () => ({ service: "kms" }), "AuthorizationHeaderMalformed"],
    ["a date sixteen minutes ago", () => ({ date: minutesFromNow(-16) }), "RequestTimeTooSkewed"],
    ["a date sixteen minutes ahead", () => ({ date: minutesFromNow(16) }), "RequestTimeTooSkewed"],
    ["an unsigned x-amz- header", () => ({ leaveOut: ["x-amz-content-sha256"] }), "AccessDenied"],
    ["an unsigned host", () => ({ leaveOut: ["host"] }), "AccessDenied"],
  ];
  for (const [what, signing, code] of refused)
    it(`refuses ${what}`, async () => {
      expect((await sendRaw(fixture.server, get(signing()))).code).to.equal(code);
    });

  it("names the right region to a client of another one", async () => {
    const { text } = await sendRaw(fixture.server, get({ region: "eu-west-1" }));
    expect(text).to.include("<Region>us-west-2</Region>");
  });

  it("refuses a request without a signature, with another scheme, and with a half of one", async () => {
    const url = `${fixture.server.endpoint}/${Bucket}/k`;
    const withHeader = (authorization: string) =>
      fetch(url, { headers: { authorization, "x-amz-content-sha256": "UNSIGNED-PAYLOAD" } });
    expect((await fetch(url)).status).to.equal(403);
    expect(await (await withHeader("AWS test:abc")).text()).to.include("<Code>InvalidRequest</Code>");
    expect(await (await withHeader("AWS4-HMAC-SHA256 Credential=x")).text()).to.include("AuthorizationHeaderMalformed");
  });

  it("refuses a header that was changed or added after signing", async () => {
    const changing = new S3Client({ ...fixture.server.clientConfig, maxAttempts: 1 });
    changing.middlewareStack.add(
      (next) => async (args) => {
        if (HttpRequest.isInstance(args.request)) args.request.headers["x-amz-meta-added"] = "later";
        return next(args);
      },
      { step: "finalizeRequest", priority: "low", name: "tamper" },
    );
    const put = changing.send(new PutObjectCommand({ Bucket, Key: "tampered", Body: "x" }));
    expect(await refusal(put)).to.equal("AccessDenied 403");
    changing.destroy();
  });

  it("verifies keys and queries with characters that are escaped", async () => {
    const Key = "a b+c/é漢!'()*~%/..//end/";
    await fixture.s3.send(new PutObjectCommand({ Bucket, Key, Body: "odd" }));
    const listed = await fixture.s3.send(new ListObjectsV2Command({ Bucket, Prefix: "a b+c/é漢!'()*~%" }));
    expect(listed.Contents?.map((item) => item.Key)).to.deep.equal([Key]);
  });

  describe("of presigned URLs", () => {
    let s3: S3Client;
    before(() => {
      s3 = new S3Client({ ...fixture.server.clientConfig, requestChecksumCalculation: "WHEN_REQUIRED" });
    });
    after(() => s3.destroy());

    it("lets a URL read and write, and nothing else", async () => {
      const put = await getSignedUrl(s3, new PutObjectCommand({ Bucket, Key: "p" }));
      expect((await fetch(put, { method: "PUT", body: "presigned" })).status).to.equal(200);
      const get = await getSignedUrl(s3, new GetObjectCommand({ Bucket, Key: "p" }));
      expect(await (await fetch(get)).text()).to.equal("presigned");
      expect((await fetch(get, { method: "DELETE" })).status).to.equal(403);
      expect((await fetch(get.replace("/p?", "/k?"))).status).to.equal(403);
    });

    it("refuses an expired URL, a changed expiry and one of more than a week", async () => {
      const signingDate = new Date(Date.now() - 120_000);
      const url = await getSignedUrl(s3, new GetObjectCommand({ Bucket, Key: "k" }), { expiresIn: 60, signingDate });
      const answerTo = async (seconds: number): Promise<string> =>
        (await fetch(url.replace("X-Amz-Expires=60", `X-Amz-Expires=${seconds}`))).text();
      expect(await answerTo(60))
        .to.include("<Code>AccessDenied</Code>")
        .and.to.include("Request has expired");
      expect(await answerTo(6000)).to.include("<Code>SignatureDoesNotMatch</Code>");
      expect(await answerTo(604_801)).to.include("<Code>AuthorizationQueryParametersError</Code>");
    });

    it("refuses an x-amz- header that the URL does not sign", async () => {
      const put = await getSignedUrl(s3, new PutObjectCommand({ Bucket, Key: "p" }));
      const response = await fetch(put, { method: "PUT", body: "x", headers: { "x-amz-meta-extra": "1" } });
      expect(await response.text()).to.include("<Code>AccessDenied</Code>");
    });

    it("obeys headers in the query, such as the checksum that the SDK's default signs into a PUT", async () => {
      const put = await getSignedUrl(fixture.s3, new PutObjectCommand({ Bucket, Key: "crc" }));
      const response = await fetch(put, { method: "PUT", body: "not empty" });
      expect(await response.text()).to.include("<Code>BadDigest</Code>");
    });
  });
});
