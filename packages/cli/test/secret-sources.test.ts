import { spawn, spawnSync } from "node:child_process";
import { createPrivateKey, randomBytes } from "node:crypto";
import { once } from "node:events";
import { copyFileSync, readFileSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { type DevServer, startDevServer } from "@s3ec/dev-server";
import { keyFilesFolder } from "@s3ec/test-vectors";
import { expect } from "chai";
import { BIN, type Outcome, start, temporaryFolder } from "./command.js";
import { inProcess as s3ec } from "./objects/in-process.js";

const ESCROW = createPrivateKey(readFileSync(join(keyFilesFolder, "pkcs8.pem")));
const PASSPHRASE = "open sesame";

/** What Secrets Manager and Parameter Store answer, as far as keys are asked for. */
class SecretStores {
  readonly versions = new Map([["v1-00000000-0000-0000-0000-000000000001", randomBytes(32).toString("base64")]]);
  #server: Server | undefined;

  async open(): Promise<Readonly<Record<string, string>>> {
    const server = createServer(async (request, response) => {
      const pieces: Buffer[] = [];
      for await (const piece of request) pieces.push(piece as Buffer);
      const input = JSON.parse(Buffer.concat(pieces).toString()) as Readonly<Record<string, string>>;
      const answer = this.#answer(String(request.headers["x-amz-target"]), input);
      response.writeHead(answer === undefined ? 400 : 200, { "content-type": "application/x-amz-json-1.1" });
      response.end(JSON.stringify(answer ?? { __type: "AccessDeniedException", message: "hunter2" }));
    });
    this.#server = server;
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    return {
      AWS_ENDPOINT_URL_SECRETS_MANAGER: url,
      AWS_ENDPOINT_URL_SSM: url,
      AWS_REGION: "eu-west-1",
      AWS_ACCESS_KEY_ID: "AKIDEXAMPLE",
      AWS_SECRET_ACCESS_KEY: "secret",
    };
  }

  async close(): Promise<void> {
    const server = this.#server;
    if (server !== undefined) await new Promise((resolve) => server.close(resolve));
  }

  #answer(target: string, input: Readonly<Record<string, string>>): object | undefined {
    if (target === "secretsmanager.GetSecretValue" && input.SecretId === "app/key") {
      const VersionId = input.VersionId ?? [...this.versions.keys()].at(-1) ?? "";
      const SecretString = this.versions.get(VersionId);
      return SecretString === undefined
        ? undefined
        : { VersionId, SecretString: JSON.stringify({ key: SecretString }) };
    }
    if (target === "AmazonSSM.GetParameter" && /^\/app\/passphrase(?::7)?$/.test(input.Name ?? "")) {
      return { Parameter: { Name: "/app/passphrase", Value: PASSPHRASE, Version: 7 } };
    }
    return undefined;
  }
}

describe("s3ec with keys and passphrases that are in no file", () => {
  const { folder, remove } = temporaryFolder();
  const stores = new SecretStores();
  let server: DevServer;
  let env: Readonly<Record<string, string>>;
  before(async () => {
    server = await startDevServer({ buckets: ["demo"] });
    env = await stores.open();
    writeFileSync(join(folder, "report"), "a report");
    const pem = ESCROW.export({ type: "pkcs8", format: "pem", cipher: "aes-256-cbc", passphrase: PASSPHRASE });
    writeFileSync(join(folder, "locked.pem"), pem, { mode: 0o600 });
  });
  after(async () => {
    await stores.close();
    await server.close();
    remove();
  });

  const configured = (name: string, keyring: object): void =>
    writeFileSync(join(folder, name), JSON.stringify({ keyring }));
  const run = (...args: string[]): Promise<Outcome> => s3ec([...args, "--dev-server", server.endpoint], folder, env);
  /** The same with something on standard input. */
  const fed = (input: string | Buffer, ...args: string[]): Promise<Outcome> => {
    const { child, outcome } = start([...args, "--dev-server", server.endpoint], folder, env, "pipe");
    child.stdin?.on("error", () => {}).end(input);
    return outcome;
  };
  const copied = (): string => readFileSync(join(folder, "copy"), "utf8");
  const done = { code: 0, stderr: "" };
  const outcomeOf = ({ code, stderr }: Outcome) => ({ code, stderr });

  it("takes a key of Secrets Manager, and stores the version of it that was read", async () => {
    const key = (more: object = {}) => ({
      wrappingKey: { secretsManager: "app/key", field: "key", ...more },
      versionDescribedAs: "version",
    });
    configured("secret.json", { type: "raw-aes", ...key() });
    const config = ["--config", "secret.json"];
    expect(outcomeOf(await run("put", "report", "s3://demo/secret", ...config))).to.deep.equal(done);
    const [first = ""] = stores.versions.keys();
    expect((await run("inspect", "s3://demo/secret")).stdout).to.contain(first);
    expect((await s3ec(["config", "check", "secret.json"], folder, env)).stdout).to.contain(`version=${first}`);

    stores.versions.set("v2-00000000-0000-0000-0000-000000000002", randomBytes(32).toString("base64"));
    const { code, stderr } = await run("get", "s3://demo/secret", "copy", ...config);
    expect(code, stderr).to.equal(6);
    configured("secret.json", { type: "raw-aes", ...key(), decryptionKeys: [key({ version: first })] });
    expect(outcomeOf(await run("get", "s3://demo/secret", "copy", ...config))).to.deep.equal(done);
    expect(copied()).to.equal("a report");
  });

  it("takes a passphrase of Parameter Store, of the version that is named", async () => {
    const passphrase = { parameterStore: "/app/passphrase", version: 7 };
    configured("parameter.json", { type: "raw-rsa", privateKey: { file: "locked.pem", passphrase } });
    for (const args of [
      ["put", "report", "s3://demo/parameter"],
      ["get", "s3://demo/parameter", "copy"],
    ]) {
      expect(outcomeOf(await run(...args, "--config", "parameter.json"))).to.deep.equal(done);
    }
    expect(copied()).to.equal("a report");
  });

  it("says which of them is not had, and nothing of what the store says", async () => {
    configured("none.json", { type: "raw-aes", wrappingKey: { secretsManager: "none" }, versionDescribedAs: "v" });
    const passphrase = { parameterStore: "/app/passphrase", version: 8 };
    configured("none-either.json", { type: "raw-rsa", privateKey: { file: "locked.pem", passphrase } });
    for (const [name, words] of [
      ["none.json", /keyring\.wrappingKey: the secret named here could not be fetched \(AccessDeniedException\)/],
      ["none-either.json", /keyring\.privateKey: passphrase: the parameter named here could not be fetched/],
    ] as const) {
      const { code, stderr } = await run("put", "report", "s3://demo/none", "--config", name);
      expect(code).to.equal(3);
      expect(stderr).to.match(words).and.not.contain("hunter2");
    }
  });

  it("stores no version of a key that has none", async () => {
    configured("file.json", {
      type: "raw-rsa",
      privateKey: { file: "locked.pem", passphrase: { env: "P" } },
      versionDescribedAs: "v",
    });
    const { code, stderr } = await s3ec(["config", "check", "file.json"], folder, { P: PASSPHRASE });
    expect(code).to.equal(3);
    expect(stderr).to.contain("expected a key of secretsManager or parameterStore, whose version versionDescribedAs");
  });

  it("takes a key from standard input, as bytes or as text", async () => {
    const key = randomBytes(32);
    configured("stdin.json", { type: "raw-aes", wrappingKey: { stdin: true } });
    const config = ["--config", "stdin.json"];
    expect(outcomeOf(await fed(key, "put", "report", "s3://demo/stdin", ...config))).to.deep.equal(done);
    expect(outcomeOf(await fed(key, "get", "s3://demo/stdin", "copy", ...config))).to.deep.equal(done);
    expect(copied()).to.equal("a report");
    configured("stdin-hex.json", { type: "raw-aes", wrappingKey: { stdin: true, encoding: "hex" } });
    const hex = `${key.toString("hex")}\n`;
    expect(outcomeOf(await fed(hex, "get", "s3://demo/stdin", "copy", "--config", "stdin-hex.json"))).to.deep.equal(
      done,
    );
    const empty = await run("get", "s3://demo/stdin", "copy", ...config);
    expect(empty.code).to.equal(3);
    expect(empty.stderr).to.contain("keyring.wrappingKey: standard input is empty");
  });

  it("takes a passphrase from standard input, and nothing else then", async () => {
    const stdin = { stdin: true };
    configured("typed.json", { type: "raw-rsa", privateKey: { file: "locked.pem", passphrase: stdin } });
    const config = ["--config", "typed.json"];
    expect(outcomeOf(await fed(`${PASSPHRASE}\n`, "put", "report", "s3://demo/typed", ...config))).to.deep.equal(done);
    expect(outcomeOf(await fed(`${PASSPHRASE}\n`, "get", "s3://demo/typed", "copy", ...config))).to.deep.equal(done);
    const wrong = await fed("close\n", "get", "s3://demo/typed", "copy", ...config);
    expect(wrong.code).to.equal(3);
    expect(wrong.stderr)
      .to.match(/the passphrase beside it does not open it/)
      .and.not.contain("close");
    const object = await fed("a report", "put", "-", "s3://demo/typed", ...config);
    expect(object.code).to.equal(3);
    expect(object.stderr).to.contain("standard input cannot be the key, since something else is read from it");
    configured("both.json", { type: "raw-rsa", privateKey: { stdin: true, passphrase: stdin } });
    const both = await fed(PASSPHRASE, "get", "s3://demo/typed", "copy", "--config", "both.json");
    expect(both.code).to.equal(3);
    expect(both.stderr).to.contain("standard input was read for another key before, to its end");
  });

  it("takes a key of the operating system's keychain", async function () {
    if (spawnSync("dbus-run-session", ["--", "gnome-keyring-daemon", "--version"]).status !== 0) {
      console.log("      skipped: a keychain takes apt-get install gnome-keyring dbus-daemon");
      return this.skip();
    }
    configured("keychain.json", {
      type: "raw-aes",
      wrappingKey: { keychain: "s3ec", account: "app", encoding: "base64" },
    });
    // A session and keychain of its own, which end with it.
    const script = `printf '\\n' | gnome-keyring-daemon --unlock --components=secrets > keychain.log 2>&1
      "$1" --input-type=module -e "$2" || exit 90
      "$1" "$3" put report s3://demo/keychain --config keychain.json --dev-server "$4" || exit 91
      "$1" "$3" get s3://demo/keychain copy --config keychain.json --dev-server "$4" || exit 92`;
    const entry = `import { AsyncEntry } from ${JSON.stringify(import.meta.resolve("@napi-rs/keyring"))};
      await new AsyncEntry("s3ec", "app").setPassword(${JSON.stringify(randomBytes(32).toString("base64"))});`;
    writeFileSync(join(folder, "copy"), "");
    const args = ["--", "sh", "-c", script, "sh", process.execPath, entry, BIN, server.endpoint];
    const child = spawn("dbus-run-session", args, {
      cwd: folder,
      env: { ...process.env, HOME: folder, XDG_DATA_HOME: folder, XDG_RUNTIME_DIR: folder },
      stdio: "ignore",
    });
    const [code] = await once(child, "close");
    expect(code).to.equal(0);
    expect(copied()).to.equal("a report");
  });

  it("writes with the key of an expired certificate, and says that it has expired", async () => {
    copyFileSync(join(keyFilesFolder, "expired-certificate.pem"), join(folder, "old.pem"));
    configured("expired.json", { type: "raw-rsa", publicKey: { file: "old.pem" } });
    const expired = /The certificate of a public key has expired on Jan .* 2001 GMT; its key is used all the same\./;
    const { code, stderr } = await run("put", "report", "s3://demo/expired", "--config", "expired.json");
    expect(code).to.equal(0);
    expect(stderr).to.match(new RegExp(`^s3ec: ${expired.source}\n$`));
    const checked = await s3ec(["config", "check", "expired.json"], folder);
    expect(checked.code).to.equal(0);
    expect(checked.stdout).to.match(new RegExp(`Look at:\n(.*\n)*.*${expired.source}`));
  });
});
