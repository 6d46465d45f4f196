import { expect } from "chai";
import { stagesOf } from "../dist/stages.js";

const source = { path: "src/a.ts", url: "a", tests: ["own", "quick", "slow", "other"], own: ["own"] };
const load = (file: string, ...at: number[]) => ({ file, executed: { a: at } });
const test = (file: string, took: number, ...at: number[]) => ({
  file,
  test: `${file} ${took}`,
  took,
  executed: { a: at },
});
const moments = [
  load("own", 1),
  test("own", 900, 2),
  load("quick"),
  test("quick", 1, 2),
  test("quick", 2, 3),
  load("slow"),
  test("slow", 50, 2),
  test("other", 1),
];

describe("the runs that a mutant is given", () => {
  it("are of the tests that executed its place: the file's own and quick ones, then all of their files", () => {
    expect(stagesOf(source, moments, 2, [])).to.deep.equal([
      { files: ["own"], only: ["own 900"], took: 900 },
      { files: ["own", "quick", "slow"], took: 953 },
    ]);
    expect(stagesOf(source, moments, 3, [])[0]?.only).to.deep.equal(["quick 2"]);
  });

  it("begin with the test that noticed the last mutant of the file", () => {
    expect(stagesOf(source, moments, 2, ["own 900", "slow 50"])[0]?.only).to.deep.equal(["slow 50"]);
  });

  it("do not begin with what takes long", () => {
    const slow = [test("quick", 1, 5), test("quick", 700, 5), test("own", 400, 5)];
    expect(stagesOf(source, slow, 5, [])[0]).to.deep.equal({
      files: ["own", "quick"],
      only: ["own 400", "quick 1"],
      took: 401,
    });
  });

  it("are of all tests where the place is executed by loading a file, or by nothing that is seen", () => {
    for (const at of [1, 4]) {
      expect(stagesOf(source, moments, at, [])).to.deep.equal([
        { files: ["own"], took: 900 },
        { files: ["quick", "slow", "other"], took: 54 },
      ]);
    }
  });
});
