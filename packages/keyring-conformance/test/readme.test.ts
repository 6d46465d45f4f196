import { execFile } from "node:child_process";
import { readFile, rm, writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { expect } from "chai";

const RUNNERS = {
  mocha: (code: string) => ({
    code,
    command: ["../../../node_modules/mocha/bin/mocha.js", "--no-config"],
    passed: /2\d passing/,
  }),
  "node:test": (code: string) => ({
    code: `import { describe, it } from "node:test";\n${code.replace("secrets:", "describe,\n  it,\n  secrets:")}`,
    command: ["--test", "--test-reporter=tap"],
    passed: /# pass 2\d\n# fail 0/,
  }),
};

describe("the README's example", () => {
  for (const [name, prepare] of Object.entries(RUNNERS)) {
    it(`passes under ${name}`, async () => {
      const readme = await readFile(new URL("../README.md", import.meta.url), "utf8");
      const { code, command, passed } = prepare(/```js\n(.*?)```/s.exec(readme)?.[1] ?? "");
      const script = fileURLToPath(new URL(`./readme-example-${name.length}.mjs`, import.meta.url));
      await writeFile(script, code);
      try {
        const { NODE_TEST_CONTEXT: _, ...env } = process.env;
        const cwd = fileURLToPath(new URL(".", import.meta.url));
        const { stdout } = await promisify(execFile)(process.execPath, [...command, script], { cwd, env });
        expect(stdout).to.match(passed);
        expect(stdout).to.not.match(/failing|^not ok/m);
      } finally {
        await rm(script);
      }
    });
  }
});
