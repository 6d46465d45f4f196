import { readFileSync } from "node:fs";
export function readEquivalents(url) {
    return JSON.parse(readFileSync(url, "utf8"));
}
export function isEquivalent(list, file, { lineText, change }) {
    return list.some((one) => one.file === file && one.line === lineText && one.change === change);
}
