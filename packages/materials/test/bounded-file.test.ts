import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { readBoundedFile } from "../dist/index.js";

describe("a file that is read with a bound", () => {
  let folder: string;
  before(() => {
    folder = mkdtempSync(join(tmpdir(), "s3ec-bounded-"));
    writeFileSync(join(folder, "ten"), "0123456789", { mode: 0o600 });
  });
  after(() => rmSync(folder, { recursive: true }));
  const bounds = { maxLength: 10, timeoutMs: 100 };

  it("is read to its end where that is as far as it may be", async () => {
    const read = await readBoundedFile(join(folder, "ten"), bounds);
    expect(typeof read === "string" ? read : read.bytes.toString()).to.equal("0123456789");
    if (process.platform !== "win32")
      expect(read)
        .to.have.property("mode")
        .that.satisfies((mode: number) => (mode & 0o777) === 0o600);
  });

  it("says why there is nothing", async () => {
    expect(await readBoundedFile(join(folder, "ten"), { ...bounds, maxLength: 9 })).to.equal("too large");
    expect(await readBoundedFile(join(folder, "none"), bounds)).to.equal("missing");
    expect(await readBoundedFile(folder, bounds)).to.equal("unreadable");
  });
});
