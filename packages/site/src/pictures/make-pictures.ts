import { writeFile } from "node:fs/promises";
import { PICTURES } from "./all.js";
import { svg } from "./svg.js";

for (const picture of PICTURES) {
  await writeFile(new URL(`../../../../docs/pictures/${picture.name}.svg`, import.meta.url), svg(picture));
}
