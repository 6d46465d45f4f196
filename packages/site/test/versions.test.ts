import { execFile } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { promisify } from "node:util";
import { expect } from "chai";
import { versionsIn, writeVersions } from "../dist/versions.js";

const MENU = readFileSync(new URL("../versions-menu.js", import.meta.url), "utf8");
const PAGE = '<!doctype html><div id="tsd-toolbar-links"></div><script defer src="../assets/custom.js"></script>';

describe("versions of the site", () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "s3ec-site-"));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  function make(...versions: readonly string[]): void {
    for (const version of versions) {
      for (const part of ["assets", "guides"]) mkdirSync(join(folder, version, part), { recursive: true });
      writeFileSync(join(folder, version, "assets/custom.js"), MENU);
      writeFileSync(join(folder, version, "guides/a.html"), PAGE);
      writeFileSync(join(folder, version, "index.html"), "");
    }
  }

  it("are those that stand there, the newest first, and a preview before its release", () => {
    make("0.9.0", "0.10.0", "1.0.0", "1.0.0-rc.2", "1.0.0-rc.10", "assets");
    mkdirSync(join(folder, "3.0.0"));
    expect(versionsIn(folder)).to.deep.equal(["1.0.0", "1.0.0-rc.10", "1.0.0-rc.2", "0.10.0", "0.9.0"]);
  });

  it("lead whoever opens their folder to the newest that is no preview", () => {
    make("0.1.0", "0.2.0-rc.1");
    writeVersions(folder);
    expect(readFileSync(join(folder, "index.html"), "utf8")).to.contain('content="0; url=0.1.0/index.html"');
  });

  it("are no site where there is none", () => {
    expect(() => writeVersions(folder)).to.throw("There is no version of the site");
  });

  it("are a menu on a page that is opened as a file", async function () {
    make("0.1.0", "0.2.0");
    writeVersions(folder);
    const page = pathToFileURL(join(folder, "0.1.0/guides/a.html")).href;
    const dumped = await dumpDom(page, join(folder, "profile"));
    if (dumped === undefined) return this.skip();
    const [, options = ""] = /<select id="versions-menu".*?>(.*?)<\/select>/.exec(dumped) ?? [];
    expect(options).to.equal('<option value="0.2.0">0.2.0</option><option value="0.1.0" selected="">0.1.0</option>');
  });
});

/** What a browser makes of a page; undefined where none is installed. */
async function dumpDom(url: string, profile: string): Promise<string | undefined> {
  const args = ["--headless", "--no-sandbox", "--disable-gpu", `--user-data-dir=${profile}`, "--dump-dom", url];
  try {
    return (await promisify(execFile)("chromium", args, { cwd: fileURLToPath(new URL(".", import.meta.url)) })).stdout;
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return undefined;
    throw error;
  }
}
