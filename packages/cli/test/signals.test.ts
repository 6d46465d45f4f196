import { execFileSync } from "node:child_process";
import { once } from "node:events";
import { readdirSync, writeFileSync } from "node:fs";
import { type AddressInfo, createServer, type Server } from "node:net";
import { join } from "node:path";
import { expect } from "chai";
import { Interrupts } from "../dist/interruption.js";
import { start, temporaryFolder } from "./command.js";

const SIGNALS = [
  ["SIGINT", 130],
  ["SIGTERM", 143],
] as const;

describe("a signal ends s3ec, whatever it waits for", () => {
  let temporary: ReturnType<typeof temporaryFolder>;
  let folder: string;
  /** Takes requests, and answers none. */
  let silent: Server;
  let address: string;

  before(async () => {
    temporary = temporaryFolder();
    folder = temporary.folder;
    writeFileSync(join(folder, "in"), "x");
    writeFileSync(join(folder, "large"), Buffer.alloc(65 * 1024 * 1024));
    writeFileSync(join(folder, "app.key"), Buffer.alloc(32, 5), { mode: 0o600 });
    writeFileSync(
      join(folder, "aes.json"),
      JSON.stringify({ keyring: { type: "raw-aes", wrappingKey: { file: "app.key" } } }),
    );
    writeFileSync(
      join(folder, "stalls.mjs"),
      "console.error('loading'); await new Promise(() => setInterval(() => {}, 1000));",
    );
    execFileSync("mkfifo", [join(folder, "pipe")]);
    silent = createServer((socket) => socket.on("error", () => {})).listen(0, "127.0.0.1");
    await once(silent, "listening");
    address = `http://127.0.0.1:${(silent.address() as AddressInfo).port}`;
  });
  after(() => {
    silent.close();
    temporary.remove();
  });

  const asked = (): Promise<unknown> => once(silent, "connection").then(([socket]) => once(socket, "data"));

  for (const [name, args] of [
    ["get, while S3 does not answer", ["get", "s3://demo/x", "out", "--config", "aes.json"]],
    ["get --resume, before anything has arrived", ["get", "s3://demo/x", "out", "--config", "aes.json", "--resume"]],
    ["inspect, while S3 does not answer", ["inspect", "s3://demo/x"]],
    ["put, while KMS does not answer", ["put", "in", "s3://demo/x"]],
    ["put, while S3 does not answer", ["put", "in", "s3://demo/x", "--config", "aes.json"]],
    ["put in parts, while S3 does not answer", ["put", "large", "s3://demo/x", "--config", "aes.json"]],
  ] as const) {
    for (const [signal, exitCode] of SIGNALS) {
      it(`${name}: ${signal}`, async () => {
        const before = readdirSync(folder);
        const sent = asked();
        const { child, outcome } = start([...args, "--dev-server", address], folder);
        await sent;
        child.kill(signal);
        const { code, stdout, stderr } = await outcome;
        expect({ code, stdout }).to.deep.equal({ code: exitCode, stdout: "" });
        expect(stderr)
          .to.match(/^s3ec: Interrupted[^\n]+\.\n$/)
          .and.not.contain("is kept");
        expect(readdirSync(folder)).to.deep.equal(before);
      });
    }
  }

  // Of these nobody sees from outside that they have begun to wait; each says it on its own.
  for (const [name, args] of [
    ["while it loads its configuration", ["put", "in", "s3://demo/x", "--config", "stalls.mjs"]],
    ["config check, while a module stalls", ["config", "check", "stalls.mjs"]],
  ] as const) {
    for (const [signal, exitCode] of SIGNALS) {
      it(`${name}: ${signal}`, async () => {
        const { child, outcome } = start(args, folder);
        if (child.stderr !== null) await once(child.stderr, "data");
        child.kill(signal);
        const { code, stderr } = await outcome;
        expect({ code, stderr }).to.deep.equal({
          code: exitCode,
          stderr: "loading\ns3ec: Interrupted; nothing was left behind.\n",
        });
      });
    }
  }

  it("a put from a pipe that nobody writes to, and a get into one that nobody reads", async () => {
    writeFileSync(
      join(folder, "tells.mjs"),
      `import { readFileSync } from "node:fs";
const wrappingKey = { base64: readFileSync(new URL("app.key", import.meta.url)).toString("base64") };
setTimeout(() => console.error("ready"), 500);
export default { keyring: { type: "raw-aes", wrappingKey } };`,
    );
    for (const args of [
      ["put", "pipe", "s3://demo/x"],
      ["put", "-", "s3://demo/x"],
      ["get", "s3://demo/x", "pipe"],
    ]) {
      const all = [...args, "--config", "tells.mjs", "--dev-server", address];
      const { child, outcome } = start(all, folder, {}, "pipe");
      if (child.stderr !== null) await once(child.stderr, "data");
      child.kill("SIGTERM");
      expect((await outcome).code).to.equal(143);
    }
  });

  it("at once when it comes a second time", async () => {
    const sent = asked();
    const { child, outcome } = start(["put", "in", "s3://demo/x", "--dev-server", address], folder);
    await sent;
    child.kill("SIGINT");
    child.kill("SIGTERM");
    expect((await outcome).code).to.be.oneOf([130, 143]);
  });

  it("also that which a terminal sends when it goes", async () => {
    using interrupts = new Interrupts();
    const ended = interrupts.race(new Promise<never>(() => {})).catch((error: unknown) => error);
    // Without a listener it would end this process.
    expect(process.emit("SIGHUP", "SIGHUP")).to.equal(true);
    expect(await ended).to.include({ exitCode: 143, message: "Interrupted; nothing was left behind." });
    expect(interrupts.signal.aborted).to.equal(true);
  });
});
