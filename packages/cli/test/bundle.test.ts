import { execFile } from "node:child_process";
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import nodeModule from "node:module";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { type DevServer, startDevServer } from "@s3ec/dev-server";
import { expect } from "chai";
import { BIN, temporaryFolder } from "./command.js";

const run = promisify(execFile);
const PACKAGE = fileURLToPath(new URL("..", import.meta.url));

describe("s3ec as one file", () => {
  let server: DevServer;
  const { folder, remove } = temporaryFolder();
  const file = join(folder, "s3ec.mjs");
  const work = join(folder, "empty");

  before(async () => {
    server = await startDevServer({ buckets: ["demo"], aliases: ["alias/app"] });
    mkdirSync(work);
    await run(process.execPath, [join(PACKAGE, "bundle/make-bundle.mjs"), file]);
  });
  after(async () => {
    await server.close();
    remove();
  });

  async function bundled(...args: string[]): Promise<string> {
    return (await run(file, args, { cwd: work })).stdout;
  }

  it("puts and gets from a folder where nothing is installed", async () => {
    const keyring = { type: "kms", keyId: "alias/app" };
    const formats = [{ type: "s3" }, { type: "aws-message" }];
    writeFileSync(join(work, "s3ec.config.yaml"), JSON.stringify({ keyring, client: { formats } }));
    writeFileSync(join(work, "report.pdf"), "a report");
    await bundled("put", "report.pdf", "s3://demo/report.pdf", "--dev-server", server.endpoint);
    await bundled("get", "s3://demo/report.pdf", "copy.pdf", "--dev-server", server.endpoint);
    expect(readFileSync(join(work, "copy.pdf"), "utf8")).to.equal("a report");
    expect(await bundled("inspect", "s3://demo/report.pdf", "--dev-server", server.endpoint)).to.contain("V3");
    expect(await bundled("audit", "s3://demo/", "--recursive", "--dev-server", server.endpoint)).to.contain(
      "report.pdf",
    );
    expect(readdirSync(work)).to.have.members(["s3ec.config.yaml", "report.pdf", "copy.pdf"]);
  });

  it("does what the README's container does, whose image has this file alone", async () => {
    const readme = readFileSync(join(PACKAGE, "README.md"), "utf8");
    const [, recipe = ""] = /^```dockerfile\n(.*?)^```$/ms.exec(readme) ?? [];
    const [, copied, to] = /^COPY (\S+) (\S+)$/m.exec(recipe) ?? [];
    const [, entry = "[]"] = /^ENTRYPOINT (.*)$/m.exec(recipe) ?? [];
    expect([copied, JSON.parse(entry)]).to.deep.equal([basename(file), ["node", to]]);
    const [, tag] = /^docker build -t (\S+) \.$/m.exec(readme) ?? [];
    const [, options = "", image, args = ""] = /^docker run (.*?) (\S+) (get .*)$/m.exec(readme) ?? [];
    expect(image).to.equal(tag);
    // No more of the environment than the line names, and no home.
    const names = [...options.matchAll(/-e (\S+)/g)].map(([, name = ""]) => name);
    const env = Object.fromEntries(names.map((name) => [name, name === "AWS_REGION" ? server.region : "test"]));
    const at = join(folder, "container");
    mkdirSync(at);
    const keyring = { type: "kms", keyId: "alias/app" };
    writeFileSync(join(at, "s3ec.config.json"), JSON.stringify({ keyring }));
    writeFileSync(join(at, "report.pdf"), "from a container");
    const inside = (...line: string[]) =>
      run(process.execPath, [file, ...line, "--dev-server", server.endpoint], { cwd: at, env });
    await inside("put", "report.pdf", "s3://demo/report.pdf");
    await inside(...args.split(" "));
    expect(readFileSync(join(at, "copy.pdf"), "utf8")).to.equal("from a container");
  });

  it("is kept compiled where Node is told to", async function () {
    if (!("enableCompileCache" in nodeModule)) return this.skip();
    const kept = join(folder, "compiled");
    const env = { ...process.env, NODE_COMPILE_CACHE: kept };
    await run(process.execPath, [file, "--version"], { cwd: work, env });
    expect(readdirSync(kept, { recursive: true }).length).to.be.greaterThan(1);
  });

  it("is the version that the package is", async () => {
    const { stdout } = await run(process.execPath, [BIN, "--version"]);
    expect(await bundled("--version")).to.equal(stdout);
  });

  it("loads nothing of AWS to say what it can do", async () => {
    const script = `
      import { createRequire } from "node:module";
      await import(${JSON.stringify(new URL("../dist/program.js", import.meta.url).href)});
      const loaded = Object.keys(createRequire(import.meta.url).cache);
      console.log(loaded.filter((name) => /commander|aws-sdk|smithy/.test(name)).join("\\n"));`;
    const { stdout } = await run(process.execPath, ["--input-type=module", "-e", script], { cwd: PACKAGE });
    expect(stdout).to.contain("commander").and.not.contain("aws-sdk").and.not.contain("smithy");
  });
});
