import { generateKeyPairSync } from "node:crypto";
import { PutObjectCommand } from "@aws-sdk/client-s3";
import { openResponse, presignGet } from "@s3ec/client";
import { AwsMessageFormat } from "@s3ec/format-aws-message";
import { S3Format } from "@s3ec/format-s3";
import { MultiKeyring } from "@s3ec/keyring-multi";
import { RawRsaKeyring } from "@s3ec/keyring-raw-rsa";
import { expect } from "chai";
import { BUCKET, bytesOfLength, Fixture, put, refusal, TEST_KEYRING } from "./fixture.js";
import { errorOf } from "./transfers.js";

const { publicKey, privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
const escrow = new RawRsaKeyring({ publicKey, materialDescription: { purpose: "escrow" } });
const escrowKey = new RawRsaKeyring({ privateKey });
const keyring = new MultiKeyring({
  generator: TEST_KEYRING,
  children: [{ keyring: escrow, instructionFileSuffix: ".escrow" }],
});
const at = (Key: string) => ({ Bucket: BUCKET, Key });

describe("a presigned GET", () => {
  let fixture: Fixture;
  const plaintext = bytesOfLength(100_000);
  before(async () => {
    fixture = await Fixture.start();
  });
  after(() => fixture.close());

  async function textOf(response: Response, options: Parameters<typeof openResponse>[1]): Promise<string> {
    return await (await openResponse(response, options)).Body.transformToString();
  }

  it("goes as it is into the options of openResponse", async () => {
    await fixture.client({ keyring }).send(put("as-it-is", plaintext));
    const presigned = await presignGet(fixture.plain, at("as-it-is"), { instructionFileSuffix: ".escrow" });
    const answer = async (): Promise<Response> => await fetch(presigned.url);
    const { Body } = await openResponse(await answer(), { keyring: escrowKey, presigned });
    expect(Buffer.from(await Body.transformToByteArray()).equals(plaintext)).to.equal(true);
    const { instructionFile } = presigned;
    for (const options of [
      { keyring: escrowKey, presigned, instructionFile },
      { keyring: escrowKey, ...presigned },
    ]) {
      const { code, message } = await refusal(openResponse(await answer(), options));
      expect([code, /either presigned or instructionFile|^openResponse knows no/.test(message)]).to.eql([
        "invalid-argument",
        true,
      ]);
    }
  });

  it("gives the ciphertext, which openResponse decrypts; no key is used to make it", async () => {
    const client = fixture.client();
    await client.send(put("object", plaintext));
    const before = Date.now();
    const presigned = await presignGet(client, at("object"), { expiresIn: 60 });
    expect(Object.keys(presigned)).to.deep.equal(["url", "expires", "formatName"]);
    expect(Date.parse(presigned.expires)).to.be.within(before + 59_000, Date.now() + 60_000);
    expect(new URL(presigned.url).searchParams.get("X-Amz-Expires")).to.equal("60");
    const { Body, ContentLength } = await openResponse(await fetch(presigned.url), { keyring: TEST_KEYRING });
    expect(ContentLength).to.equal(plaintext.length);
    expect(Buffer.from(await Body.transformToByteArray()).equals(plaintext)).to.equal(true);
    // Any client with credentials may make it.
    const byPlain = await presignGet(fixture.plain, at("object"));
    expect(await (await fetch(byPlain.url)).arrayBuffer()).to.have.property("byteLength", plaintext.length + 16);
  });

  it("gives the instruction file that the holder's key needs", async () => {
    const client = fixture.client({ keyring });
    await client.send(put("shared"));
    const { url, instructionFile } = await presignGet(client, at("shared"), { instructionFileSuffix: ".escrow" });
    expect(instructionFile?.suffix).to.equal(".escrow");
    const options = JSON.parse(JSON.stringify({ instructionFile }));
    expect(await textOf(await fetch(url), { keyring: escrowKey, ...options })).to.equal("secret");
    expect(
      (await refusal(textOf(await fetch(url), { keyring: escrowKey, instructionFileSuffix: ".escrow" }))).code,
    ).to.equal("not-encrypted");
    const inFiles = fixture.client({ instructionFileConfig: { enableInstructionFilePutObject: true } });
    await inFiles.send(put("in-file"));
    const found = await presignGet(inFiles, at("in-file"));
    expect(found.instructionFile?.suffix).to.equal(".instruction");
    expect(
      await textOf(await fetch(found.url), {
        keyring: TEST_KEYRING,
        ...(found.instructionFile && { instructionFile: found.instructionFile }),
      }),
    ).to.equal("secret");
  });

  it("gives a recipient's annotation, and refuses one that is not there", async () => {
    const client = fixture.client({ keyring, wrapPlacement: "annotations" });
    await client.send(put("annotated"));
    const { url, annotations = {} } = await presignGet(client, at("annotated"), { recipient: "escrow" });
    expect(Object.keys(annotations)).to.deep.equal(["x-s3ec/escrow"]);
    expect(await textOf(await fetch(url), { keyring: escrowKey, annotations })).to.equal("secret");
    const other = await refusal(presignGet(client, at("annotated"), { recipient: "esc" }));
    expect(other.code).to.equal("not-encrypted");
  });

  it("takes a recipient by a suffix's dot, and gives no annotation that is none's", async () => {
    const client = fixture.client({ keyring, wrapPlacement: "annotations", describeInAnnotation: true });
    await client.send(put("dotted"));
    const { url, annotations = {} } = await presignGet(client, at("dotted"), { recipient: ".escrow" });
    expect(await textOf(await fetch(url), { keyring: escrowKey, annotations })).to.equal("secret");
    fixture.server.clearRequests();
    for (const recipient of ["about", "moving", "a/b", ""]) {
      const { code } = await refusal(presignGet(client, at("dotted"), { recipient }));
      expect([recipient, code]).to.deep.equal([recipient, "invalid-argument"]);
    }
    expect(fixture.server.requests).to.deep.equal([]);
  });

  it("fails as S3 does where annotations may not be listed", async () => {
    const client = fixture.client({ keyring, wrapPlacement: "annotations" });
    await client.send(put("unlisted"));
    fixture.server.faults.add({ operation: "ListObjectAnnotations", status: 403 });
    const error = await errorOf(presignGet(client, at("unlisted"), { recipient: "escrow" }));
    fixture.server.faults.clear();
    expect(error).to.have.nested.property("$metadata.httpStatusCode", 403);
  });

  it("is of messages, too", async () => {
    const both = new RawRsaKeyring({ publicKey, privateKey, messageKey: { namespace: "a", name: "b" } });
    const formats = [new AwsMessageFormat(), new S3Format()];
    await fixture.client({ keyring: both, formats }).send(put("message"));
    const { url, formatName } = await presignGet(fixture.plain, at("message"), { formats });
    expect(formatName).to.equal("message");
    expect(await textOf(await fetch(url), { keyring: both, formats })).to.equal("secret");
  });

  it("keeps fetch from undoing the coding that an object says of its plaintext", async () => {
    const client = fixture.client();
    const coded = { ...at("coded"), Body: "secret", ContentEncoding: "gzip" };
    await client.send(new PutObjectCommand(coded));
    const { url } = await presignGet(client, at("coded"));
    expect(new URL(url).searchParams.get("response-content-encoding")).to.equal("identity");
    const headers = { "content-encoding": "gzip" };
    const error = await refusal(openResponse(new Response("x", { headers }), { keyring: TEST_KEYRING }));
    expect(error.code).to.equal("unsupported-operation");
  });

  it("refuses what is not encrypted, and wrong options", async () => {
    await fixture.server.putRawObject(BUCKET, "plain", { body: Buffer.from("plain") });
    expect((await refusal(presignGet(fixture.plain, at("plain")))).code).to.equal("not-encrypted");
    for (const options of [{ expiresIn: 0 }, { expiresIn: 604_801 }, { expiresIn: 1.5 }, { expires: 1 }]) {
      const error = await refusal(presignGet(fixture.plain, at("plain"), options as never));
      expect(error.code).to.equal("invalid-argument");
    }
    expect((await refusal(presignGet({} as never, at("plain")))).code).to.equal("invalid-argument");
    const misspelt = { ...at("plain"), versionId: "x" };
    expect((await refusal(presignGet(fixture.plain, misspelt as never))).code).to.equal("invalid-argument");
  });

  it("is refused as S3 answers when it has expired, or was altered", async () => {
    await fixture.client().send(put("expired"));
    const { url } = await presignGet(fixture.plain, at("expired"));
    const altered = new URL(url);
    altered.searchParams.set("X-Amz-Signature", "0".repeat(64));
    const error = await refusal(openResponse(await fetch(altered), { keyring: TEST_KEYRING }));
    expect(error.code).to.equal("invalid-argument");
    expect(error.message).to.contain("403");
  });

  it("is not opened by a part, or by a body that was read", async () => {
    await fixture.client().send(put("part"));
    const { url } = await presignGet(fixture.plain, at("part"));
    const part = await fetch(url, { headers: { range: "bytes=0-3" } });
    expect((await refusal(openResponse(part, { keyring: TEST_KEYRING }))).code).to.equal("content-mismatch");
    const read = await fetch(url);
    await read.arrayBuffer();
    expect((await refusal(openResponse(read, { keyring: TEST_KEYRING }))).code).to.equal("invalid-argument");
    expect((await refusal(openResponse({} as never, { keyring: TEST_KEYRING }))).code).to.equal("invalid-argument");
    const headers = { "x-amz-missing-meta": "1" };
    const missing = await refusal(openResponse(new Response("x", { headers }), { keyring: TEST_KEYRING }));
    expect(missing.code).to.equal("content-mismatch");
  });

  it("reads metadata as the client does, also where S3 has encoded it (RFC 2047)", async () => {
    const described = new RawRsaKeyring({ publicKey, privateKey, materialDescription: { who: "Zoë" } });
    await fixture.client({ keyring: described }).send(put("described"));
    const { body, metadata } = await fixture.stored("described");
    const headers = Object.fromEntries(
      Object.entries(metadata).map(([name, value]) => [
        `X-Amz-Meta-${name}`,
        // As S3 answers what is not ASCII: the UTF-8 read as Latin-1, encoded (1.9).
        name === "x-amz-m"
          ? `=?UTF-8?B?${Buffer.from(Buffer.from('{"who":"Zoë"}').toString("latin1")).toString("base64")}?=`
          : value,
      ]),
    );
    const response = new Response(Uint8Array.from(body), { headers });
    expect(await textOf(response, { keyring: described, materialDescription: { who: "Zoë" } })).to.equal("secret");
  });
});
