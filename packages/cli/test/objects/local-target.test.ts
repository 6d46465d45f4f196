import { mkdirSync, readdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join, sep } from "node:path";
import { expect } from "chai";
import { makeRoomFor, pathBelow } from "../../dist/objects/local-target.js";
import { temporaryFolder } from "../command.js";

describe("a path below a folder", () => {
  for (const name of ["a", "a/b", "a b/c\n🦆", "...", "a..b", "C:\\x", "~", "-"]) {
    it(`is ${JSON.stringify(name)} as it stands`, () => {
      expect(pathBelow("/t/", name, "linux")).to.equal(`/t/${name}`);
    });
  }
  for (const name of ["../x", "../../x", "a/../../x", "a/..", ".", "./a", "", "/etc/x", "a//b", "a/", "a\0b", ".."]) {
    it(`is not ${JSON.stringify(name)}`, () => {
      expect(() => pathBelow("/t/", name, "linux")).to.throw(/leads out of the folder, or to no file/);
    });
  }
  for (const name of [
    "C:\\x",
    "a\\..\\..\\x",
    "C:",
    "a:stream",
    "con",
    "Aux.txt",
    "a.",
    "a ",
    "a?",
    "a\tb",
    "lpt1/x",
  ]) {
    it(`is not ${JSON.stringify(name)} on Windows`, () => {
      expect(() => pathBelow("C:\\t\\", name, "win32")).to.throw(/leads out of the folder/);
    });
  }
  it("has backslashes on Windows", () => {
    expect(pathBelow("C:\\t\\", "a/b.txt", "win32")).to.equal("C:\\t\\a\\b.txt");
  });
});

describe("room for a file below a folder", () => {
  let temporary: ReturnType<typeof temporaryFolder>;
  let root: string;
  let outside: string;

  beforeEach(() => {
    temporary = temporaryFolder();
    root = join(temporary.folder, "target") + sep;
    outside = join(temporary.folder, "outside");
    mkdirSync(outside);
    writeFileSync(join(outside, "file"), "before");
  });
  afterEach(() => temporary.remove());

  const refusalOf = (name: string): Promise<string> =>
    makeRoomFor(root, `${root}${name}`).then(
      () => "made",
      (error: Error) => error.message,
    );

  it("is made with the folders around it", async () => {
    expect(await refusalOf("a/b/c")).to.equal("made");
    expect(readdirSync(join(root, "a"))).to.deep.equal(["b"]);
  });

  it("is not made through a link that leads out, at any depth, and nothing is made there", async () => {
    mkdirSync(root);
    symlinkSync(outside, join(root, "link"));
    for (const name of ["link/x", "link/a/b/x"]) expect(await refusalOf(name)).to.match(/leads out of the folder/);
    expect(readdirSync(outside)).to.deep.equal(["file"]);
  });

  it("is not a link to a file outside", async () => {
    mkdirSync(root);
    symlinkSync(join(outside, "file"), join(root, "x"));
    expect(await refusalOf("x")).to.match(/leads out of the folder/);
  });

  it("may be a link within, and the folder itself a link", async () => {
    const real = join(temporary.folder, "real");
    mkdirSync(join(real, "inner"), { recursive: true });
    symlinkSync(real, root.slice(0, -1));
    symlinkSync(join(real, "inner"), join(real, "link"));
    expect(await refusalOf("link/x")).to.equal("made");
  });
});
