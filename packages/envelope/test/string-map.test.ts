import { refused } from "@s3ec/test-support";
import { expect } from "chai";
import fc from "fast-check";
import {
  EMPTY_STRING_MAP,
  formatStringMap,
  isSameStringMap,
  parseDescription,
  parseFlatJson,
  parseStringMap,
  stringMap,
  unknownDescriptionText,
} from "../dist/string-map.js";

const anyMap = fc.dictionary(fc.string({ unit: "binary" }), fc.string({ unit: "binary" }));

describe("string maps", () => {
  it("are written as ASCII without any whitespace byte, and read back the same (H7, H18)", () => {
    fc.assert(
      fc.property(anyMap, (map) => {
        const stored = formatStringMap(stringMap(Object.entries(map)));
        expect(stored).to.match(/^[\x21-\x7e]+$/);
        expect(isSameStringMap(parseStringMap(stored, "map"), map)).to.equal(true);
      }),
    );
  });

  const written: [what: string, entries: [string, string][], text: string][] = [
    ["nothing", [], "{}"],
    [
      "entries in their order",
      [
        ["b", "1"],
        ["a", "2"],
      ],
      '{"b":"1","a":"2"}',
    ],
    ["spaces and controls", [["a b", "\t\u007f\u2028"]], '{"a\\u0020b":"\\t\\u007f\\u2028"}'],
    ["text beyond ASCII", [["k", "é漢😀"]], '{"k":"\\u00e9\\u6f22\\ud83d\\ude00"}'],
    ["what would read as an encoded word", [["k", "=?UTF-8?B?eA==?="]], '{"k":"=\\u003fUTF-8?B?eA==\\u003f="}'],
    ["a name that objects give a meaning", [["__proto__", "x"]], '{"__proto__":"x"}'],
  ];
  for (const [what, entries, text] of written) {
    it(`writes ${what}`, () => expect(formatStringMap(stringMap(entries))).to.equal(text));
  }

  const read: [what: string, text: string, entries: Record<string, string>][] = [
    ["pretty-printed", '{\r\n\t"a" : "1",\n  "b":"2"\n}\n', { a: "1", b: "2" }],
    ["a byte order mark", '\ufeff{"a":"1"}', { a: "1" }],
    ["PHP's slashes, Go's and .NET's escapes", '{"a":"x\\/y\\u003c\\u00e9"}', { a: "x/y<é" }],
    ["quotes, colons and names inside of values", '{"a":"\\"b\\":","b":"\\\\"}', { a: '"b":', b: "\\" }],
  ];
  for (const [what, text, entries] of read) {
    it(`reads ${what}`, () => expect({ ...parseStringMap(text, "map") }).to.deep.equal(entries));
  }

  const unreadable: [what: string, text: string][] = [
    ["no text", ""],
    ["no JSON", "{a:1}"],
    ["two documents", "{}{}"],
    ["an array", '["a"]'],
    ["a string", '"{}"'],
    ["null", "null"],
    ["a number as value", '{"a":1}'],
    ["null as value", '{"a":null}'],
    ["a boolean as value", '{"a":true}'],
    ["an object as value", '{"a":{"b":"c"}}'],
    ["an array as value", '{"a":["b"]}'],
    ["a name twice", '{"a":"1","a":"1"}'],
    ["a name twice, once escaped", '{"a":"1","\\u0061":"2"}'],
    ["a name twice, pretty-printed behind a byte order mark", '\ufeff{ "a" : "1" ,\n "a"\t: "2" }'],
    ["a name twice beside a value that looks like a name", '{"a":"\\"b\\":","a":"1"}'],
    ["__proto__ twice", '{"__proto__":"1","__proto__":"2"}'],
  ];
  for (const [what, text] of unreadable) {
    it(`refuses ${what} (S14)`, () => {
      expect(refused("malformed-envelope", () => parseStringMap(text, "map")).message).to.equal(
        "The map stored with the object is not a JSON object of strings.",
      );
    });
  }

  const descriptions: [what: string, text: string, entries: Record<string, string> | undefined][] = [
    ["a map of strings", '{"a":"1"}', { a: "1" }],
    ["PHP's empty array", "[]", {}],
    ["PHP's empty array behind a byte order mark", "\ufeff [ ]", {}],
    ["a number as value", '{"version":2}', undefined],
    ["an object as value", '{"key":{"year":"2015"}}', undefined],
    ["a string", '"prod"', undefined],
    ["an array", '["2015"]', undefined],
    ["a number", "2015", undefined],
    ["null", "null", undefined],
    ["a list of entries", '[["a","1"]]', undefined],
  ];
  for (const [what, text, entries] of descriptions) {
    it(`read a raw wrap's description that is ${what} as ${entries === undefined ? "an unknown one" : "a map"}`, () => {
      const map = parseDescription(text, "description");
      expect(Object.entries(map)).to.deep.equal(Object.entries(entries ?? {}));
      expect(map).to.be.frozen;
      expect(unknownDescriptionText(map)).to.equal(entries === undefined ? text : undefined);
      // Neither a configured description nor a copy of this one may be taken for an unknown one.
      for (const other of [entries ?? EMPTY_STRING_MAP, map, { ...map }]) {
        expect(isSameStringMap(map, other)).to.equal(entries !== undefined);
        expect(isSameStringMap(other, map)).to.equal(entries !== undefined);
      }
    });
  }
  for (const text of ["", "prod", "{a:1}", "{}{}", '{"a":"1","a":"2"}', '{"a":1,"a":"2"}']) {
    it(`refuse a raw wrap's description of ${JSON.stringify(text)} (S14)`, () => {
      refused("malformed-envelope", () => parseDescription(text, "description"));
    });
  }

  for (const text of ["5", "true", '""', "null", "[]", '{"a":{}}', '{"a":[]}', '{"a":null}']) {
    it(`are flat objects, which ${text} is not (S14)`, () => {
      refused("malformed-envelope", () => parseFlatJson(text, "map"));
    });
  }

  it("refuse any text in one way only", () => {
    const jsonLike = fc.oneof(
      fc.string(),
      fc.json(),
      anyMap.map((map) => JSON.stringify(map)),
    );
    fc.assert(
      fc.property(jsonLike, (text) => {
        try {
          for (const value of parseFlatJson(text, "map").values()) expect(value).to.not.be.an("object");
        } catch (error) {
          expect(error).to.have.property("code", "malformed-envelope");
        }
      }),
    );
  });

  it("count every name of valid JSON once, whatever the strings hold", () => {
    fc.assert(
      fc.property(anyMap, fc.constantFrom(undefined, 1, "\t"), (map, indent) => {
        const entries = parseFlatJson(JSON.stringify(map, null, indent), "map");
        expect([...entries]).to.deep.equal(Object.entries(map));
      }),
    );
  });

  it("take __proto__ for a name like any other (S14)", () => {
    const map = parseStringMap('{"__proto__":"x"}', "map");
    expect(Object.entries(map)).to.deep.equal([["__proto__", "x"]]);
    expect(Object.getPrototypeOf(map)).to.equal(null);
    expect(map).to.be.frozen;
    expect(isSameStringMap(map, EMPTY_STRING_MAP)).to.equal(false);
  });

  const compared: [a: Record<string, string>, b: Record<string, string>, same: boolean][] = [
    [{ a: "1", b: "2" }, { b: "2", a: "1" }, true],
    [{ a: "1" }, { a: "1", b: "2" }, false],
    [{ a: "1", b: "2" }, { a: "1" }, false],
    [{ a: "1" }, { a: "2" }, false],
    [{ a: "1" }, { A: "1" }, false],
    [{ constructor: "1" }, { a: "1" }, false],
    [{ inherited: "1" }, Object.assign(Object.create({ inherited: "1" }), { own: "1" }), false],
  ];
  for (const [a, b, same] of compared) {
    it(`${JSON.stringify(a)} ${same ? "is" : "is not"} ${JSON.stringify(b)} (H12)`, () => {
      expect(isSameStringMap(a, b)).to.equal(same);
    });
  }
});
