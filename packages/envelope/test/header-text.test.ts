import { expect } from "chai";
import fc from "fast-check";
import { decodeHeaderText } from "../dist/header-text.js";
import { formatStringMap, stringMap } from "../dist/string-map.js";

const TEXT = '{"k":"é漢"}';
const b = (text: string): string => `=?UTF-8?B?${Buffer.from(text, "utf8").toString("base64")}?=`;
const q = (text: string): string =>
  `=?utf-8?q?${[...Buffer.from(text, "utf8")].map((byte) => `=${byte.toString(16).padStart(2, "0")}`).join("")}?=`;
/** UTF-8 read as Latin-1, as S3 does with header bytes. */
const misread = (text: string): string => Buffer.from(text, "utf8").toString("latin1");

describe("decodeHeaderText", () => {
  const cases: [what: string, stored: string, text: string][] = [
    ["a B word around misread UTF-8 (the answer of 1.9)", "=?UTF-8?B?eyJrIjoiw4PCqcOmwrzCoiJ9?=", TEXT],
    ["a Q word around misread UTF-8", q(misread(TEXT)), TEXT],
    ["a B word around UTF-8 that was not misread", b(TEXT), TEXT],
    ["_ as a space in a Q word", "=?UTF-8?Q?a_b=20c?=", "a b c"],
    ["raw bytes as Latin-1", misread(TEXT), TEXT],
    ["adjacent words, joined without their space", `${b(misread('{"k":"é'))} ${b(misread('漢"}'))}`, TEXT],
    ["adjacent words of both kinds over a folded line", `${b(misread('{"k":"é'))}\r\n ${q(misread('漢"}'))}`, TEXT],
    ["adjacent words that split a character", `${b(misread("é").slice(0, 1))} ${b(misread("é").slice(1))}`, "é"],
    ["words with nothing between them", `${b("x")}${q("é")}`, "xé"],
    ["a word between other text, which is the caller's own", `a ${b("x")} b`, `a ${b("x")} b`],
    ["a word in a string of JSON, which is the caller's own", `{"k":"${b("x")}"}`, `{"k":"${b("x")}"}`],
    ["a word before other text", `${b("x")} y`, `${b("x")} y`],
    ["raw bytes as Latin-1 around a word", misread(`{"é":"${b("x")}"}`), `{"é":"${b("x")}"}`],
    ["a word that can be read before one that cannot", `${b("x")} =?UTF-8?B?/w==?=`, `${b("x")} =?UTF-8?B?/w==?=`],
    ["real Latin-1, which is no UTF-8", '{"k":"\u00e9"}', '{"k":"\u00e9"}'],
    ["text above U+00FF", TEXT, TEXT],
    ["text above U+00FF beside what alone would be misread", "Ã©漢", "Ã©漢"],
    ["ASCII, PHP's escapes among it", '{"k":"a\\/b\\u00e9"}', '{"k":"a\\/b\\u00e9"}'],
    ["a word whose bytes are no UTF-8", "=?UTF-8?B?/w==?=", "=?UTF-8?B?/w==?="],
    ["a word of another charset", "=?ISO-8859-1?Q?=E9?=", "=?ISO-8859-1?Q?=E9?="],
    ["an unfinished word", "=?UTF-8?B?eyJ", "=?UTF-8?B?eyJ"],
  ];
  for (const [what, stored, text] of cases) {
    it(`reads ${what} (H18)`, () => expect(decodeHeaderText(stored)).to.equal(text));
  }

  it("leaves whatever our own writer stores as it is, encoded words in values among it", () => {
    const value = fc.oneof(fc.string({ unit: "binary" }), fc.constantFrom(b("x"), q("é"), "=?", "==?="));
    fc.assert(
      fc.property(fc.dictionary(value, value), (map) => {
        const stored = formatStringMap(stringMap(Object.entries(map)));
        expect(decodeHeaderText(stored)).to.equal(stored);
      }),
    );
  });

  it("never throws, whatever a header holds", () => {
    const piece = fc.constantFrom(
      "=?UTF-8?B?",
      "=?utf-8?q?",
      "?=",
      " ",
      "=C3",
      "=C3=A9",
      "w6k=",
      "\u00c3",
      "\u00a9",
      "漢",
    );
    fc.assert(
      fc.property(fc.array(fc.oneof(piece, fc.string({ unit: "binary" }))), (pieces) => {
        expect(decodeHeaderText(pieces.join(""))).to.be.a("string");
      }),
    );
  });
});
