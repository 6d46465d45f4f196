import { execFileSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { expect } from "chai";

/** Whatever else is loaded, these may not be. */
const REFUSED = ["hyparquet", "csv-parse"];

describe("@s3ec/bulk", () => {
  it("loads no reader of inventories before one is read", () => {
    const hooks = `export const resolve = (name, context, next) => {
      if (${JSON.stringify(REFUSED)}.includes(name)) throw new Error(name + " was loaded.");
      return next(name, context);
    };`;
    const register = `import { register } from "node:module"; register(${JSON.stringify(dataUrl(hooks))});`;
    const run = (code: string): string =>
      execFileSync(process.execPath, ["--import", dataUrl(register), "--input-type=module", "--eval", code], {
        cwd: fileURLToPath(new URL("..", import.meta.url)),
        encoding: "utf8",
      });
    const names = 'Object.keys(await import("@s3ec/bulk")).includes("readInventory")';
    expect(run(`console.log(${names})`)).to.equal("true\n");
    // The hook does refuse.
    const refusal = 'await import("csv-parse").catch((error) => error.message)';
    expect(run(`console.log(${refusal})`)).to.equal("csv-parse was loaded.\n");
  });
});

function dataUrl(code: string): string {
  return `data:text/javascript,${encodeURIComponent(code)}`;
}
