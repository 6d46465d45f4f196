import { mkdirSync, readdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join, sep } from "node:path";
import { expect } from "chai";
import { isDefaultConfiguration } from "../../dist/default-configuration.js";
import { TargetFolder } from "../../dist/objects/target-folder.js";
import { temporaryFolder } from "../command.js";
import { ObjectsSetting } from "./objects-setting.js";

describe("the folder that a run writes to", () => {
  let temporary: ReturnType<typeof temporaryFolder>;
  let root: string;
  beforeEach(() => {
    temporary = temporaryFolder();
    root = temporary.folder + sep;
    mkdirSync(join(root, "in"));
  });
  afterEach(() => temporary.remove());

  const refusal = (folder: TargetFolder, name: string): Promise<string> =>
    folder
      .write(`${root}${name}`, async (isThere) => {
        writeFileSync(`${root}${name}`, name);
        return isThere ? "replaced" : "made";
      })
      .catch((error: Error) => error.message);

  it("takes no file that is spelled otherwise for a key's, where the file system folds names", async () => {
    const spelled: Record<string, readonly string[]> = { [root]: ["in"], [`${root}in${sep}`]: ["Report", "own"] };
    let asked = 0;
    const namesIn = async (folder: string): Promise<readonly string[]> => {
      asked += 1;
      return spelled[folder] ?? [];
    };
    for (const name of ["report", "own", "new"]) writeFileSync(`${root}in/${name}`, "before");
    const folder = new TargetFolder(root, { isMany: true, namesIn });
    expect(await refusal(folder, "in/own")).to.equal("replaced");
    expect(await refusal(folder, "in/report")).to.match(/^The file system takes "report" for the name of another/);
    expect(asked).to.equal(3);
    // One that came since is looked for again.
    spelled[`${root}in${sep}`] = ["Report", "own", "new"];
    expect(await refusal(folder, "in/new")).to.equal("replaced");
    expect(await refusal(new TargetFolder(root, { isMany: true }), "in/report")).to.equal("replaced");
  });

  it("writes no file twice, whatever leads to it, also at once", async () => {
    symlinkSync("in", `${root}link`);
    symlinkSync("x", `${root}in/y`);
    const folder = new TargetFolder(root, { isMany: true });
    const all = await Promise.all(["in/x", "link/x", "link/z", "in/z"].map((name) => refusal(folder, name)));
    expect(all.filter((told) => told === "made")).to.have.length(2);
    expect(all.filter((told) => told.startsWith("It would be the file that another object has become"))).to.have.length(
      2,
    );
    expect(await refusal(folder, "in/y")).to.match(/^It would be the file that another object/);
    expect(readdirSync(`${root}in`).sort()).to.deep.equal(["x", "y", "z"]);
  });

  it("tells the configuration of the working directory, as file systems read its name", async () => {
    for (const name of [
      "s3ec.config.json",
      "S3EC.Config.YAML",
      "\u017f3ec.config.yml",
      "s3ec.config.json.",
      "s3ec\u200b.config.json",
    ]) {
      expect(await isDefaultConfiguration(join(process.cwd(), name)), name).to.equal(true);
      expect(await isDefaultConfiguration(join(root, name)), name).to.equal(false);
    }
    expect(await isDefaultConfiguration(join(process.cwd(), "s3ec.config.toml"))).to.equal(false);
  });
});

describe("s3ec, down into a folder", () => {
  let at: ObjectsSetting;
  beforeEach(async () => {
    at = await ObjectsSetting.start(["demo"]);
  });
  afterEach(() => at.end());

  it("moves no two objects into one file", async () => {
    for (const name of ["d1/x", "d2/x", "z"]) at.write(`tree/${name}`, `content of ${name}`);
    await at.run("sync", "tree", "s3://demo/t");
    mkdirSync(join(at.folder, "down/d1"), { recursive: true });
    symlinkSync("d1", join(at.folder, "down/d2"));
    const { code, stderr } = await at.run("mv", "s3://demo/t", "down", "--recursive");
    expect(code).to.equal(8);
    expect(stderr).to.match(/^move failed: s3:\/\/demo\/t\/d[12]\/x .* It would be the file that another object/);
    const left = (await at.run("ls", "s3://demo/t/", "--recursive", "--json")).stdout;
    const moved = left.includes("t/d2/x") ? "d1/x" : "d2/x";
    expect(left.trim().split("\n")).to.have.length(1);
    expect(at.read("down/d1/x")).to.equal(`content of ${moved}`);
    // Nor is one of them there already, since the other one is.
    await at.run("sync", "tree", "s3://demo/t");
    expect((await at.run("cp", "s3://demo/t", "down", "--recursive", "--no-overwrite")).code).to.equal(8);
  });

  it("brings no configuration for the next command, unless that is asked for by its name", async () => {
    for (const name of ["s3ec.config.yaml", "S3EC.CONFIG.JSON", "in/s3ec.config.json", "mine.json", "x"])
      at.write(`tree/${name}`, "{}");
    await at.run("cp", "tree", "s3://demo/t", "--recursive");
    at.write("down/mine.json", at.read("s3ec.config.json").replace("app.key", "../app.key"));
    for (const [verb = "", ...args] of [["sync"], ["cp", "--recursive"]]) {
      const { code, stderr } = await at.run(verb, "s3://demo/t", ".", ...args);
      expect({ verb, code }).to.deep.equal({ verb, code: 8 });
      expect(stderr.match(/It would be the configuration of s3ec/g)).to.have.length(2);
      expect(readdirSync(at.folder)).to.not.include.members(["s3ec.config.yaml"]);
    }
    expect(at.files("in")).to.deep.equal(["s3ec.config.json"]);
    const named = await at.run("sync", "s3://demo/t", "down", "--config", "down/mine.json");
    expect(named.code).to.equal(8);
    expect(named.stderr).to.match(/^download failed: s3:\/\/demo\/t\/mine\.json to down\/mine\.json It would be/);
    expect(at.read("down/mine.json")).to.contain("app.key");
    expect((await at.run("cp", "s3://demo/t/s3ec.config.yaml", ".")).code).to.equal(0);
    expect(at.read("s3ec.config.yaml")).to.equal("{}");
  });
});
