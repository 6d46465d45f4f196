import { readFileSync } from "node:fs";

const SOURCE = readFileSync(new URL("../consumer/put-and-get.ts", import.meta.url), "utf8");

/** Beside each recipe's own files: what puts and gets, for every kind of module. */
export const CONSUMER: Readonly<Record<string, string>> = {
  "put-and-get.ts": SOURCE,
  "put-and-get.mjs": SOURCE,
  "put-and-get.cjs": SOURCE.replaceAll(/^import (.+) from (.+);$/gm, "const $1 = require($2);").replace(
    "export async function",
    "exports.putAndGet = putAndGet;\nasync function",
  ),
};
