import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { createRequire } from "node:module";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { type DevServer, startDevServer } from "@s3ec/dev-server";
import { expect } from "chai";
import { type Outcome, temporaryFolder } from "./command.js";
import { inProcess as s3ec } from "./objects/in-process.js";

describe("s3ec tells what a service answered", () => {
  let server: DevServer;
  let temporary: ReturnType<typeof temporaryFolder>;
  let folder: string;
  let address: string;

  before(async () => {
    temporary = temporaryFolder();
    folder = temporary.folder;
    server = await startDevServer({
      buckets: ["demo"],
      aliases: ["alias/app"],
      region: "eu-west-1",
      accessKeyId: "someone",
      secretAccessKey: "pass/word",
    });
    address = server.endpoint.replace("://", "://someone:pass%2Fword@").concat("?region=eu-west-1");
    writeFileSync(join(folder, "in"), "x");
    expect((await s3ec(["put", "in", "s3://demo/x", "--dev-server", address], folder)).code).to.equal(0);
  });
  after(async () => {
    await server.close();
    temporary.remove();
  });

  const inspect = (at: string, ...more: string[]): Promise<Outcome> =>
    s3ec(["inspect", "s3://demo/x", "--dev-server", at, ...more], folder);

  it("takes region and credentials from the server's address", async () => {
    expect((await inspect(address)).code).to.equal(0);
    expect((await s3ec(["get", "s3://demo/x", "out", "--dev-server", address], folder)).code).to.equal(0);
  });

  it("takes the address that the server's command prints", async () => {
    const script = fileURLToPath(new URL("../../dev-server/dist/bin.js", import.meta.url));
    const args = ["--region", "ap-south-1", "--access-key-id", "me", "--secret-access-key", "a/b:c@d"];
    const child = spawn(process.execPath, [script, ...args], { stdio: ["ignore", "pipe", "ignore"] });
    let printed = "";
    for await (const text of child.stdout) {
      printed += text;
      if (printed.includes("Ctrl+C")) break;
    }
    const [, url = ""] = /--dev-server "([^"]+)"/.exec(printed) ?? [];
    const { code, stderr } = await s3ec(["put", "in", "s3://demo/x", "--dev-server", url], folder);
    child.kill();
    expect({ code, stderr }).to.deep.equal({ code: 0, stderr: "" });
  });

  it("refuses an address that says half of it, or something else", async () => {
    for (const [wrong, words] of [
      [address.replace(":pass%2Fword", ""), /both the access key id and the secret/],
      [address.replace("region", "regoin"), /only region=NAME/],
      [address.replace("%2F", "%ZZ"), /Percent-encode/],
    ] as const) {
      const { code, stderr } = await inspect(wrong);
      expect(stderr).to.match(words);
      expect(code).to.equal(2);
    }
  });

  for (const [name, at, words] of [
    [
      "an access key id that is not known",
      (url: string) => url.replace("someone", "else"),
      /does not know the access key id \(InvalidAccessKeyId\)/,
    ],
    ["another secret", (url: string) => url.replace("word", "sword"), /\(SignatureDoesNotMatch\)/],
    [
      "another region",
      (url: string) => url.replace("eu-west-1", "us-east-1"),
      /The bucket is in .*region.*set AWS_REGION/,
    ],
  ] as const) {
    it(`after a HEAD: ${name}`, async () => {
      const { code, stderr } = await inspect(at(address));
      expect(stderr)
        .to.match(words)
        .and.match(/^s3ec: [^\n]+\n$/);
      expect(code).to.equal(7);
    });
  }

  it("after a HEAD: a permission that is missing", async () => {
    const refused = server.faults.add({ service: "s3", key: "x", status: 403, code: "AccessDenied" });
    const { code, stderr } = await inspect(address);
    refused();
    expect(stderr).to.match(/^s3ec: S3 refused \(AccessDenied\): these credentials lack a permission/);
    expect(code).to.equal(7);
  });

  it("that the object is not there, and not that the bucket is not", async () => {
    const missing = await s3ec(["inspect", "s3://demo/none", "--dev-server", address], folder);
    expect(missing.stderr).to.equal("s3ec: There is no such object.\n");
    const bucket = await s3ec(["inspect", "s3://none/none", "--dev-server", address], folder);
    expect(bucket.stderr).to.equal("s3ec: There is no such bucket.\n");
  });

  for (const [status, headers, words] of [
    [403, {}, /S3 answered 403 Forbidden: missing permission, wrong access key id or wrong region/],
    [301, { "x-amz-bucket-region": "ap-south-1" }, /in the region ap-south-1 .*set AWS_REGION/],
    [400, { "x-amz-bucket-region": "ap-south-1" }, /in the region ap-south-1 /],
    [405, {}, /S3 answered 405 Method Not Allowed/],
  ] as const) {
    it(`a bare ${status}, which says nothing in its body`, async () => {
      const bare = createServer((_request, response) => void response.writeHead(status, headers).end());
      await new Promise<void>((resolve) => bare.listen(0, "127.0.0.1", resolve));
      const bound = bare.address();
      const port = typeof bound === "object" ? bound?.port : undefined;
      for (const args of [
        ["inspect", "s3://demo/x"],
        ["get", "s3://demo/x", "out"],
      ]) {
        const { code, stderr } = await s3ec([...args, "--dev-server", `http://127.0.0.1:${port}`], folder);
        expect(stderr)
          .to.match(words)
          .and.not.match(/Unknown/);
        expect(code).to.equal(7);
      }
      bare.close();
    });
  }

  describe("--verbose", () => {
    it("adds the causes, with the status and the request", async () => {
      const refused = server.faults.add({ service: "kms", status: 400, code: "AccessDeniedException" });
      const args = ["put", "in", "s3://demo/y", "--dev-server", address];
      const short = await s3ec(args, folder);
      const long = await s3ec([...args, "--verbose"], folder);
      refused();
      expect(short.stderr).to.match(/^s3ec: [^\n]+\n$/);
      expect(long.stderr.startsWith(short.stderr)).to.equal(true);
      expect(long.stderr).to.match(/^ {2}error: S3EncryptionError key-unavailable: /m);
      expect(long.stderr).to.match(/^ {2}caused by: AccessDeniedException \(HTTP 400, request [\w-]+\): /m);
      expect(long.code).to.equal(short.code);
    });

    it("shows no message of unknown origin, and not what decryption failed of", async () => {
      const secret = "key material in a message";
      const zod = createRequire(import.meta.resolve("@s3ec/container")).resolve("zod");
      writeFileSync(
        join(folder, "plugin.mjs"),
        `export const keyrings = [{ type: "leaky", schema: () => z.strictObject({}), create: () => { throw new Error("${secret}"); } }];
import { z } from ${JSON.stringify(pathToFileURL(zod).href)};`,
      );
      const leaky = { plugins: ["./plugin.mjs"], keyring: { type: "leaky" } };
      writeFileSync(join(folder, "leaky.json"), JSON.stringify(leaky));
      const args = ["put", "in", "s3://demo/y", "--dev-server", address, "--verbose"];
      const { stderr } = await s3ec([...args, "--config", "leaky.json"], folder);
      expect(stderr).to.match(/caused by: Error \(its message may hold a key and is not shown\)/);
      expect(stderr).to.not.contain(secret);

      const key = (name: string): void => {
        const wrappingKey = { base64: randomBytes(32).toString("base64") };
        writeFileSync(join(folder, name), JSON.stringify({ keyring: { type: "raw-aes", wrappingKey } }));
      };
      key("a.json");
      key("b.json");
      const other = ["--dev-server", address, "--config"];
      expect((await s3ec(["put", "in", "s3://demo/z", ...other, "a.json"], folder)).code).to.equal(0);
      const failed = await s3ec(["get", "s3://demo/z", "out", ...other, "b.json", "--verbose"], folder);
      expect(failed.code).to.equal(6);
      expect(failed.stderr)
        .to.match(/error: S3EncryptionError decryption-failed/)
        .and.not.match(/caused by/);
    });
  });
});
