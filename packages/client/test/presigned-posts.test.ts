import { createRequire } from "node:module";
import { S3Client, type S3ClientConfig } from "@aws-sdk/client-s3";
import { encryptS3, S3EncryptionClient } from "@s3ec/client";
import { expect } from "chai";
import { BUCKET, refusal, TEST_KEYRING } from "./fixture.js";

const CONFIG: S3ClientConfig = {
  region: "us-east-1",
  credentials: { accessKeyId: "test", secretAccessKey: "test" },
};
const encryption = { keyring: TEST_KEYRING };
const ENCRYPTING: Record<string, () => S3Client> = {
  "an S3EncryptionClient": () => new S3EncryptionClient({ ...CONFIG, encryption }),
  "a client given to encryptS3": () => encryptS3(new S3Client(CONFIG), encryption),
  "one whose configuration has an encoder of its own": () =>
    encryptS3(new S3Client({ ...CONFIG, base64Encoder: (bytes) => Buffer.from(bytes).toString("base64") }), encryption),
};

type CreatePresignedPost = (client: S3Client, options: object) => Promise<{ fields: Record<string, string> }>;

/** Of the SDK; undefined where it is not installed yet. */
function installed(): CreatePresignedPost | undefined {
  const require = createRequire(import.meta.url);
  try {
    return require("@aws-sdk/s3-presigned-post").createPresignedPost;
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "MODULE_NOT_FOUND") return undefined;
    throw error;
  }
}

describe("a presigned POST, which would let its holder store plaintext", () => {
  const policy = JSON.stringify({ expiration: "2030-01-01T00:00:00Z", conditions: [{ bucket: BUCKET }] });

  for (const [what, client] of Object.entries(ENCRYPTING)) {
    it(`is refused by ${what}`, async function () {
      const createPresignedPost = installed();
      if (createPresignedPost === undefined) return this.skip();
      const { code, message } = await refusal(
        createPresignedPost(client(), { Bucket: BUCKET, Key: "form", Conditions: [["content-length-range", 0, 9]] }),
      );
      expect(code).to.equal("unsupported-operation");
      expect(message).to.contain("plain S3Client");
    });

    it(`finds its policy not encoded by ${what}, as bytes or as text, and everything else as ever`, () => {
      const { base64Encoder } = client().config;
      for (const form of [policy, Buffer.from(policy)]) {
        expect(() => base64Encoder(form))
          .to.throw("presigned POST")
          .with.property("code", "unsupported-operation");
      }
      expect(base64Encoder(Buffer.from("digest"))).to.equal("ZGlnZXN0");
      expect(base64Encoder(new Uint8Array())).to.equal("");
    });
  }

  it("is made by a plain client as before", async function () {
    const createPresignedPost = installed();
    if (createPresignedPost === undefined) return this.skip();
    const { fields } = await createPresignedPost(new S3Client(CONFIG), { Bucket: BUCKET, Key: "form" });
    expect(fields).to.include.keys("Policy", "X-Amz-Signature");
  });
});
