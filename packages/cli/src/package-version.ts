import { readFileSync } from "node:fs";

/** The version of this package. A bundle has its own in the place of this file: there is no package beside it. */
export function packageVersion(): string {
  const { version }: { readonly version: string } = JSON.parse(
    readFileSync(new URL("../package.json", import.meta.url), "utf8"),
  );
  return version;
}
