import { execFile, spawn } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { Agent } from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { promisify } from "node:util";
import { KMSClient, ListKeysCommand } from "@aws-sdk/client-kms";
import { GetObjectCommand, S3Client } from "@aws-sdk/client-s3";
import { Upload } from "@aws-sdk/lib-storage";
import { expect } from "chai";
import { startDevServer } from "../dist/index.js";
import { Bucket, bytesOf, pattern } from "./fixture.js";

const here = new URL("..", import.meta.url);

describe("a server with a key and a certificate", () => {
  let directory: string;
  let tls: { key: string; cert: string };
  before(async () => {
    directory = await mkdtemp(join(tmpdir(), "s3ec-test-"));
    const readme = await readFile(new URL("README.md", here), "utf8");
    const [, command = ""] = /```sh\n(openssl .*?)```/s.exec(readme) ?? [];
    await promisify(execFile)("sh", ["-c", command], { cwd: directory });
    const read = (name: string): Promise<string> => readFile(join(directory, name), "utf8");
    tls = { key: await read("key.pem"), cert: await read("cert.pem") };
  });
  after(() => rm(directory, { recursive: true }));

  it("serves S3 and KMS over https", async () => {
    await using server = await startDevServer({ buckets: [Bucket], tls });
    expect(server.endpoint).to.match(/^https:/);
    const requestHandler = { httpsAgent: new Agent({ ca: tls.cert, keepAlive: true }) };
    const s3 = new S3Client({ ...server.clientConfig, requestHandler });
    const body = pattern(6_000_000);
    const params = { Bucket, Key: "k", Body: Readable.from([body]) };
    const { Location } = await new Upload({ client: s3, params }).done();
    expect(Location).to.equal(`${server.endpoint}/${Bucket}/k`);
    server.faults.add({ operation: "GetObject", cutAfterBytes: 100, times: 1 });
    const cut = await s3.send(new GetObjectCommand({ Bucket, Key: "k" }));
    expect(
      await bytesOf(cut.Body).then(
        () => "whole",
        () => "cut",
      ),
    ).to.equal("cut");
    const { Body } = await s3.send(new GetObjectCommand({ Bucket, Key: "k" }));
    expect((await bytesOf(Body)).equals(body)).to.equal(true);
    const kms = new KMSClient({ ...server.clientConfig, requestHandler });
    expect((await kms.send(new ListKeysCommand())).Keys).to.deep.equal([]);
    s3.destroy();
    kms.destroy();
  });

  it("is started by the command too", async () => {
    const bin = new URL("dist/bin.js", here).pathname;
    const flags = ["--tls-key", join(directory, "key.pem"), "--tls-cert", join(directory, "cert.pem")];
    const child = spawn(process.execPath, [bin, ...flags]);
    let output = "";
    for await (const text of child.stdout) {
      output += text;
      if (output.includes("Ctrl+C")) break;
    }
    child.kill();
    expect(output).to.match(/https:\/\/127\.0\.0\.1:\d+/);
  });

  it("is not trusted by clients that do not know the certificate", async () => {
    await using server = await startDevServer({ buckets: [Bucket], tls });
    const s3 = new S3Client({ ...server.clientConfig, maxAttempts: 1 });
    const refused: unknown = await s3.send(new GetObjectCommand({ Bucket, Key: "k" })).catch((error: unknown) => error);
    expect(refused).to.have.property("code", "DEPTH_ZERO_SELF_SIGNED_CERT");
    s3.destroy();
  });
});
