import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { expect } from "chai";
import { PICTURES } from "../dist/pictures/all.js";
import { svg, WIDTH } from "../dist/pictures/svg.js";

const FOLDER = fileURLToPath(new URL("../../../docs/pictures/", import.meta.url));

describe("the pictures of docs", () => {
  it("are those that npm run pictures makes", () => {
    expect(readdirSync(FOLDER).sort()).to.deep.equal(PICTURES.map(({ name }) => `${name}.svg`).sort());
    for (const picture of PICTURES) {
      expect(readFileSync(`${FOLDER}${picture.name}.svg`, "utf8"), picture.name).to.equal(svg(picture));
    }
  });

  for (const picture of PICTURES) {
    it(`keep what they show within their edges: ${picture.name}`, () => {
      const text = svg(picture);
      for (const [, x = "", y = "", width = "", height = ""] of text.matchAll(
        /<rect class="\w+" x="([\d.]+)" y="([\d.]+)" width="([\d.]+)" height="([\d.]+)"/g,
      )) {
        expect(Number(x) + Number(width)).to.be.at.most(WIDTH);
        expect(Number(y) + Number(height)).to.be.at.most(picture.height);
      }
      for (const [, style = "", x = "", y = "", middle, shown = ""] of text.matchAll(
        /<text(?: class="(\w+)")? x="([\d.]+)" y="([\d.]+)"( text-anchor="middle")?>([^<]*)</g,
      )) {
        // Some 7.4 pixels a letter at most, of the fonts that are named.
        const half = (shown.replace(/&\w+;/g, "x").length * (style === "small" ? 6.6 : 7.4)) / 2;
        const centre = Number(x) + (middle === undefined ? half : 0);
        expect(centre - half, shown).to.be.at.least(0);
        expect(centre + half, shown).to.be.at.most(WIDTH + 4);
        expect(Number(y), shown).to.be.at.most(picture.height - 4);
      }
    });
  }
});
