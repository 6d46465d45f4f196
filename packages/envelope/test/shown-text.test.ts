import { printable, quoted, quotedList } from "@s3ec/envelope";
import { expect } from "chai";
import fc from "fast-check";

describe("text that somebody else wrote", () => {
  for (const [what, text, shown] of [
    ["escape sequences", "\u001b[2J\u001b]0;owned\u0007", "\\u001b[2J\\u001b]0;owned\\u0007"],
    ["control characters of one byte", "\u009b31m\u007f", "\\u009b31m\\u007f"],
    [
      "line breaks of every kind",
      "a\r\nb\u2028c\u2029d\u0085e\u000bf",
      "a\\u000d\\u000ab\\u2028c\\u2029d\\u0085e\\u000bf",
    ],
    ["marks that reverse text", "\u202etxt.\u2066x\u200f", "\\u202etxt.\\u2066x\\u200f"],
    ["characters without a width", "a\u200bb\ufeffc\u00add", "a\\u200bb\\ufeffc\\u00add"],
    ["tags, outside the basic plane", "\u{e0041}", "\\udb40\\udc41"],
    ["halves of characters", "\ud800x", "\\ud800x"],
  ] as const) {
    it(`shows ${what} escaped`, () => {
      expect(printable(text)).to.equal(shown);
    });
  }

  it("is left as it is where it can be read", () => {
    const text = 'Größe = 5 µm, "名前" \\ 🙂 {}';
    expect(printable(text)).to.equal(text);
  });

  it("stays valid JSON with the same meaning inside of JSON", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (text) => {
        expect(JSON.parse(printable(JSON.stringify({ text })))).to.deep.equal({ text });
      }),
    );
  });

  it("cannot leave its quotes, break a line or go on for long in a message", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary", maxLength: 500 }), (text) => {
        const shown = quoted(text);
        expect(shown).to.match(/^"(?:[^"\\]|\\.)*"(?: \(\d+ characters\))?$/u);
        expect(printable(shown)).to.equal(shown);
        expect(shown.length).to.be.at.most(6 * 80 + 40);
      }),
    );
    expect(quoted('a"b\\')).to.equal('"a\\"b\\\\"');
    expect(quoted("x".repeat(81))).to.equal(`"${"x".repeat(80)}..." (81 characters)`);
  });

  it("is listed once each, and not without end", () => {
    expect(quotedList(["a", "b", "a"])).to.equal('"a", "b"');
    expect(quotedList(Array.from({ length: 100 }, (_, index) => `${index}`))).to.equal(
      '"0", "1", "2", "3", "4" and 95 more',
    );
  });
});
