import { randomBytes } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type DevServer, startDevServer } from "@s3ec/dev-server";
import { expect } from "chai";
import { temporaryFolder } from "./command.js";
import { inProcess as s3ec } from "./objects/in-process.js";

const YAML = `use: app
configurations:
  app:
    keyring: { type: raw-aes, wrappingKey: { file: app.key } }
    s3: { region: eu-west-1 }
  other: { extends: app, keyring: { type: raw-aes, wrappingKey: { file: "\${OTHER:-other.key}" } } }
  wrong: { extends: app, s3: { regoin: a } }
`;

describe("s3ec --use", () => {
  const { folder, remove } = temporaryFolder();
  let server: DevServer;
  before(async () => {
    server = await startDevServer({ buckets: ["demo"] });
    for (const name of ["app.key", "other.key"]) writeFileSync(join(folder, name), randomBytes(32), { mode: 0o600 });
    writeFileSync(join(folder, "s3ec.config.yaml"), YAML);
    writeFileSync(join(folder, "report"), "a report");
  });
  after(async () => {
    await server.close();
    remove();
  });

  it("chooses one of the configurations of the folder's YAML file", async () => {
    const local = ["--dev-server", server.endpoint];
    expect((await s3ec(["put", "report", "s3://demo/r", "--use", "other", ...local], folder)).code).to.equal(0);
    expect((await s3ec(["get", "s3://demo/r", "app", ...local], folder)).code).to.equal(6);
    expect((await s3ec(["get", "s3://demo/r", "out", "--use", "other", ...local], folder)).code).to.equal(0);
    expect(readFileSync(join(folder, "out"), "utf8")).to.equal("a report");
  });

  it("is told by config check, which looked at one of them, and of which others there are", async () => {
    const first = async (...args: string[]): Promise<string[]> =>
      (await s3ec(["config", "check", "s3ec.config.yaml", ...args], folder)).stdout.split("\n").slice(0, 4);
    expect(await first()).to.deep.equal([
      "s3ec.config.yaml is valid.",
      'This is said of "app".',
      'Not looked at: "other", "wrong"; choose one by its name (use, or --use NAME).',
      "",
    ]);
    expect((await first("--use", "other"))[1]).to.equal('This is said of "other".');
  });

  it("is refused with the name that was probably meant, for each command", async () => {
    for (const args of [
      ["put", "report", "s3://demo/r", "--use", "otter"],
      ["inspect", "s3://demo/r", "--use", "otter"],
      ["config", "check", "s3ec.config.yaml", "--use", "otter"],
    ]) {
      const { code, stderr } = await s3ec(args, folder);
      expect(code).to.equal(3);
      expect(stderr).to.match(/the name that the caller asks for \(use, or --use\): did you mean "other"\?/);
    }
    const { stderr } = await s3ec(["config", "check", "s3ec.config.yaml", "--use", "wrong"], folder);
    expect(stderr).to.match(/configurations\.wrong\.s3\.regoin: .*did you mean region\? \(line 7, column 32\)/);
  });
});
