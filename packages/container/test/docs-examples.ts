import { readFileSync } from "node:fs";
import { join } from "node:path";
import { repository } from "./fixture.js";

const AsyncFunction = Object.getPrototypeOf(async () => {}).constructor;

/** The JavaScript of a page, without its imports. */
export function examples(page: string): string[] {
  const text = readFileSync(join(repository, "docs", page), "utf8");
  return [...text.matchAll(/^```js\n(.*?)^```$/gms)].map(([, code = ""]) => code.replace(/^import .*$/gm, ""));
}

/** Runs an example with these names in scope, and then a last statement, whose `return` is given back. */
export async function run<T = void>(
  example: string | undefined,
  scope: Record<string, unknown>,
  last = "",
): Promise<T> {
  if (example === undefined) throw new Error("The page has lost an example.");
  return await new AsyncFunction(...Object.keys(scope), `${example}\n${last}`)(...Object.values(scope));
}
