import { GetObjectCommand, PutObjectCommand, S3Client } from "@aws-sdk/client-s3";
import { EncryptedUpload, encryptS3, S3EncryptionClient } from "@s3ec/client";
import { type AwsClientStub, mockClient } from "aws-sdk-client-mock";
import { expect } from "chai";
import { Fixture, get, put, refusal, TEST_KEYRING } from "./fixture.js";

const CONFIGURATION = { region: "eu-central-1", credentials: { accessKeyId: "a", secretAccessKey: "b" } };

describe("a client that is mocked with aws-sdk-client-mock", () => {
  const encryption = { keyring: TEST_KEYRING };
  const client = (): S3EncryptionClient => new S3EncryptionClient({ ...CONFIGURATION, encryption });
  let mock: { restore(): void } | undefined;
  afterEach(() => mock?.restore());

  async function expectMocked(s3: S3EncryptionClient, stub: AwsClientStub<S3EncryptionClient>): Promise<void> {
    mock = stub;
    stub.on(PutObjectCommand).resolves({ ETag: "put" }).on(GetObjectCommand, { Key: "a" }).resolves({ ETag: "got" });
    const encryptionContext = { tenant: "a" };
    expect((await s3.send(put("a", "secret"), { encryptionContext })).ETag).to.equal("put");
    expect((await s3.send(get("a"))).ETag).to.equal("got");
    const [call] = stub.commandCalls(PutObjectCommand);
    // What a test asserts is what its code asked for.
    expect(call?.args[0].input).to.include({ Key: "a", Body: "secret" });
    expect(call?.args).to.deep.include({ encryptionContext });
  }

  it("answers as the test says: the class", async () => {
    const stub = mockClient(S3EncryptionClient);
    await expectMocked(client(), stub);
  });

  it("answers as the test says: one client", async () => {
    const s3 = client();
    await expectMocked(s3, mockClient(s3));
  });

  it("answers as the test says: a client given to encryptS3", async () => {
    const s3 = encryptS3(new S3Client(CONFIGURATION), encryption);
    const stub = mockClient(s3);
    mock = stub;
    stub.on(GetObjectCommand).resolves({ ETag: "got" });
    expect((await s3.send(get("a"), { encryptionContext: { tenant: "a" } })).ETag).to.equal("got");
  });

  it("answers what an EncryptedUpload sends, too, where the class S3Client is mocked", async () => {
    const stub = mockClient(S3Client);
    mock = stub;
    stub.on(PutObjectCommand).resolves({ ETag: "put" });
    expect((await client().send(put("a"))).ETag).to.equal("put");
    const misspelt = client().send(put("a"), { encryptionContexts: { tenant: "a" } } as never);
    expect((await refusal(misspelt)).code).to.equal("invalid-argument");
    const params = { Bucket: "bucket", Key: "uploaded", Body: "secret" };
    expect((await new EncryptedUpload({ client: client(), params }).done()).ETag).to.equal("put");
    const [sent] = stub.commandCalls(PutObjectCommand, { Key: "uploaded" });
    expect(sent?.args[0].input.Metadata).to.include({ "x-amz-c": "115" });
  });

  it("is seen by its very input where a test asks for no more than that", async () => {
    for (const Class of [S3EncryptionClient, S3Client]) {
      const stub = mockClient(Class);
      mock = stub;
      const input = { Bucket: "bucket", Key: "strict" };
      stub.on(GetObjectCommand, input, true).resolves({ ETag: "strict" });
      const { ETag } = await client().send(new GetObjectCommand(input), { encryptionContext: { tenant: "a" } });
      expect(ETag, Class.name).to.equal("strict");
      stub.restore();
    }
  });

  it("encrypts again once it is mocked no more", async () => {
    const fixture = await Fixture.start();
    try {
      const s3 = fixture.track(encryptS3(new S3Client(fixture.server.clientConfig), encryption));
      mockClient(s3).restore();
      await s3.send(put("restored", "secret"));
      expect(await fixture.metadata("restored")).to.include({ "x-amz-c": "115" });
    } finally {
      await fixture.close();
    }
  });

  it("writes nothing in the clear where a mock from before encryptS3 is taken away", async () => {
    const fixture = await Fixture.start();
    try {
      const plain = fixture.track(new S3Client(fixture.server.clientConfig));
      const stub = mockClient(plain);
      encryptS3(plain, encryption);
      stub.restore();
      expect((await refusal(plain.send(put("mocked-before", "secret")))).code).to.equal("unsupported-operation");
      expect(await fixture.keys("mocked-before")).to.deep.equal([]);
    } finally {
      await fixture.close();
    }
  });
});
