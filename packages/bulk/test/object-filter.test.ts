import { filterObjects, type ObjectFilterOptions, objectFilter, type StoredObject } from "@s3ec/bulk";
import { expect } from "chai";
import { gathered, refusal } from "./gathered.js";

const OBJECTS: readonly StoredObject[] = [
  { Key: "a.txt", Size: 0, LastModified: new Date("2026-01-01T00:00:00Z") },
  { Key: ".hidden", Size: 10, LastModified: new Date("2026-02-01T00:00:00Z") },
  { Key: "logs/a.txt", Size: 11, LastModified: new Date("2026-03-01T00:00:00Z") },
  { Key: "logs/2026/!b.txt", Size: 1000, LastModified: new Date("2026-04-01T00:00:00Z") },
];

async function* source(objects: readonly StoredObject[] = OBJECTS) {
  yield* objects;
}

describe("objectFilter", () => {
  const cases: readonly (readonly [ObjectFilterOptions, readonly number[]])[] = [
    [{}, [0, 1, 2, 3]],
    [{ glob: "*" }, [0, 1]],
    [{ glob: "*.txt" }, [0]],
    [{ glob: "**/*.txt" }, [0, 2, 3]],
    [{ glob: "logs/**" }, [2, 3]],
    [{ glob: "logs/*/?b.txt" }, [3]],
    [{ glob: "logs/*/[^!]b.txt" }, []],
    [{ glob: "!a.txt" }, []],
    [{ glob: "{a,b}.txt" }, [0]],
    [{ largerThan: 10 }, [2, 3]],
    [{ smallerThan: 11 }, [0, 1]],
    [{ largerThan: 0, smallerThan: 1000 }, [1, 2]],
    [{ olderThan: new Date("2026-02-01T00:00:00Z") }, [0]],
    [{ newerThan: new Date("2026-02-01T00:00:00Z"), olderThan: new Date("2026-04-01T00:00:00Z") }, [1, 2]],
    [{ glob: "logs/**", smallerThan: 100 }, [2]],
  ];
  for (const [options, expected] of cases) {
    it(`takes those of ${JSON.stringify(options)}`, async () => {
      const found = await gathered(filterObjects(source(), objectFilter(options)));
      expect(found).to.deep.equal(expected.map((index) => OBJECTS[index]));
    });
  }

  it("refuses to guess what a source does not say", async () => {
    for (const options of [
      { largerThan: 1 },
      { smallerThan: 1 },
      { olderThan: new Date() },
      { newerThan: new Date() },
    ]) {
      const error = await refusal(gathered(filterObjects(source([{ Key: "a" }]), objectFilter(options))));
      expect(error.code).to.equal("invalid-argument");
      expect(error.message).to.contain("does not say");
    }
  });

  it("is told what is wrong with its options", () => {
    for (const options of [{ glop: "*" }, { glob: "" }, { largerThan: Number.NaN }, { olderThan: new Date("x") }]) {
      expect(() => objectFilter(options as ObjectFilterOptions)).to.throw(Error);
    }
  });
});
