import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { promisify } from "node:util";
import { expect } from "chai";

const here = new URL("..", import.meta.url);

describe("README", () => {
  it("has an example that does what it says", async () => {
    const readme = await readFile(new URL("README.md", here), "utf8");
    const [, example = ""] = /```js\n(.*?)```/s.exec(readme) ?? [];
    const { stdout } = await promisify(execFile)(process.execPath, ["--input-type=module", "--eval", example], {
      cwd: here,
    });
    expect(example).to.include(`// ${stdout.trim()}`);
  });

  it("lists every option of the server", async () => {
    const [readme, declarations] = await Promise.all(
      ["README.md", "dist/server.d.ts"].map((path) => readFile(new URL(path, here), "utf8")),
    );
    const [, options = ""] = /interface DevServerOptions \{(.*?)\n\}/s.exec(declarations ?? "") ?? [];
    const names = [...options.matchAll(/readonly (\w+)\?/g)].map(([, name]) => name);
    expect(names).to.include("directory");
    for (const name of names) expect(readme).to.include(`\`${name}\``);
  });
});
