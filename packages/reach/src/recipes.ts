import type { Recipe } from "./recipe.js";
import { BROWSERS } from "./recipes/browsers.js";
import { BUNDLERS } from "./recipes/bundlers.js";
import { FRAMEWORKS } from "./recipes/frameworks.js";
import { MOCKS } from "./recipes/mocks.js";
import { PLAIN } from "./recipes/plain.js";
import { PROGRAMS } from "./recipes/programs.js";
import { RUNTIMES } from "./recipes/runtimes.js";
import { TEST_RUNNERS } from "./recipes/test-runners.js";
import { TRACES } from "./recipes/traces.js";
import { TYPESCRIPT } from "./recipes/typescript.js";
import { WORKERS } from "./recipes/workers.js";

/**
 * Not the product of runtimes, package managers, loaders and kinds of modules, but pairs: each with each other of another kind
 * in some row, as far as the two exist for each other.
 */
export const RECIPES: readonly Recipe[] = [
  ...PLAIN,
  ...RUNTIMES,
  ...TYPESCRIPT,
  ...TEST_RUNNERS,
  ...MOCKS,
  ...BUNDLERS,
  ...FRAMEWORKS,
  ...TRACES,
  ...WORKERS,
  ...PROGRAMS,
  ...BROWSERS,
];
