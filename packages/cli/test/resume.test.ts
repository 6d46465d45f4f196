import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { ListPartsCommand, S3Client } from "@aws-sdk/client-s3";
import { type DevServer, startDevServer } from "@s3ec/dev-server";
import { expect } from "chai";
import { start, temporaryFolder } from "./command.js";
import { inProcess as s3ec } from "./objects/in-process.js";

describe("s3ec put --resume", () => {
  const content = Buffer.alloc(12 * 1024 * 1024, "every part is another one; ");
  let temporary: ReturnType<typeof temporaryFolder>;
  let folder: string;
  let server: DevServer;
  let common: readonly string[];
  let env: Readonly<Record<string, string>>;

  before(async () => {
    temporary = temporaryFolder();
    folder = join(temporary.folder, "here");
    mkdirSync(folder);
    env = { XDG_CONFIG_HOME: join(temporary.folder, "config") };
    server = await startDevServer({ buckets: ["demo"], fsync: false });
    writeFileSync(join(folder, "app.key"), Buffer.alloc(32, 5), { mode: 0o600 });
    const keyring = { type: "raw-aes", wrappingKey: { file: "app.key" } };
    writeFileSync(join(folder, "aes.json"), JSON.stringify({ keyring }));
    writeFileSync(join(folder, "in"), content);
    const { endpoint } = server.clientConfig;
    common = ["--config", "aes.json", "--dev-server", String(endpoint)];
  });
  after(async () => {
    await server.close();
    temporary.remove();
  });
  afterEach(() => server.faults.clear());

  /** Parts are sent side by side: the third may come before the others are stored. */
  async function storedParts(): Promise<number> {
    const client = new S3Client(server.clientConfig);
    const named = server.openUploads.map(({ uploadId }) => ({ Bucket: "demo", Key: "x", UploadId: uploadId }));
    try {
      const listed = await Promise.all(named.map((upload) => client.send(new ListPartsCommand(upload))));
      return listed.flatMap(({ Parts = [] }) => Parts).length;
    } finally {
      client.destroy();
    }
  }

  /** Has a put end by a signal while its third part is under way, and the others are stored. */
  async function ended(signal: "SIGKILL" | "SIGINT"): Promise<string> {
    const pause = server.faults.pause({ operation: "UploadPart", partNumber: 3 });
    const { child, outcome } = start(["put", "in", "s3://demo/x", "--resume", ...common], folder, env);
    await Promise.race([pause.reached, outcome]);
    while (child.exitCode === null && (await storedParts()) < 2) await delay(20);
    child.kill(signal);
    const { stderr } = await outcome;
    pause.release();
    return stderr;
  }

  it("goes on after kill -9", async () => {
    await ended("SIGKILL");
    expect(readdirSync(folder)).to.include("in.s3ec-upload");
    const { code, stderr } = await s3ec(["put", "in", "s3://demo/x", "--resume", ...common], folder, env);
    expect(stderr).to.match(/^s3ec: Going on with [1-9]\d+ bytes that an earlier upload has sent\.\n$/);
    expect(code).to.equal(0);
    expect(readdirSync(folder)).to.have.members(["aes.json", "app.key", "in"]);
    await s3ec(["get", "s3://demo/x", "../out", ...common], folder, env);
    expect(readFileSync(join(temporary.folder, "out")).equals(content)).to.equal(true);
    expect(server.openUploads).to.deep.equal([]);
  });

  it("says, interrupted, how to go on and how to clean up, which --discard does", async () => {
    expect(await ended("SIGINT")).to.include("--discard");
    expect(server.openUploads.length).to.equal(1);
    const { code, stdout } = await s3ec(["put", "in", "s3://demo/x", "--discard", ...common], folder, env);
    expect(code).to.equal(0);
    expect(stdout).to.include("Removed");
    expect(server.openUploads).to.deep.equal([]);
    expect(readdirSync(folder)).to.have.members(["aes.json", "app.key", "in"]);
    const again = await s3ec(["put", "in", "s3://demo/x", "--discard", ...common], folder, env);
    expect(again.stderr).to.include(
      "There is nothing to discard: in.s3ec-upload is no state of an upload, or is not there.",
    );
  });

  it("says in options of its own what keeps a state from being kept", async () => {
    const name = "n".repeat(250);
    writeFileSync(join(folder, name), content);
    const long = await s3ec(["put", name, "s3://demo/x", "--resume", ...common], folder, env);
    expect(long.code).to.not.equal(0);
    expect(long.stderr)
      .to.match(new RegExp(`${name}\\.s3ec-upload is too long for a path, or a name in it is\\.`))
      .and.contain("leave --resume out");
    rmSync(join(folder, name));
    const XDG_CONFIG_HOME = join(folder, "in", "config");
    const secret = await s3ec(["put", "in", "s3://demo/x", "--resume", ...common], folder, { ...env, XDG_CONFIG_HOME });
    expect(secret.stderr)
      .to.contain("set XDG_CONFIG_HOME to a folder of yours that stays.\n")
      .and.not.contain("resume:");
    expect(server.openUploads).to.deep.equal([]);
  });

  it("keeps nothing, and says so, when it is interrupted before there is a state", async () => {
    server.kms.createKey({ alias: "alias/app" });
    const pause = server.faults.pause({ operation: "GenerateDataKey" });
    // The local server's own configuration, with a KMS key.
    const { child, outcome } = start(["put", "in", "s3://demo/x", "--resume", ...common.slice(2)], folder, env);
    await Promise.race([pause.reached, outcome]);
    child.kill("SIGINT");
    const { stderr, code } = await outcome;
    pause.release();
    expect(stderr).to.include("nothing was left behind").and.not.include("--discard");
    expect(code).to.equal(130);
    expect(readdirSync(folder)).to.have.members(["aes.json", "app.key", "in"]);
  });

  it("is refused of a stream", async () => {
    const { code, stderr } = await s3ec(["put", "-", "s3://demo/x", "--resume", ...common], folder, env);
    expect(code).to.not.equal(0);
    expect(stderr).to.include("Only the upload of a file can be resumed");
  });
});
