import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect } from "chai";

const ROOT = fileURLToPath(new URL("../../../", import.meta.url));
const GUIDE = readFileSync(join(ROOT, "docs/write-a-keyring.md"), "utf8");

/** npm as a stranger has it: without what the npm that runs this test passed on. */
function npm(cwd: string, args: readonly string[]): string {
  const env = Object.fromEntries(
    Object.entries(process.env).filter(([name]) => !/^npm_(?!config_(registry|cafile))/i.test(name)),
  );
  return execFileSync("npm", args, { cwd, env, encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });
}

describe('"Write a keyring", followed to the letter in an empty folder', () => {
  let folder: string;
  before(() => {
    folder = mkdtempSync(join(tmpdir(), "s3ec-guide-"));
  });
  after(() => rmSync(folder, { recursive: true }));

  it("ends in a green conformance test", () => {
    const packed = ["envelope", "materials", "keyring-conformance"].map((name) => {
      const [line = ""] = npm(join(ROOT, "packages", name), ["pack", "--silent", "--pack-destination", folder]).split(
        "\n",
      );
      return join(folder, line);
    });
    const project = join(folder, "my-keyring");
    mkdirSync(project);

    const steps = [...GUIDE.matchAll(/(?:`([\w/.-]+)`:\n\n)?```(sh|js)\n([\s\S]*?)```/g)];
    let output = "";
    let installed = false;
    for (const [, file, language, text = ""] of steps) {
      if (language === "js") {
        if (file === undefined) throw new Error("A code block of the guide does not say which file it is.");
        mkdirSync(dirname(join(project, file)), { recursive: true });
        writeFileSync(join(project, file), text);
        continue;
      }
      for (const command of text.trim().split("\n")) {
        const [program, ...args] = [...command.matchAll(/(?:[^\s"]|"[^"]*")+/g)].map(([word]) =>
          word.replaceAll('"', ""),
        );
        expect(program).to.equal("npm");
        // Our packages come from their tarballs, all at once, since each looks for the others.
        const others = args.filter((argument) => !argument.startsWith("@s3ec/"));
        const ours: readonly string[] = others.length < args.length && !installed ? packed : [];
        installed ||= ours.length > 0;
        output = npm(project, [...others, ...ours]);
      }
    }
    expect(output).to.match(/4\d passing/);
    expect(output).not.to.match(/failing/);
  });
});
