import { createContext, runInContext } from "node:vm";
import { callersStringMap, stringMap } from "@s3ec/envelope";
import { refused } from "@s3ec/test-support";
import { expect } from "chai";

describe("a caller's map of strings", () => {
  const plain: [what: string, map: object][] = [
    ["an object", { tenant: "a" }],
    ["an object without prototype", Object.assign(Object.create(null), { tenant: "a" })],
    ["an object of another realm", runInContext('({ tenant: "a" })', createContext())],
    ["a map of ours", stringMap([["tenant", "a"]])],
  ];
  for (const [what, map] of plain) {
    it(`is taken as ${what}`, () => {
      const copy = callersStringMap(map, "encryptionContext");
      expect(copy).to.deep.equal(stringMap([["tenant", "a"]]));
      expect(copy).to.be.frozen;
    });
  }

  class Context {
    readonly tenant = "a";
  }
  const hidden = Object.defineProperty({}, "tenant", { value: "a" });
  const others: [what: string, map: unknown][] = [
    ["a Map", new Map([["tenant", "a"]])],
    ["Headers", new Headers({ tenant: "a" })],
    ["URLSearchParams", new URLSearchParams("tenant=a")],
    ["FormData", new FormData()],
    ["an instance of a class", new Context()],
    ["an object that inherits its entries", Object.create({ tenant: "a" })],
    [
      "an object that inherits them from one without prototype",
      Object.create(Object.assign(Object.create(null), { tenant: "a" })),
    ],
    ["a Map of another realm", runInContext('new Map([["tenant", "a"]])', createContext())],
    ["a function", () => ({ tenant: "a" })],
    ["an array", [["tenant", "a"]]],
    ["a Date", new Date(0)],
    ["text", "tenant=a"],
    ["null", null],
    ["an object with an entry that is not enumerable", hidden],
    ["an object with an entry named by a symbol", { [Symbol("tenant")]: "a" }],
    ["an object with an entry that is no text", { tenant: 1 }],
  ];
  for (const [what, map] of others) {
    it(`is refused as ${what}: it would pass for an empty one`, () => {
      const { message } = refused("invalid-argument", () => callersStringMap(map, "encryptionContext"));
      expect(message).to.match(/^encryptionContext must/);
    });
  }
});
