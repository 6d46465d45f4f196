import { createPublicKey } from "node:crypto";
import { readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type DevServer, startDevServer } from "@s3ec/dev-server";
import { expect } from "chai";
import { temporaryFolder } from "./command.js";
import { inProcess as s3ec } from "./objects/in-process.js";

describe("s3ec keygen", () => {
  const { folder, remove } = temporaryFolder();
  let server: DevServer;
  before(async () => {
    server = await startDevServer({ buckets: ["demo"] });
    writeFileSync(join(folder, "report"), "a report");
  });
  after(async () => {
    await server.close();
    remove();
  });

  /** The configurations that it prints, as files. */
  function configurations(stdout: string): string[] {
    return [...stdout.matchAll(/^\{\n[\s\S]*?^\}$/gm)].map(([json], index) => {
      const name = `${index}.json`;
      writeFileSync(join(folder, name), json);
      return name;
    });
  }
  async function through(writer: string, reader: string, env: Record<string, string> = {}): Promise<void> {
    const local = ["--dev-server", server.endpoint, "--config"];
    const put = await s3ec(["put", "report", "s3://demo/r", ...local, writer], folder, env);
    expect(put.stderr).to.equal("");
    expect((await s3ec(["get", "s3://demo/r", "copy", ...local, reader], folder, env)).stderr).to.equal("");
    expect(readFileSync(join(folder, "copy"), "utf8")).to.equal("a report");
  }
  const mode = (name: string): number => statSync(join(folder, name)).mode & 0o777;

  it("aes: makes a key that only its owner reads, and prints the configuration that uses it", async () => {
    const { code, stdout, stderr } = await s3ec(["keygen", "aes", "archive.key"], folder);
    expect({ code, stderr }).to.deep.equal({ code: 0, stderr: "" });
    const key = readFileSync(join(folder, "archive.key"));
    expect(key).to.have.length(32);
    if (process.platform !== "win32") expect(mode("archive.key")).to.equal(0o600);
    for (const encoding of ["hex", "base64", "base64url"] as const) {
      expect(stdout).to.not.contain(key.toString(encoding).slice(0, 12));
    }
    const [only = "", ...more] = configurations(stdout);
    expect(more).to.deep.equal([]);
    expect(JSON.parse(readFileSync(join(folder, only), "utf8")).keyring.materialDescription).to.deep.equal({
      key: "archive",
    });
    await through(only, only);
  });

  it("rsa: makes a pair, whose halves are used as it prints", async () => {
    const env = { KEY_PASSPHRASE: "open sesame" };
    const args = [
      "rsa",
      "escrow.pem",
      "--public",
      "escrow.pub.pem",
      "--bits",
      "2048",
      "--description",
      "purpose=escrow",
    ];
    const { code, stdout, stderr } = await s3ec(["keygen", ...args, "--passphrase-env", "KEY_PASSPHRASE"], folder, env);
    expect({ code, stderr }).to.deep.equal({ code: 0, stderr: "" });
    expect(stdout).to.not.contain("PRIVATE KEY").and.not.contain(env.KEY_PASSPHRASE);
    expect(readFileSync(join(folder, "escrow.pem"), "utf8")).to.match(/^-----BEGIN ENCRYPTED PRIVATE KEY-----/);
    if (process.platform !== "win32") expect(mode("escrow.pem")).to.equal(0o600);
    const printed = /-----BEGIN PUBLIC KEY-----[\s\S]*?-----END PUBLIC KEY-----\n/.exec(stdout)?.[0] ?? "";
    expect(readFileSync(join(folder, "escrow.pub.pem"), "utf8")).to.equal(printed);
    expect(createPublicKey(printed).asymmetricKeyDetails?.modulusLength).to.equal(2048);
    const [writer = "", reader = ""] = configurations(stdout);
    await through(writer, reader, env);
    const checked = await s3ec(["config", "check", writer], folder);
    expect(checked.stdout).to.contain(/SHA256:[0-9a-f]{16}/.exec(stdout)?.[0] ?? "none");
  });

  it("rsa: says where its public half goes that no option saves", async () => {
    const { stdout } = await s3ec(["keygen", "rsa", "team.pem", "--bits", "2048"], folder);
    expect(stdout).to.contain("Save it as team.pub.pem for whoever only writes");
    writeFileSync(join(folder, "team.pub.pem"), /-----BEGIN PUBLIC KEY-----[\s\S]*?KEY-----\n/.exec(stdout)?.[0] ?? "");
    const [writer = "", reader = ""] = configurations(stdout);
    await through(writer, reader);
  });

  it("writes over no file, and leaves no private key without the public half that was asked for", async () => {
    writeFileSync(join(folder, "there"), "kept");
    for (const args of [
      ["aes", "there"],
      ["rsa", "there", "--bits", "2048"],
      ["rsa", "new.pem", "--bits", "2048", "--public", "there"],
    ]) {
      const { code, stderr } = await s3ec(["keygen", ...args], folder);
      expect(code).to.equal(2);
      expect(stderr).to.match(/^s3ec: there is there already, and nothing is ever written over another file\./);
    }
    expect(readFileSync(join(folder, "there"), "utf8")).to.equal("kept");
    expect(() => statSync(join(folder, "new.pem"))).to.throw(/ENOENT/);
  });

  for (const [args, words] of [
    [["rsa", "weak.pem", "--bits", "1024"], /--bits/],
    [["rsa", "odd.pem", "--bits", "many"], /--bits/],
    [["rsa", "open.pem", "--passphrase-env", "S3EC_NOT_SET"], /S3EC_NOT_SET holds no passphrase/],
  ] as const) {
    it(`refuses ${args.join(" ")}`, async () => {
      const { code, stderr } = await s3ec(["keygen", ...args], folder);
      expect(code).to.equal(2);
      expect(stderr).to.match(words);
      expect(() => statSync(join(folder, args[1]))).to.throw(/ENOENT/);
    });
  }
});
