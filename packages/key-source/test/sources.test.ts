import { execFileSync, spawn } from "node:child_process";
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { refusal } from "@s3ec/test-support";
import { expect } from "chai";
import { fileContent } from "../dist/file-content.js";
import { type KeySource, type LoadKeyOptions, loadKey } from "../dist/index.js";

const KEY = Buffer.from(Array.from({ length: 32 }, (_, index) => 200 - index));
const JWK = JSON.stringify({ kty: "oct", k: KEY.toString("base64url") });

async function bytesOf(source: KeySource, options: Partial<LoadKeyOptions> = {}): Promise<Buffer> {
  return (await loadKey(source, { type: "aes", ...options })).export();
}

async function problem(source: KeySource, options: Partial<LoadKeyOptions> = {}): Promise<string> {
  const { message, cause } = await refusal("invalid-argument", loadKey(source, { type: "aes", ...options }));
  expect(cause).to.equal(undefined);
  return message.replace("The key cannot be loaded: ", "");
}

describe("a place of a key", () => {
  let folder: string;
  before(() => {
    folder = mkdtempSync(join(tmpdir(), "s3ec-keys-"));
  });
  after(() => rmSync(folder, { recursive: true }));

  it("is bytes, hex, base64 of either alphabet, or a JWK", async () => {
    for (const bytes of [KEY, KEY.toString("hex"), `${KEY.toString("base64")}\n`, KEY.toString("base64url"), JWK]) {
      const encoding = typeof bytes === "string" && bytes !== JWK && /^[0-9a-f]+$/.test(bytes) ? "hex" : "base64";
      const said = bytes === KEY || bytes === JWK ? {} : ({ encoding } as const);
      expect(await bytesOf({ bytes, ...said })).to.deep.equal(KEY);
    }
  });

  it("is a key where it has the length of one, whatever its first bytes look like", async () => {
    for (const head of ["7b22", "feedfeed", "cececece"]) {
      const bytes = Buffer.concat([Buffer.from(head, "hex"), KEY]).subarray(0, 32);
      expect(await bytesOf({ bytes })).to.deep.equal(bytes);
    }
  });

  it("leaves the bytes that it was given alone", async () => {
    const bytes = Buffer.from(KEY);
    await bytesOf({ bytes });
    expect(bytes).to.deep.equal(KEY);
  });

  it("is a file, which others should not be able to read", async function () {
    if (process.platform === "win32") this.skip();
    const warnings: string[] = [];
    const options = { folder, onWarning: (sentence: string) => warnings.push(sentence) };
    writeFileSync(join(folder, "aes.key"), KEY, { mode: 0o600 });
    expect(await bytesOf({ file: "aes.key" }, options)).to.deep.equal(KEY);
    expect(warnings).to.deep.equal([]);
    chmodSync(join(folder, "aes.key"), 0o644);
    await bytesOf({ file: "aes.key" }, options);
    expect(warnings).to.deep.equal([
      "The key file aes.key can be read by other users of this machine: chmod 600 aes.key",
    ]);
  });

  it("is a device or a named pipe, read no further than a key is long and waited for no longer than a command", async function () {
    if (process.platform === "win32") this.skip();
    expect(await problem({ file: "/dev/zero" })).to.equal("the file named here is too large for a key.");
    const pipe = join(folder, "pipe");
    execFileSync("mkfifo", ["-m", "600", pipe]);
    const { message } = await fileContent(pipe, 100).then(
      () => expect.fail(),
      (error: Error) => error,
    );
    expect(message).to.equal("what the file named here holds did not come within 100 ms");
    // Opened late, and written in two pieces.
    const script = `sleep 0.2; { printf %s ${KEY.toString("hex").slice(0, 9)}; sleep 0.2; printf %s ${KEY.toString("hex").slice(9)}; } > "$0"`;
    const writer = spawn("sh", ["-c", script, pipe]);
    const { bytes } = await fileContent(pipe, 10_000);
    expect(bytes.toString()).to.equal(KEY.toString("hex"));
    writer.kill();
  });

  it("is what another program writes to a pipe that the shell made, or to standard input by its name", async function () {
    if (process.platform === "win32") this.skip();
    const index = new URL("../dist/index.js", import.meta.url).href;
    const program = `import { loadKey } from ${JSON.stringify(index)};
      const key = await loadKey({ file: process.argv[1] }, { type: "text", onWarning: () => {} });
      process.stdout.write(key.export());`;
    const read = `"$0" --input-type=module -e "$1"`;
    for (const line of [`${read} <(sleep 0.2; echo secret)`, `(sleep 0.2; echo secret) | ${read} /dev/stdin`]) {
      const output = execFileSync("bash", ["-c", line, process.execPath, program], { encoding: "utf8" });
      expect(output).to.equal("secret");
    }
  });

  it("is standard input, for one key", async () => {
    const stdin = Readable.from([KEY.subarray(0, 5), KEY.subarray(5)]);
    expect(await bytesOf({ stdin: true }, { stdin })).to.deep.equal(KEY);
    expect(await problem({ stdin: true }, { stdin })).to.match(/^standard input was read for another key before/);
    expect(await problem({ stdin: true }, { stdin: false })).to.match(/something else is read from it\.$/);
    expect(await problem({ stdin: true }, { stdin: Readable.from([]) })).to.equal("standard input is empty.");
  });

  it("is what a command prints, run without a shell", async () => {
    const script = "process.stdout.write(Buffer.from(process.argv[1], 'hex'))";
    const command = [process.execPath, "-e", script, KEY.toString("hex")];
    expect(await bytesOf({ command }, { allowCommands: true, folder })).to.deep.equal(KEY);
    const text = { command: [process.execPath, "-p", "process.argv[1]", "$(id); *"] };
    const secret = await loadKey(text, { type: "text", allowCommands: true });
    expect(secret.export().toString()).to.equal("$(id); *");
  });

  const COMMANDS: readonly [string, string[], RegExp][] = [
    ["fails", [process.execPath, "-e", "console.error('hunter2'); process.exit(3)"], /failed with exit code 3\.$/],
    ["prints nothing", [process.execPath, "-e", "0"], /printed nothing\.$/],
    ["is not there", ["s3ec-no-such-program"], /is not found\.$/],
    ["has no program", [""], /expected the command as an array/],
  ];
  for (const [what, command, words] of COMMANDS) {
    it(`says that a command ${what}`, async () => {
      const message = await problem({ command }, { allowCommands: true });
      expect(message).to.match(words).and.not.contain("hunter2");
    });
  }

  it("ends a command that does not end itself", async () => {
    const command = [process.execPath, "-e", "setInterval(() => {}, 1000)"];
    const message = await problem({ command, timeoutMs: 300 }, { allowCommands: true });
    expect(message).to.equal("the command named here did not end within 300 ms.");
  });

  it("runs no command unless the caller allows it", async () => {
    const mark = join(folder, "ran");
    const command = [process.execPath, "-e", `require("fs").writeFileSync(${JSON.stringify(mark)}, "")`];
    expect(await problem({ command })).to.match(/^commands are run only where the caller allows it/);
    expect(await problem({ base64: "AA==", passphrase: { command } })).to.match(/^passphrase: commands are run only/);
    expect(await problem({ file: "ran" }, { folder })).to.equal("the file named here does not exist.");
  });

  const WRONG: readonly [string, KeySource, RegExp][] = [
    ["none", {} as KeySource, /^expected exactly one of file, env, base64, bytes, stdin, command,/],
    ["two", { file: "a", env: "b" } as KeySource, /^expected exactly one of/],
    ["a passphrase of no keystore", { bytes: KEY, passphrase: { env: "P" } }, /none is made of one here/],
    ["a JWK of another kind", { bytes: JWK.replace("oct", "RSA") }, /but this is no JWK of an AES key/],
    ["a JWK for signatures", { bytes: JWK.replace("{", '{"use":"sig",') }, /use or key_ops do not allow it/],
    ["a JWK that is too short", { bytes: JWK.replace(/k":".{8}/, 'k":"') }, /but this one has 26\.$/],
    ["a JWK that breaks off", { bytes: JWK.slice(0, -1) }, /looks like a JWK, but is no JSON/],
  ];
  for (const [what, source, words] of WRONG) {
    it(`is refused: ${what}`, async () => {
      expect(await problem(source, { env: { P: "x" } }))
        .to.match(words)
        .and.not.contain(KEY.toString("base64url"));
    });
  }

  it("is refused where its type or an option is not known", async () => {
    await refusal("invalid-argument", loadKey({ bytes: KEY }, { type: "rsa" as "aes" }));
    await refusal(
      "invalid-argument",
      loadKey({ bytes: KEY }, { type: "aes", fodler: "." } as unknown as LoadKeyOptions),
    );
  });
});

describe("a key in AWS's secret stores", () => {
  const requests: { target: string; input: Record<string, unknown> }[] = [];
  const answers: Record<string, (input: Record<string, unknown>) => object | undefined> = {
    "secretsmanager.GetSecretValue": ({ SecretId, VersionId }) => {
      if (SecretId === "binary") return { SecretBinary: KEY.toString("base64") };
      if (SecretId === "fields") return { SecretString: JSON.stringify({ key: KEY.toString("base64"), n: 1 }) };
      if (SecretId === "text")
        return { SecretString: VersionId === "old" ? Buffer.alloc(32, 7).toString("base64") : JWK };
      return undefined;
    },
    "AmazonSSM.GetParameter": ({ Name, WithDecryption }) =>
      WithDecryption === true && (Name === "/app/key" || Name === "/app/key:3")
        ? { Parameter: { Name, Value: KEY.toString("base64") } }
        : undefined,
  };
  let server: Server;
  let options: Pick<LoadKeyOptions, "aws">;

  before(async () => {
    server = createServer(async (request, response) => {
      const pieces: Buffer[] = [];
      for await (const piece of request) pieces.push(piece as Buffer);
      const target = String(request.headers["x-amz-target"]);
      const input = JSON.parse(Buffer.concat(pieces).toString()) as Record<string, unknown>;
      requests.push({ target, input });
      const answer = answers[target]?.(input);
      response.writeHead(answer === undefined ? 400 : 200, { "content-type": "application/x-amz-json-1.1" });
      response.end(JSON.stringify(answer ?? { __type: "ResourceNotFoundException", message: "hunter2" }));
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const { port } = server.address() as AddressInfo;
    const credentials = { accessKeyId: "AKIDEXAMPLE", secretAccessKey: "secret" };
    options = { aws: { endpoint: `http://127.0.0.1:${port}`, region: "eu-west-1", credentials, maxAttempts: 1 } };
  });
  after(() => new Promise((resolve) => server.close(resolve)));

  const SOURCES: readonly KeySource[] = [
    { secretsManager: "binary" },
    { secretsManager: "text" },
    { secretsManager: "fields", field: "key" },
    { parameterStore: "/app/key" },
    { parameterStore: "/app/key", version: 3 },
  ];
  for (const source of SOURCES) {
    it(`is read: ${JSON.stringify(source)}`, async () => {
      expect(await bytesOf(source, options)).to.deep.equal(KEY);
    });
  }

  it("is of the version that is named", async () => {
    expect(await bytesOf({ secretsManager: "text", version: "old" }, options)).to.deep.equal(Buffer.alloc(32, 7));
  });

  const WRONG: readonly [KeySource, RegExp][] = [
    [{ secretsManager: "none" }, /^the secret named here could not be fetched \(ResourceNotFoundException\)\.$/],
    [{ parameterStore: "none" }, /^the parameter named here could not be fetched \(ResourceNotFoundException\)\.$/],
    [{ secretsManager: "fields", field: "n" }, /no JSON object that has this field with a text/],
    [{ secretsManager: "fields", field: "toString" }, /no JSON object that has this field with a text/],
    [{ secretsManager: "binary", field: "key" }, /no JSON object that has this field with a text/],
  ];
  for (const [source, words] of WRONG) {
    it(`says why there is none: ${JSON.stringify(source)}`, async () => {
      expect(await problem(source, options))
        .to.match(words)
        .and.not.contain("hunter2");
    });
  }

  for (const [source, words] of [
    [{ file: "a.p12", alais: "x" }, /expected no field "alais" here: did you mean alias\?/],
    [
      { env: "KEY", timeoutMs: 5 },
      /expected no field "timeoutMs" here: known beside env are passphrase, keyPassphrase/,
    ],
    [{ secretsManager: "s", fields: "f" }, /expected no field "fields" here: did you mean field\?/],
    [{ file: "a", env: "B" }, /expected exactly one of file, env,/],
    [{}, /expected exactly one of file, env,/],
    ["a.key", /expected exactly one of file, env,/],
    [{ file: "a.p12", passphrase: { env: "P", file: "p" } }, /passphrase: expected exactly one of/],
    [{ file: "a.p12", passphrase: { env: "P", vault: "p" } }, /passphrase: expected no field "vault" here/],
  ] as const) {
    it(`is refused as ${JSON.stringify(source)}`, async () => {
      expect(await problem(source as never)).to.match(words);
    });
  }

  it("is asked for with the kind of key that is wanted", async () => {
    for (const options of [undefined, null, {}, { type: "rsa" }, { type: "constructor" }]) {
      const { message } = await refusal("invalid-argument", loadKey({ bytes: KEY }, options as never));
      expect(message).to.match(
        /^Say what kind of key is wanted, as in loadKey\(source, \{ type: "rsa-private" \}\): one of/,
      );
    }
  });
});
