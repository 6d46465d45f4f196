import { expect } from "chai";
import { Command } from "commander";
import { filterOptions, pathFilter, shellPattern } from "../../dist/objects/path-filter.js";

describe("the patterns of --include and --exclude", () => {
  // What Python's fnmatch.fnmatchcase answers, which aws s3 asks.
  for (const [pattern, name, fits] of [
    ["*", "", true],
    ["a-b/*", "a-b/c", true],
    ["*", "a/b/.c", true],
    ["*.txt", "a/b.txt", true],
    ["*.txt", "a.txt/b", false],
    ["a?c", "a/c", true],
    ["a?c", "a🦆c", true],
    ["a?c", "ac", false],
    ["[ab]x", "bx", true],
    ["[!ab]x", "bx", false],
    ["[!ab]x", "cx", true],
    ["[a-c]x", "bx", true],
    ["[a-c]x", "-x", false],
    ["[]]x", "]x", true],
    ["[!]]x", "]x", false],
    ["[!]]x", "ax", true],
    ["[a", "[a", true],
    ["[c-a]x", "bx", false],
    ["[!c-a]x", "bx", true],
    ["[-a]x", "-x", true],
    ["[a-]x", "-x", true],
    ["[^a]x", "^x", true],
    ["[\\]x", "\\x", true],
    ["a.c", "abc", false],
    ["a+(b)|{c}$^", "a+(b)|{c}$^", true],
    ["\\*", "\\anything", true],
    ["*.txt", "A.TXT", false],
    ["a\nb*", "a\nbc\nd", true],
  ] as const) {
    it(`${JSON.stringify(pattern)} ${fits ? "fits" : "does not fit"} ${JSON.stringify(name)}`, () => {
      expect(shellPattern(pattern).test(name)).to.equal(fits);
    });
  }

  it("mean everything without rules", () => {
    expect(pathFilter([])("anything")).to.equal(true);
  });

  it("are taken in the order of the command line: the last that fits wins", () => {
    const filterOf = (...args: string[]): ((name: string) => boolean) => {
      const command = new Command().exitOverride();
      const rules = filterOptions(command);
      command.parse(args, { from: "user" });
      return pathFilter(rules());
    };
    const onlyText = filterOf("--exclude", "*", "--include", "*.txt");
    expect(["a.txt", "b/c.txt", "d.bin"].map(onlyText)).to.deep.equal([true, true, false]);
    const nothing = filterOf("--include", "*.txt", "--exclude", "*");
    expect(nothing("a.txt")).to.equal(false);
    const thirdWins = filterOf("--exclude", "*", "--include", "*.txt", "--exclude", "secret*");
    expect(["a.txt", "secret.txt"].map(thirdWins)).to.deep.equal([true, false]);
  });
});
