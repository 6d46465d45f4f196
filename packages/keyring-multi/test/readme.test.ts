import { execFile } from "node:child_process";
import { generateKeyPairSync } from "node:crypto";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { GetObjectCommand } from "@aws-sdk/client-s3";
import { S3EncryptionClient } from "@s3ec/client";
import { startDevServer } from "@s3ec/dev-server";
import { RawRsaKeyring } from "@s3ec/keyring-raw-rsa";
import { expect } from "chai";

describe("the README's example", () => {
  it("works as it stands, and the escrow key alone opens what it wrote", async () => {
    const readme = await readFile(new URL("../README.md", import.meta.url), "utf8");
    const [, code = ""] = /```js\n(.*?)```/s.exec(readme) ?? [];
    const { publicKey, privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
    await using server = await startDevServer({ buckets: ["my-bucket"] });
    server.kms.createKey({ alias: "alias/app" });
    // Inside the package, so that the example finds the packages that it imports.
    const directory = await mkdtemp(fileURLToPath(new URL("./readme-", import.meta.url)));
    try {
      await writeFile(`${directory}/example.mjs`, code);
      await writeFile(`${directory}/escrow.pub.pem`, publicKey.export({ type: "spki", format: "pem" }));
      await promisify(execFile)(process.execPath, ["example.mjs"], {
        cwd: directory,
        env: {
          ...process.env,
          AWS_ENDPOINT_URL: server.endpoint,
          AWS_REGION: server.region,
          AWS_ACCESS_KEY_ID: server.credentials.accessKeyId,
          AWS_SECRET_ACCESS_KEY: server.credentials.secretAccessKey,
        },
      });
    } finally {
      await rm(directory, { recursive: true });
    }
    server.clearRequests();
    const escrow = new S3EncryptionClient({
      ...server.clientConfig,
      encryption: { keyring: new RawRsaKeyring({ privateKey }) },
    });
    const get = new GetObjectCommand({ Bucket: "my-bucket", Key: "hello" });
    const { Body } = await escrow.send(get, { instructionFileSuffix: ".escrow" });
    expect(await Body?.transformToString()).to.equal("hello");
    expect(server.requests.filter(({ service }) => service === "kms")).to.deep.equal([]);
    escrow.destroy();
  });
});
