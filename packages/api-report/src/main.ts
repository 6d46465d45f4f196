import { fileURLToPath } from "node:url";
import { readApi } from "./read-api.js";
import { outdatedReports, storeReports } from "./stored-reports.js";

const ROOT = fileURLToPath(new URL("../../..", import.meta.url));
const REPORTS = fileURLToPath(new URL("../../../docs/api", import.meta.url));

const { reports, missing } = readApi(ROOT);
if (process.argv.includes("--write")) storeReports(REPORTS, reports);
const mistakes = [...missing, ...outdatedReports(REPORTS, reports)];
for (const mistake of mistakes) console.error(mistake);
if (mistakes.length > 0) process.exitCode = 1;
