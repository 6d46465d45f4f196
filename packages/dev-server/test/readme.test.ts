import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { promisify } from "node:util";
import { expect } from "chai";

const here = new URL("..", import.meta.url);

describe("README", () => {
  it("has examples that do what they say", async () => {
    const readme = await readFile(new URL("README.md", here), "utf8");
    const examples = [...readme.matchAll(/```js\n(.*?)```/gs)].map(([, example = ""]) => example);
    const [first = "", ...others] = examples;
    const end = first.indexOf("s3.destroy();");
    // Those after the first are about the server that it starts, and come before it ends.
    const script = [first.slice(0, end), ...others, first.slice(end)].join("\n");
    const { stdout } = await promisify(execFile)(process.execPath, ["--input-type=module", "--eval", script], {
      cwd: here,
    });
    const said = examples.flatMap((example) =>
      [...example.matchAll(/console\.log.*\/\/ (.*)/g)].map(([, text]) => text),
    );
    expect(stdout.trim().split("\n")).to.deep.equal(said);
    expect(said.length).to.be.at.least(2);
  });

  it("lists every option of the server", async () => {
    const [readme, declarations] = await Promise.all(
      ["README.md", "dist/dev-server.d.ts"].map((path) => readFile(new URL(path, here), "utf8")),
    );
    const [, options = ""] = /interface DevServerOptions \{(.*?)\n\}/s.exec(declarations ?? "") ?? [];
    const names = [...options.matchAll(/readonly (\w+)\?/g)].map(([, name]) => name);
    expect(names).to.include("directory");
    for (const name of names) expect(readme).to.include(`\`${name}\``);
  });
});
