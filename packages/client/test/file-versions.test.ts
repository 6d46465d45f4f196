import { generateKeyPairSync, randomBytes } from "node:crypto";
import { Agent } from "node:http";
import { PassThrough } from "node:stream";
import {
  GetObjectCommand,
  ListObjectVersionsCommand,
  type ListObjectVersionsCommandOutput,
  PutBucketVersioningCommand,
  PutObjectCommand,
  type S3Client,
} from "@aws-sdk/client-s3";
import {
  EncryptedDownload,
  type EncryptionCallOptions,
  S3EncryptionClient,
  type S3EncryptionOptions,
} from "@s3ec/client";
import { RawRsaKeyring } from "@s3ec/keyring-raw-rsa";
import { expect } from "chai";
import { BesideObject } from "../dist/read/beside-object.js";
import { BUCKET, Fixture, refusal } from "./fixture.js";
import { errorOf } from "./transfers.js";

const FILES: Partial<S3EncryptionOptions> = { instructionFileConfig: { enableInstructionFilePutObject: true } };
const V2: Partial<S3EncryptionOptions> = { commitmentPolicy: "FORBID_ENCRYPT_ALLOW_DECRYPT" };

describe("an object whose version is named", () => {
  let fixture: Fixture;

  before(async () => {
    fixture = await Fixture.start();
    const VersioningConfiguration = { Status: "Enabled" } as const;
    await fixture.plain.send(new PutBucketVersioningCommand({ Bucket: BUCKET, VersioningConfiguration }));
  });
  after(() => fixture.close());
  beforeEach(() => fixture.server.clearRequests());
  afterEach(() => fixture.server.faults.clear());

  /** Puts contents one after the other; gives the version of each. */
  async function putAll(Key: string, contents: readonly string[], options: Partial<S3EncryptionOptions> = FILES) {
    const versions: string[] = [];
    for (const Body of contents) {
      const put = new PutObjectCommand({ Bucket: BUCKET, Key, Body });
      const { VersionId } = await fixture.client(options).send(put);
      versions.push(VersionId ?? "");
    }
    fixture.server.clearRequests();
    return versions;
  }

  async function fileVersions(Key: string): Promise<string[]> {
    const listed = await fixture.plain.send(new ListObjectVersionsCommand({ Bucket: BUCKET, Prefix: `${Key}.` }));
    fixture.server.clearRequests();
    return (listed.Versions ?? []).map(({ VersionId = "" }) => VersionId).reverse();
  }

  async function got(
    client: S3EncryptionClient,
    params: { readonly Key: string; readonly VersionId?: string | undefined },
    call: EncryptionCallOptions = {},
  ): Promise<string> {
    const { Body } = await client.send(new GetObjectCommand({ Bucket: BUCKET, ...params }), call);
    return (await Body?.transformToString()) ?? "";
  }

  async function downloaded(
    client: S3EncryptionClient,
    params: { readonly Key: string; readonly VersionId?: string | undefined },
    call: EncryptionCallOptions = {},
  ): Promise<string> {
    const to = new PassThrough();
    const chunks = to.toArray();
    chunks.catch(() => {});
    await new EncryptedDownload({ client, params: { Bucket: BUCKET, ...params }, to, ...call }).done();
    return Buffer.concat(await chunks).toString();
  }

  function asked(): string[] {
    return fixture.server.requests.map(({ operation }) => operation);
  }

  for (const [way, read] of [
    ["got", got],
    ["downloaded", downloaded],
  ] as const) {
    it(`is ${way} by the version of its instruction file that the commitment proves (V3)`, async () => {
      const Key = `v3 ${way}`;
      const versions = await putAll(Key, ["first", "second", "third"]);
      for (const [index, content] of ["first", "second", "third"].entries()) {
        expect(await read(fixture.client(), { Key, VersionId: versions[index] })).to.equal(content);
      }
      expect(await read(fixture.client(), { Key })).to.equal("third");
    });

    it(`is ${way} by the version of its instruction file that the call names, and no other`, async () => {
      for (const [name, options] of [
        ["V3", {}],
        ["V2", V2],
      ] as const) {
        const Key = `named ${name} ${way}`;
        const [VersionId] = await putAll(Key, ["first", "second"], { ...FILES, ...options });
        const [right = "", wrong = ""] = await fileVersions(Key);
        const client = fixture.client({ ...options });
        const call = { instructionFileVersionId: right };
        expect(await read(client, { Key, VersionId }, call)).to.equal("first");
        expect(asked()).to.deep.equal(["GetObject", "GetObject"]);
        const refused = await refusal(read(client, { Key, VersionId }, { instructionFileVersionId: wrong }));
        expect(refused.code).to.equal("decryption-failed");
      }
    });

    it(`is not ${way} where nothing tells the version of its instruction file (V2), and says what is missing`, async () => {
      const Key = `v2 ${way}`;
      const [VersionId] = await putAll(Key, ["first", "second"], { ...FILES, ...V2 });
      const refused = await refusal(read(fixture.client(V2), { Key, VersionId }));
      expect(refused.code).to.equal("invalid-argument");
      expect(refused.message).to.match(/instructionFileVersionId/);
      expect(await read(fixture.client(V2), { Key })).to.equal("second");
    });

    it(`is ${way} by the wrapped key in its metadata without a look at any file`, async () => {
      const Key = `metadata ${way}`;
      const [VersionId] = await putAll(Key, ["first", "second"], V2);
      expect(await read(fixture.client(V2), { Key, VersionId })).to.equal("first");
      expect(asked()).to.deep.equal(["GetObject"]);
    });

    it(`is ${way} by the current instruction file where versions may not be listed, or says what is missing`, async () => {
      const Key = `unlisted ${way}`;
      const [old, current] = await putAll(Key, ["first", "second"]);
      fixture.server.faults.add({ operation: "ListObjectVersions", status: 403, code: "AccessDenied" });
      expect(await read(fixture.client(), { Key, VersionId: current })).to.equal("second");
      const refused = await refusal(read(fixture.client(), { Key, VersionId: old }));
      expect(refused.code).to.equal("decryption-failed");
      expect(refused.message).to.match(/s3:ListBucketVersions.*instructionFileVersionId/);
    });
  }

  it("is tried with no more than four versions of its instruction file, and then asks for the right one", async () => {
    const Key = "many";
    const [VersionId] = await putAll(Key, ["first"]);
    const stranger = new PutObjectCommand({ Bucket: BUCKET, Key: `${Key}.instruction`, Body: "{}" });
    const { VersionId: other = "" } = await fixture.plain.send(stranger);
    const [right = ""] = await fileVersions(Key);
    const client = fixture.client();
    // What is listed has no more than the stranger's, five times, before the right one.
    const listed = [other, other, other, other, other, right];
    client.middlewareStack.add(
      (next, { commandName }) =>
        async (args) => {
          const result = await next(args);
          if (commandName !== "ListObjectVersionsCommand") return result;
          const Versions = listed.map((id) => ({ Key: `${Key}.instruction`, VersionId: id }));
          return { ...result, output: { ...result.output, Versions } };
        },
      { step: "initialize", priority: "low" },
    );
    const refused = await refusal(got(client, { Key, VersionId }));
    expect(refused.message).to.match(/The 4 versions .*instructionFileVersionId/);
    expect(asked().filter((operation) => operation === "GetObject").length).to.equal(1 + 4);
    listed.splice(0, 2);
    expect(await got(client, { Key, VersionId })).to.equal("first");
  });

  it("has the versions tried that are nearest in time, on both sides, of that file alone", async () => {
    const at = (second: number): Date => new Date(1_700_000_000_000 + 1000 * second);
    const version = (Key: string, second: number) => ({ Key, VersionId: `${Key}@${second}`, LastModified: at(second) });
    const pages: Partial<ListObjectVersionsCommandOutput>[] = [
      { Versions: [90, 61, 52].map((second) => version("k.i", second)), IsTruncated: true, NextKeyMarker: "k.i" },
      {
        Versions: [...[48, 30, 1].map((second) => version("k.i", second)), version("k.i2", 50)],
        IsTruncated: true,
        NextKeyMarker: "k.i2",
      },
    ];
    let requests = 0;
    const client = { send: async () => pages[requests++] } as unknown as S3Client;
    const beside = new BesideObject(
      { Bucket: BUCKET, Key: "k" },
      { get: async () => ({ $metadata: {} }), client: () => client, signal: undefined },
    );
    const near = await beside.versionsNear(".i", at(50), 4);
    expect(near).to.deep.equal(["k.i@52", "k.i@48", "k.i@61", "k.i@30"]);
    expect(requests).to.equal(2);
  });

  it("refuses a version of an instruction file that is no text", async () => {
    await putAll("texts", ["x"]);
    const call = { instructionFileVersionId: "" };
    expect((await refusal(got(fixture.client(), { Key: "texts" }, call))).code).to.equal("invalid-argument");
  });
});

describe("a refusal of an object that may have an instruction file with another suffix", () => {
  let fixture: Fixture;

  before(async () => {
    fixture = await Fixture.start();
    const suffixed = { instructionFileConfig: { enableInstructionFilePutObject: true, suffix: ".of its writer's" } };
    const put = (Key: string, Body: string | Buffer = "x") => new PutObjectCommand({ Bucket: BUCKET, Key, Body });
    await fixture.client(suffixed).send(put("object"));
    await fixture.client(suffixed).send(put("large", randomBytes(3_000_000)));
    await fixture.client().send(put("in-metadata", randomBytes(3_000_000)));
    await fixture.plain.send(put("in-metadata.escrow"));
    await fixture.plain.send(put("plain"));
  });
  after(() => fixture.close());
  afterEach(() => fixture.server.faults.clear());

  const { publicKey, privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
  const OTHER_KEY = { keyring: new RawRsaKeyring({ publicKey, privateKey }) };

  async function refusedWith(code: string, Key: string, options: Partial<S3EncryptionOptions> = {}) {
    const client = fixture.client(options);
    const params = { Bucket: BUCKET, Key };
    const refused = await refusal(client.send(new GetObjectCommand(params)));
    const download = new EncryptedDownload({ client, params, to: new PassThrough().resume() });
    const other = await refusal(download.done());
    expect([other.code, other.message]).to.deep.equal([refused.code, refused.message]);
    expect(refused.code).to.equal(code);
    return refused.message;
  }

  it("names what is beside the object", async () => {
    for (const Key of ["object", "large"]) {
      expect(await refusedWith("not-encrypted", Key)).to.match(/end in "\.of its writer's": .*instructionFileSuffix/);
    }
    const call = { instructionFileSuffix: ".of its writer's" };
    const { Body } = await fixture.client().send(new GetObjectCommand({ Bucket: BUCKET, Key: "object" }), call);
    expect(await Body?.transformToString()).to.equal("x");
  });

  it("names it also where a wrapped key is in the metadata, for somebody else", async () => {
    expect(await refusedWith("no-matching-key", "in-metadata", OTHER_KEY)).to.match(/end in "\.escrow"/);
  });

  it("says that there is none, and where that may not be known that it is not", async () => {
    expect(await refusedWith("not-encrypted", "plain")).not.to.match(/beside it|listed/i);
    fixture.server.faults.add({ operation: "ListObjectsV2", status: 403, code: "AccessDenied" });
    expect(await refusedWith("not-encrypted", "object")).to.match(/could not be listed \(s3:ListBucket\)/);
  });

  it("does not wait for a store that does not answer what it lists", async () => {
    fixture.server.faults.add({ operation: "ListObjectsV2", delayMs: 3_600_000 });
    expect(await refusedWith("not-encrypted", "object")).to.match(/could not be listed/);
  });

  it("looks for none where instruction files are not read", async () => {
    const options = { instructionFileConfig: { disableInstructionFile: true } };
    expect(await refusedWith("not-encrypted", "object", options)).not.to.match(/listed|end in/);
  });

  it("needs no second connection while it holds the object", async () => {
    const httpAgent = new Agent({ keepAlive: true, maxSockets: 1 });
    try {
      const config = { ...fixture.server.clientConfig, requestHandler: { httpAgent }, encryption: OTHER_KEY };
      const client = fixture.track(new S3EncryptionClient(config));
      const failed = await errorOf(client.send(new GetObjectCommand({ Bucket: BUCKET, Key: "in-metadata" })));
      expect(failed.message).to.match(/end in "\.escrow"/);
    } finally {
      httpAgent.destroy();
    }
  });
});
