import { execFileSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

/** Writes the manual page that the package brings along. */
const pathOf = (name) => fileURLToPath(new URL(name, new URL("../", import.meta.url)));
mkdirSync(pathOf("man"), { recursive: true });
writeFileSync(pathOf("man/s3ec.1"), execFileSync(process.execPath, [pathOf("dist/bin.js"), "man"]));
