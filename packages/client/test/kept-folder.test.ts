import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { expect } from "chai";
import { KeptFolder } from "../dist/transfer/kept-folder.js";

describe("the folder of a resumed download", () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "s3ec-kept-"));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  it("deletes nothing in what somebody has put in its place", async () => {
    const kept = await KeptFolder.open(join(folder, "target"));
    const others = join(folder, "others");
    mkdirSync(join(others, "work"), { recursive: true });
    for (const name of ["partial", "thesis"]) writeFileSync(join(others, name), "x");
    renameSync(kept.path, join(folder, "moved"));
    symlinkSync(others, kept.path);
    await kept.remove();
    expect(readdirSync(others)).to.have.members(["partial", "thesis", "work"]);
  });

  it("is left to who has begun in it since it was deleted", async () => {
    const target = join(folder, "target");
    const first = await KeptFolder.open(target);
    rmSync(first.path, { recursive: true });
    const second = await KeptFolder.open(target);
    await first.remove();
    expect(readdirSync(second.path)).to.have.members(["partial", "pieces", "lock-1"]);
    await second.remove();
    expect(existsSync(second.path), basename(second.path)).to.equal(false);
  });
});
