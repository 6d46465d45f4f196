import { execFileSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type DevServer, startDevServer } from "@s3ec/dev-server";
import { expect } from "chai";
import { serviceSettings } from "../dist/service-options.js";
import { type Outcome, temporaryFolder } from "./command.js";
import { inProcess } from "./objects/in-process.js";

describe("where S3 is and whom it is believed", () => {
  const { folder, remove } = temporaryFolder();
  const before_ = { ...process.env };
  let server: DevServer;

  before(async () => {
    const names = ["-subj", "/CN=s3ec-dev-server", "-addext", "subjectAltName=IP:127.0.0.1"];
    const key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", join(folder, "tls.key")];
    execFileSync("openssl", ["req", "-x509", "-days", "2", ...key, ...names, "-out", join(folder, "tls.pem")], {
      stdio: "ignore",
    });
    const tls = {
      key: readFileSync(join(folder, "tls.key"), "utf8"),
      cert: readFileSync(join(folder, "tls.pem"), "utf8"),
    };
    server = await startDevServer({ tls, buckets: ["demo"], aliases: ["alias/app"], region: "eu-test-1" });
    Object.assign(process.env, {
      AWS_ACCESS_KEY_ID: server.credentials.accessKeyId,
      AWS_SECRET_ACCESS_KEY: server.credentials.secretAccessKey,
    });
    writeFileSync(join(folder, "a"), "secret");
    // A key that is made for tests.
    writeFileSync(join(folder, "app.key"), Buffer.alloc(32, 7), { mode: 0o600 });
    const aes = { keyring: { type: "raw-aes", wrappingKey: { file: "app.key" } } };
    writeFileSync(join(folder, "aes.json"), JSON.stringify(aes));
    const kms = { kms: { endpoint: server.endpoint }, keyring: { type: "kms", keyId: "alias/app" } };
    writeFileSync(join(folder, "kms.json"), JSON.stringify(kms));
  });
  after(async () => {
    for (const name of ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"]) {
      if (before_[name] === undefined) delete process.env[name];
      else process.env[name] = before_[name];
    }
    await server.close();
    remove();
  });

  const cp = (config: string, ...options: readonly string[]): Promise<Outcome> => {
    const where = ["--endpoint-url", server.endpoint, "--region", "eu-test-1"];
    return inProcess(["cp", "a", "s3://demo/a", "--config", config, ...where, ...options], folder);
  };

  it("is not believed by itself", async () => {
    expect(await cp("aes.json"))
      .to.include({ stdout: "" })
      .and.not.include({ code: 0 });
    expect(server.requests).to.have.length(0);
  });

  it("is believed by --ca-bundle, and by --no-verify-ssl", async () => {
    expect(await cp("aes.json", "--ca-bundle", "tls.pem")).to.include({ code: 0, stderr: "" });
    expect(await cp("aes.json", "--no-verify-ssl")).to.include({ code: 0, stderr: "" });
    const listed = await inProcess(
      ["ls", "s3://demo", "--endpoint-url", server.endpoint, "--region", "eu-test-1", "--ca-bundle", "tls.pem"],
      folder,
    );
    expect(listed.stdout).to.match(/ a\n$/);
  });

  it("is not by that of KMS, whose answers are keys", async () => {
    server.clearRequests();
    for (const trust of [["--no-verify-ssl"], ["--ca-bundle", "tls.pem"]]) {
      expect((await cp("kms.json", ...trust)).code).to.not.equal(0);
    }
    expect(server.requests.filter(({ operation }) => operation === "GenerateDataKey")).to.have.length(0);
    const { kms } = await serviceSettings({
      region: "eu-test-1",
      profile: "p",
      endpointUrl: server.endpoint,
      verifySsl: false,
      caBundle: join(folder, "tls.pem"),
    });
    expect(kms).to.deep.equal({ profile: "p" });
  });
});
