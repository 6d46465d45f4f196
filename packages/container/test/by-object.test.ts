import { GetObjectCommand, PutObjectCommand } from "@aws-sdk/client-s3";
import { createFromConfig, explainConfiguration } from "@s3ec/container";
import { type DevServer, startDevServer } from "@s3ec/dev-server";
import { refusal } from "@s3ec/test-support";
import { expect } from "chai";

const aes = (byte: number, more: object = {}) => ({
  type: "raw-aes",
  wrappingKey: { base64: Buffer.alloc(32, byte).toString("base64") },
  ...more,
});
const kms = (name: string) => ({ type: "kms", keyId: `alias/${name}` });
const byObject = (...rules: object[]) => ({ materialsManager: { type: "by-object", rules } });

describe("a configuration whose keyring depends on bucket and prefix", () => {
  let server: DevServer;
  before(async () => {
    server = await startDevServer({ buckets: ["demo", "other"] });
  });
  after(() => server.close());

  const reads = async (keyring: object, Bucket: string, Key: string): Promise<unknown> => {
    const { client, dispose } = await createFromConfig({ keyring }, { s3: server.clientConfig });
    try {
      const { Body } = await client.send(new GetObjectCommand({ Bucket, Key }));
      return await Body?.transformToString();
    } catch (error) {
      return (error as { code?: string }).code;
    } finally {
      await dispose();
    }
  };

  it("wraps each object with the key of its rule, and refuses what none names", async () => {
    const rules = [
      { prefix: "tenant-a/", keyring: aes(1) },
      { prefix: "tenant-a/deep/", keyring: aes(2), manager: { type: "caching", maxAgeMs: 1000 } },
      { bucket: "other", prefix: "tenant-", keyring: aes(3) },
    ];
    const { client, keyring, dispose } = await createFromConfig(byObject(...rules), { s3: server.clientConfig });
    for (const [Bucket, Key, byte] of [
      ["demo", "tenant-a/x", 1],
      ["demo", "tenant-a/deep/x", 2],
      ["other", "tenant-a/x", 3],
    ] as const) {
      await client.send(new PutObjectCommand({ Bucket, Key, Body: Key }));
      const { Body } = await client.send(new GetObjectCommand({ Bucket, Key }));
      expect(await Body?.transformToString()).to.equal(Key);
      expect(await reads(aes(byte), Bucket, Key)).to.equal(Key);
      expect(await reads(aes(9), Bucket, Key)).to.equal("decryption-failed");
    }
    server.clearRequests();
    const elsewhere = client.send(new PutObjectCommand({ Bucket: "demo", Key: "tenant-b/x", Body: "b" }));
    expect((await refusal("invalid-argument", elsewhere)).message).to.match(/^No rule gives a wrapping key/);
    expect(server.requests).to.deep.equal([]);
    // There is none but those of the rules, and it says so.
    expect(keyring.wrapAlgorithms).to.deep.equal([]);
    const materials = { encryptedDataKeys: [] } as never;
    expect((await refusal("invalid-configuration", keyring.onEncrypt(materials))).message).to.match(/of its rules/);
    expect(await keyring.onDecrypt(materials, [])).to.equal(null);
    await dispose();
  });

  it("uses the file's keyring for rules without one, also inside other managers", async () => {
    const inner = byObject({ prefix: "a/", keyring: aes(1) }, {}).materialsManager;
    const materialsManager = { type: "caching", maxAgeMs: 60_000, manager: inner };
    const { client, dispose } = await createFromConfig(
      { keyring: aes(2), materialsManager },
      { s3: server.clientConfig },
    );
    for (const Key of ["a/1", "b/1", "a/2"]) {
      await client.send(new PutObjectCommand({ Bucket: "demo", Key, Body: Key }));
    }
    expect(await reads(aes(1), "demo", "a/1")).to.equal("a/1");
    expect(await reads(aes(1), "demo", "a/2")).to.equal("a/2");
    expect(await reads(aes(2), "demo", "b/1")).to.equal("b/1");
    await dispose();
  });

  it("is explained object by object", async () => {
    const { written, readers, writing, reads, warnings } = await explainConfiguration(
      byObject(
        { prefix: "a/", keyring: kms("a") },
        { bucket: "demo", keyring: { type: "kms-discovery" }, manager: { type: "caching", maxAgeMs: 5 } },
        { prefix: "m/", keyring: { type: "multi", generator: kms("m"), children: [{ keyring: aes(1), ...suffix }] } },
      ),
    );
    expect(written).to.include.members([
      `The data key of each object under "a/" is wrapped with the KMS key alias/a, stored in the object's metadata.`,
      "Nothing of the bucket demo: it can only read.",
      "For objects of the bucket demo: One data key may serve up to 1000 objects, for 5 ms; the key store is not asked for each.",
    ]);
    expect(written.join("\n"))
      .to.match(/^Objects that no rule names are refused\./m)
      .and.match(/under "m\/".*\.escrow/);
    expect(readers.join("\n")).to.match(/^With the KMS key alias\/a, for objects under "a\/": whoever has permission/m);
    expect(writing).to.include(
      'For the KMS key alias/a, for objects under "a/": permission for kms:GenerateDataKey on it.',
    );
    expect(reads).to.include('What is wrapped with the KMS key alias/a, for objects under "a/".');
    expect(warnings).to.have.lengthOf(1);
    expect(warnings[0]).to.match(/^materialsManager\.rules\[1\]\.keyring takes whichever KMS key/);
    const plain = await explainConfiguration({ keyring: kms("a"), ...byObject({}) });
    expect(plain.written[1]).to.match(
      /^The data key of each object of no other rule is wrapped with the KMS key alias\/a/,
    );
  });

  const suffix = { instructionFileSuffix: ".escrow" };
  const multi = (...children: object[]) => ({ type: "multi", generator: kms("m"), children });
  for (const [what, configuration, line] of [
    [
      "a rule without a keyring where the file has none",
      byObject({ keyring: kms("a"), bucket: "x" }, { prefix: "b/" }),
      /^ {2}materialsManager\.rules\[1\]\.keyring: expected a keyring/m,
    ],
    [
      "the same below a manager",
      { materialsManager: { type: "caching", maxAgeMs: 1, manager: byObject({}).materialsManager } },
      /^ {2}materialsManager\.manager\.rules\[0\]\.keyring: expected a keyring/m,
    ],
    ["no keyring and no rules", { materialsManager: { type: "default" } }, /^ {2}keyring: expected object, but it is/m],
    [
      "a keyring that no rule uses",
      { keyring: kms("a"), ...byObject({ prefix: "b/", keyring: kms("b") }) },
      /^ {2}keyring: expected a rule that has no keyring/m,
    ],
    [
      "two rules for the same objects",
      { keyring: kms("a"), ...byObject({}, { prefix: "" }) },
      /materialsManager: Two rules/,
    ],
    [
      "a suffix that another child of the rule's keyring has",
      byObject({ keyring: multi({ keyring: aes(1), ...suffix }, { keyring: aes(2), ...suffix }) }),
      /^ {2}materialsManager\.rules\[0\]\.keyring\.children\[1\]\.instructionFileSuffix: expected a suffix of its own/m,
    ],
    [
      "a child of a rule's keyring without a place",
      byObject({ keyring: multi({ keyring: aes(1) }) }),
      /^ {2}materialsManager\.rules\[0\]\.keyring\.children\[0\]\.instructionFileSuffix: expected a suffix/m,
    ],
    [
      "a raw key of a rule that messages have no name for",
      { ...byObject({ keyring: aes(1) }), client: { formats: [{ type: "aws-message" }] } },
      /^ {2}materialsManager\.rules\[0\]\.keyring\.messageKey: /m,
    ],
    [
      "a misspelt field of a rule",
      byObject({ keyring: kms("a"), prefx: "a/" }),
      /rules\[0\]\.prefx: .*did you mean prefix/,
    ],
  ] as const) {
    it(`refuses ${what}`, async () => {
      const { message } = await refusal("invalid-configuration", explainConfiguration(configuration));
      expect(message).to.match(line);
    });
  }

  it("has the same suffix in the keyrings of two rules", async () => {
    const keyring = multi({ keyring: aes(1), ...suffix });
    await explainConfiguration(byObject({ prefix: "a/", keyring }, { prefix: "b/", keyring }));
  });
});
