import { execFileSync } from "node:child_process";
import { generateKeyPairSync, randomBytes } from "node:crypto";
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { PutObjectCommand, S3Client } from "@aws-sdk/client-s3";
import { createFromConfig } from "@s3ec/container";
import { type DevServer, startDevServer } from "@s3ec/dev-server";
import { expect } from "chai";
import { decryptFile } from "../../dist/away/decrypt-file.js";
import { encryptFile } from "../../dist/away/encrypt-file.js";
import { reportOf } from "../../dist/error-report.js";
import { type Outcome, start, temporaryFolder } from "../command.js";
import { inProcess as s3ec } from "../objects/in-process.js";

describe("objects away from S3, by s3ec", () => {
  let server: DevServer;
  let plain: S3Client;
  const { folder, remove } = temporaryFolder();
  const plaintext = randomBytes(300_000);
  const at = (name: string): string => join(folder, name);

  before(async () => {
    server = await startDevServer({ buckets: ["demo"] });
    plain = new S3Client({ ...server.clientConfig });
    const { publicKey, privateKey } = generateKeyPairSync("rsa", {
      modulusLength: 2048,
      publicKeyEncoding: { type: "spki", format: "pem" },
      privateKeyEncoding: { type: "pkcs8", format: "pem" },
    });
    writeFileSync(at("escrow.pub.pem"), publicKey);
    writeFileSync(at("escrow.pem"), privateKey, { mode: 0o600 });
    writeFileSync(at("in"), plaintext);
    const rsa = { type: "raw-rsa", materialDescription: { purpose: "escrow" } };
    const generator = { type: "raw-aes", wrappingKey: { base64: randomBytes(32).toString("base64") } };
    const child = { ...rsa, publicKey: { file: "escrow.pub.pem" } };
    configure("s3ec.config.json", {
      keyring: { type: "multi", generator, children: [{ keyring: child, instructionFileSuffix: ".escrow" }] },
    });
    configure("escrow.json", { keyring: { ...rsa, privateKey: { file: "escrow.pem" } } });
    // As for an account that is not there: neither region nor credentials.
    const encrypted = await away(
      "encrypt",
      "in",
      "-o",
      "enc",
      "--object",
      "s3://demo/it's here",
      "--metadata",
      "a=b c",
    );
    expect(encrypted.stderr).to.equal("");
    lines = encrypted.stdout.trim().split("\n");
  });
  after(async () => {
    plain.destroy();
    await server.close();
    remove();
  });

  let lines: string[];

  function configure(name: string, configuration: object): void {
    writeFileSync(at(name), JSON.stringify(configuration));
  }

  /** A command that finds no AWS, and no network that it could ask. */
  function away(...args: string[]): Promise<Outcome> {
    return s3ec(args, folder, { AWS_EC2_METADATA_DISABLED: "true", AWS_CONFIG_FILE: at("none") });
  }

  it("encrypts into ciphertext, metadata and instruction file, and prints the commands that upload them", async () => {
    expect(readFileSync(at("enc")).length).to.equal(plaintext.length + 16);
    const head = JSON.parse(readFileSync(at("enc.head.json"), "utf8"));
    expect(head.ContentLength).to.equal(plaintext.length + 16);
    expect(head.Metadata).to.include({ a: "b c", "x-amz-c": "115" });
    expect(lines[0]).to.match(/^Encrypted 300000 bytes of in\./);
    expect(lines).to.have.length(3);
    // A shell reads from them what was meant, whatever is in it.
    const asked = lines.slice(1).map((line) => {
      const said = execFileSync("sh", ["-c", `aws() { printf '%s\\0' "$@"; }; ${line}`], { encoding: "utf8" });
      const [, , ...options] = said.split("\0").slice(0, -1);
      return Object.fromEntries(
        options.flatMap((each, index) => (index % 2 === 0 ? [[each, options[index + 1]]] : [])),
      );
    });
    for (const { "--bucket": Bucket, "--key": Key, "--body": body = "", "--metadata": metadata = "{}" } of asked) {
      const Body = readFileSync(at(body));
      await plain.send(new PutObjectCommand({ Bucket, Key, Body, Metadata: JSON.parse(metadata) }));
    }
    expect(asked.map((each) => each["--key"])).to.deep.equal(["it's here", "it's here.escrow"]);
    for (const config of [[], ["--config", "escrow.json", "--suffix", ".escrow"]]) {
      const get = ["get", "s3://demo/it's here", "got", ...config, "--dev-server", server.endpoint];
      expect((await s3ec(get, folder)).stderr).to.equal("");
      expect(readFileSync(at("got")).equals(plaintext)).to.equal(true);
    }
  });

  it("writes over nothing, and leaves nothing of what failed", async () => {
    const before = readdirSync(folder);
    const { client, dispose } = await createFromConfig(at("s3ec.config.json"));
    const encrypt = async (
      file: string,
      output: string,
      more: { head?: string; metadata?: Record<string, string> },
    ) => {
      const { head = `${output}.head.json`, metadata } = more;
      const signal = new AbortController().signal;
      const to = { output: at(output), head: at(head), metadata };
      const error: unknown = await encryptFile(at(file), to, { client }, { signal, onProgress: () => {} }).catch(
        (thrown: unknown) => thrown,
      );
      return reportOf(error).exitCode;
    };
    for (const [file, output, more, code] of [
      ["in", "enc", {}, 2],
      ["in", "other", { head: "enc.head.json" }, 2],
      ["none", "other", {}, 7],
      ["in", "nowhere/other", {}, 2],
      ["in", "other", { metadata: { "x-amz-other": "x" } }, 2],
    ] as const) {
      expect(await encrypt(file, output, more), `${file} ${output}`).to.equal(code);
    }
    writeFileSync(at("fails.escrow"), "in the way");
    expect(await encrypt("in", "fails", {})).to.equal(2);
    await dispose();
    expect((await away("encrypt", "in", "-o", "-")).stderr).to.contain("--head FILE");
    expect(readdirSync(folder)).to.have.members([...before, "fails.escrow"]);
  });

  it("decrypts a file with either key, into a file that appears only when it is proven", async () => {
    for (const config of [[], ["--config", "escrow.json", "--instruction", "enc.escrow"]]) {
      const { code, stdout, stderr } = await away("decrypt", "enc", "--head", "enc.head.json", "-o", "out", ...config);
      expect({ code, stdout, stderr }).to.deep.equal({
        code: 0,
        stdout: "Decrypted 300000 bytes of enc into out.\n",
        stderr: "",
      });
      expect(readFileSync(at("out")).equals(plaintext)).to.equal(true);
      rmSync(at("out"));
    }
    const altered = readFileSync(at("enc"));
    altered[0] = (altered[0] ?? 0) ^ 1;
    writeFileSync(at("altered"), altered);
    writeFileSync(at("short"), readFileSync(at("enc")).subarray(1));
    const { client, dispose } = await createFromConfig(at("s3ec.config.json"));
    const signal = new AbortController().signal;
    for (const [file, code] of [
      ["altered", 6],
      ["short", 6],
      ["none", 7],
    ] as const) {
      const decrypting = decryptFile(
        at(file),
        at("out"),
        { client, head: at("enc.head.json") },
        { signal, onProgress: () => {} },
      );
      const error: unknown = await decrypting.catch((thrown: unknown) => thrown);
      expect(reportOf(error).exitCode, file).to.equal(code);
      expect(existsSync(at("out"))).to.equal(false);
    }
    await dispose();
    expect(readdirSync(folder).filter((name) => name.startsWith("."))).to.deep.equal([]);
  });

  it("reads standard input and writes standard output, nothing of it before it is proven", async () => {
    const run = async (name: string): Promise<Outcome & { readonly bytes: Buffer }> => {
      const { child, outcome } = start(["decrypt", "-", "--head", "enc.head.json"], folder, {}, "pipe");
      const pieces: Buffer[] = [];
      child.stdout?.on("data", (piece: Buffer) => pieces.push(piece));
      child.stdin?.on("error", () => {});
      child.stdin?.end(readFileSync(at(name)));
      return { ...(await outcome), bytes: Buffer.concat(pieces) };
    };
    const good = await run("enc");
    expect(good.stderr).to.equal("Decrypted 300000 bytes of standard input into standard output.\n");
    expect(good.bytes.equals(plaintext)).to.equal(true);
    const bad = await run("altered");
    expect(bad.code).to.equal(6);
    expect(bad.bytes.length).to.equal(0);
  });

  it("says what is missing", async () => {
    for (const [args, code, text] of [
      [["decrypt", "enc"], 4, /name that with --head\.$/m],
      [["decrypt", "enc", "--head", "enc.head.json", "--config", "escrow.json"], 5, /name it with --instruction/],
      [["decrypt", "-", "--head", "-"], 2, /Standard input can have the object or its head/],
      [["decrypt", "enc", "--presigned", "in"], 2, /not what s3ec presign --json printed/],
    ] as const) {
      const { code: exited, stdout, stderr } = await away(...args);
      expect(stderr)
        .to.match(text)
        .and.match(/^s3ec: /);
      expect(stdout).to.equal("");
      expect(exited).to.equal(code);
    }
  });

  it("presigns a GET, whose holder decrypts it with a key, and says what that gives away", async () => {
    const presign = ["presign", "s3://demo/it's here", "--expires-in", "60", "--dev-server", server.endpoint];
    const { stdout: url, stderr } = await s3ec(presign, folder);
    expect(stderr).to.match(/^Until 20\S+Z whoever has this URL gets the ciphertext and its length/);
    const answer = await fetch(url.trim());
    writeFileSync(at("fetched"), Buffer.from(await answer.arrayBuffer()));
    const headers = [...answer.headers].map(([name, value]) => `${name}: ${value}`);
    writeFileSync(at("headers"), ["HTTP/1.1 200 OK", ...headers, "", ""].join("\r\n"));
    const json = await s3ec([...presign, "--suffix", ".escrow", "--json"], folder);
    writeFileSync(at("presigned.json"), json.stdout);
    expect(json.stderr).to.contain("--presigned");
    for (const more of [[], ["--config", "escrow.json", "--presigned", "presigned.json"]]) {
      const { code } = await away("decrypt", "fetched", "--head", "headers", "-o", "out", ...more);
      expect(code).to.equal(0);
      expect(readFileSync(at("out")).equals(plaintext)).to.equal(true);
    }
    const put = await s3ec([...presign, "--method", "put"], folder);
    expect(put).to.include({ code: 4, stdout: "" });
    expect(put.stderr).to.contain("would store plaintext");
  });

  it("decrypts what cannot be proven only by that switch, and says so", async () => {
    const { loadKeys, loadVectors, readBody } = await import("@s3ec/test-vectors");
    const vector = loadVectors().find(
      (each) =>
        each.instructionFiles === undefined &&
        each.expect === undefined &&
        each.switches.includes("legacy-content") &&
        loadKeys()[each.material]?.kind === "aes",
    );
    if (vector === undefined) throw new Error("There is no such vector.");
    const key = loadKeys()[vector.material];
    writeFileSync(at("cbc"), readBody(vector));
    writeFileSync(at("cbc.head.json"), JSON.stringify({ Metadata: vector.metadata }));
    const wrappingKey = { base64: key?.kind === "aes" ? key.base64 : "" };
    const client = { commitmentPolicy: "REQUIRE_ENCRYPT_ALLOW_DECRYPT", enableLegacyWrappingAlgorithms: true };
    for (const [enableLegacyUnauthenticatedModes, code, said] of [
      [false, 4, /enableLegacyUnauthenticatedModes/],
      [true, 0, /Nothing can tell whether it was altered/],
    ] as const) {
      const keyring = { type: "raw-aes", wrappingKey };
      configure("legacy.json", { keyring, client: { ...client, enableLegacyUnauthenticatedModes } });
      const args = ["decrypt", "cbc", "--head", "cbc.head.json", "-o", "cbc.out", "--config", "legacy.json"];
      const { code: exited, stdout, stderr } = await away(...args);
      expect(`${stdout}${stderr}`).to.match(said);
      expect(exited).to.equal(code);
    }
  });
});
