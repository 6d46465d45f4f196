import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { type DevServer, startDevServer } from "@s3ec/dev-server";
import { expect } from "chai";
import { start, temporaryFolder } from "./command.js";
import { inProcess as s3ec } from "./objects/in-process.js";

const MiB = 1024 * 1024;

describe("s3ec get --resume", () => {
  const content = randomBytes(10 * MiB);
  let temporary: ReturnType<typeof temporaryFolder>;
  let folder: string;
  let server: DevServer;
  let from: string[];

  before(async () => {
    temporary = temporaryFolder();
    folder = temporary.folder;
    server = await startDevServer({ buckets: ["demo"], fsync: false });
    writeFileSync(join(folder, "in"), content);
    writeFileSync(join(folder, "app.key"), randomBytes(32), { mode: 0o600 });
    writeFileSync(
      join(folder, "s3ec.config.json"),
      JSON.stringify({ keyring: { type: "raw-aes", wrappingKey: { file: "app.key" } } }),
    );
    from = ["--dev-server", server.endpoint];
    expect((await s3ec(["put", "in", "s3://demo/x", ...from], folder)).code).to.equal(0);
  });
  after(async () => {
    await server.close();
    temporary.remove();
  });
  afterEach(() => {
    server.faults.clear();
    rmSync(join(folder, "out"), { force: true });
  });

  const left = (): string[] => readdirSync(folder).filter((name) => name.startsWith(".s3ec"));

  /** Starts a get, and ends it once something is on the disk. */
  async function ended(signal: NodeJS.Signals): Promise<{ readonly code: number | null; readonly stderr: string }> {
    server.faults.add({ operation: "GetObject", throttleBytesPerSecond: 2 * MiB });
    const { child, outcome } = start(["get", "s3://demo/x", "out", "--resume", ...from], folder);
    // A head of 124 bytes, and a record for each MiB.
    while (
      !left().some((name) => (statSync(join(folder, name, "pieces"), { throwIfNoEntry: false })?.size ?? 0) > 300)
    ) {
      await delay(10);
    }
    child.kill(signal);
    const result = await outcome;
    server.faults.clear();
    return result;
  }

  it("says what it leaves when it is interrupted, and how to clean up; goes on when it is run again", async () => {
    const { code, stderr } = await ended("SIGTERM");
    const [name] = left();
    expect(code).to.equal(143);
    expect(stderr).to.match(
      /^s3ec: Interrupted\.\ns3ec: What has arrived is kept, decrypted and unproven, in .+: run the command again to go on, or delete that folder\.\n$/,
    );
    expect(stderr).to.include(`${name}:`);
    const again = await s3ec(["get", "s3://demo/x", "out", "--resume", ...from], folder);
    expect([again.code, again.stdout]).to.deep.equal([
      0,
      `Decrypted ${content.length} bytes of s3://demo/x into out.\n`,
    ]);
    expect(again.stderr).to.match(/^s3ec: Going on with \d+ bytes that an earlier download left\.\n$/);
    expect(readFileSync(join(folder, "out")).equals(content)).to.equal(true);
    expect(left()).to.deep.equal([]);
  });

  it("goes on behind kill -9, or begins anew and says why", async () => {
    await ended("SIGKILL");
    expect((await s3ec(["put", "in", "s3://demo/x", ...from], folder)).code).to.equal(0);
    const { code, stderr } = await s3ec(["get", "s3://demo/x", "out", "--resume", ...from], folder);
    expect([code, stderr]).to.deep.equal([
      0,
      "s3ec: What an earlier download left is of no use, and this one begins anew: It is of another object, was encrypted anew, or is damaged.\n",
    ]);
    expect(readFileSync(join(folder, "out")).equals(content)).to.equal(true);
    expect(left()).to.deep.equal([]);
  });

  it("refuses standard output, and a second one at the same time", async () => {
    const refused = await s3ec(["get", "s3://demo/x", "-", "--resume", ...from], folder);
    expect(refused.code).to.equal(2);
    expect(refused.stderr).to.include("Only a download to a file can be resumed");
    server.faults.add({ operation: "GetObject", throttleBytesPerSecond: MiB });
    const first = start(["get", "s3://demo/x", "out", "--resume", ...from], folder);
    while (left().length === 0) await delay(10);
    const second = await s3ec(["get", "s3://demo/x", "out", "--resume", ...from], folder);
    expect([second.code, second.stderr]).to.deep.equal([
      7,
      `s3ec: Process ${first.child.pid} is at this transfer: wait for it, or end it.\n`,
    ]);
    first.child.kill("SIGKILL");
    await once(first.child, "exit");
    for (const name of left()) rmSync(join(folder, name), { recursive: true });
  });
});
