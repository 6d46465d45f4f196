import { generateKeyPairSync, randomBytes } from "node:crypto";
import type { S3EncryptionOptions } from "@s3ec/client";
import { MultiKeyring } from "@s3ec/keyring-multi";
import { RawAesKeyring } from "@s3ec/keyring-raw-aes";
import { RawRsaKeyring } from "@s3ec/keyring-raw-rsa";
import { expect } from "chai";
import { BUCKET, Fixture, get, put, refusal } from "./fixture.js";
import { errorOf } from "./transfers.js";

const { publicKey, privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
const generator = new RawAesKeyring({ wrappingKey: randomBytes(32) });
const child = { keyring: new RawRsaKeyring({ publicKey }), instructionFileSuffix: ".escrow" };
const keyring = new MultiKeyring({ generator, children: [child] });
/** Has both keys: it shows which wrapped key was taken by what stops it. */
const both = new MultiKeyring({
  generator,
  children: [{ keyring: new RawRsaKeyring({ publicKey, privateKey }), instructionFileSuffix: ".escrow" }],
});
const escrowKey = new RawRsaKeyring({ privateKey });
const named = { instructionFileConfig: { suffix: ".escrow" } };

/** Which wrapped key is read: docs/formats.md 3.4 item 4, and S19. */
describe("the suffix of an instruction file", () => {
  let fixture: Fixture;
  before(async () => {
    fixture = await Fixture.start();
    await fixture.client({ keyring }).send(put("both", "content"));
    await fixture.client({ keyring: generator }).send(put("alone", "content"));
    await fixture.client({ keyring: new RawRsaKeyring({ publicKey }) }).send(put("owned", "content"));
  });
  after(() => fixture.close());
  afterEach(() => fixture.server.faults.clear());

  const read = async (key: string, options: Partial<S3EncryptionOptions>, suffix?: string): Promise<unknown> => {
    const call = suffix === undefined ? {} : { instructionFileSuffix: suffix };
    return (await fixture.client(options).send(get(key), call)).Body?.transformToString();
  };
  /** The file that one object has, beside another one: what a put that came between, or broke off, leaves. */
  async function exchangeFile(from: string, to: string): Promise<void> {
    const { body, metadata } = await fixture.stored(`${from}.escrow`);
    await fixture.server.putRawObject(BUCKET, `${to}.escrow`, { body, metadata });
  }

  it("named by the call means that file and no other", async () => {
    expect(await read("both", { keyring: escrowKey }, ".escrow")).to.equal("content");
    expect((await refusal(read("both", { keyring: both }, ".other"))).code).to.equal("not-encrypted");
    expect((await refusal(read("both", { keyring: generator }, ".escrow"))).code).to.equal("no-matching-key");
    await fixture.client({ keyring }).send(put("exchanged", "content"));
    await exchangeFile("both", "exchanged");
    expect((await refusal(read("exchanged", { keyring: both }, ".escrow"))).code).to.equal("decryption-failed");
  });

  it("is named where its file may not be read, and not with S3's other errors (H34)", async () => {
    const failing = async (status: number, code: string): Promise<unknown> => {
      fixture.server.faults.add({ operation: "GetObject", key: "both.escrow", status, code, times: 9 });
      const error = await errorOf(read("both", { keyring: escrowKey }, ".escrow"));
      fixture.server.faults.clear();
      return error;
    };
    const denied = await failing(403, "AccessDenied");
    expect(denied)
      .to.have.property("message")
      .that.contains('Asked for the instruction file at the object\'s key plus ".escrow"');
    const invalid = await failing(400, "InvalidRequest");
    expect(invalid).to.have.property("message").that.does.not.contain("instruction file");
  });

  it("named by the client means that file first, and the metadata's wrapped key where there is none", async () => {
    expect(await read("both", { keyring: escrowKey, ...named })).to.equal("content");
    expect(await read("owned", { keyring: escrowKey, ...named })).to.equal("content");
    const error = await refusal(read("alone", { keyring: escrowKey, ...named }));
    expect(error.code).to.equal("no-matching-key");
    expect(error.message).to.match(/no instruction file at the object's key plus "\.escrow" either/);
  });

  for (const [what, make] of Object.entries({
    "of another object": () => exchangeFile("both", "stale"),
    "of format V2": () =>
      fixture.server.putRawObject(BUCKET, "stale.escrow", {
        body: Buffer.from('{"x-amz-key-v2":"AAAA","x-amz-iv":"AAAAAAAAAAAAAAAA","x-amz-cek-alg":"AES/GCM/NoPadding"}'),
      }),
    "that is no instruction file": () =>
      fixture.server.putRawObject(BUCKET, "stale.escrow", { body: Buffer.from("a note") }),
  })) {
    it(`named by the client gives way to the metadata's wrapped key where the file is one ${what} (S19)`, async () => {
      await fixture.client({ keyring }).send(put("stale", "content"));
      await make();
      expect(await read("stale", { keyring: both, ...named })).to.equal("content");
      const { code } = await refusal(read("stale", { keyring: escrowKey, ...named }));
      expect(code).to.be.oneOf(["decryption-failed", "malformed-envelope"]);
    });
  }

  it("must be of the same content as a V2 object's metadata says (S19)", async () => {
    const v2 = { commitmentPolicy: "FORBID_ENCRYPT_ALLOW_DECRYPT", enableUncommittedChildren: true } as const;
    await fixture.client({ keyring, ...v2 }).send(put("v2/a", "content"));
    await fixture.client({ keyring, ...v2 }).send(put("v2/b", "content"));
    expect(await read("v2/a", { keyring: escrowKey, ...v2 }, ".escrow")).to.equal("content");
    await exchangeFile("v2/b", "v2/a");
    expect((await refusal(read("v2/a", { keyring: both, ...v2 }, ".escrow"))).code).to.equal("malformed-envelope");
    expect(await read("v2/a", { keyring: both, ...v2, ...named })).to.equal("content");
  });

  it("is not looked for where nobody names one and the metadata holds a wrapped key", async () => {
    fixture.server.clearRequests();
    expect(await read("both", { keyring: generator })).to.equal("content");
    expect(fixture.server.requests).to.have.length(1);
    const disabled = { instructionFileConfig: { suffix: ".escrow", disableInstructionFile: true } };
    expect(await read("both", { keyring: generator, ...disabled })).to.equal("content");
    expect(fixture.server.requests).to.have.length(2);
    expect((await refusal(read("both", { keyring: both, ...disabled }, ".escrow"))).code).to.equal("not-encrypted");
  });

  it("is named, with the permission that S3 may want, where S3 denies access (H34)", async () => {
    await fixture.server.putRawObject(BUCKET, "plain", { body: Buffer.from("x") });
    fixture.server.faults.add({
      operation: "GetObject",
      key: /\.(instruction|escrow)$/,
      status: 403,
      code: "AccessDenied",
    });
    for (const [key, options, file] of [
      ["plain", { keyring: generator }, ".instruction"],
      ["both", { keyring: escrowKey, ...named }, ".escrow"],
    ] as const) {
      const error = await errorOf(read(key, options));
      expect(error.name).to.equal("AccessDenied");
      expect(error.message).to.contain(`plus "${file}"`).and.contain("s3:ListBucket");
    }
  });
});
