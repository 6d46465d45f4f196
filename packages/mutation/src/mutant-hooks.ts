import type { LoadHook } from "node:module";
import { MUTANT_CODE, MUTANT_URL } from "./mutant-variables.js";

/** Gives the altered file where the built one is imported. */
export const load: LoadHook = (url, context, nextLoad) => {
  const source = process.env[MUTANT_CODE];
  if (source === undefined || url !== process.env[MUTANT_URL]) return nextLoad(url, context);
  return { format: "module", source, shortCircuit: true };
};
