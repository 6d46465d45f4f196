import { readFileSync } from "node:fs";

/** Reads a file of the package. The package's tests hold it to its schema: nothing is validated again here. */
export function readJson<T>(name: string): T {
  return JSON.parse(readFileSync(new URL(`../${name}`, import.meta.url), "utf8"));
}
