import type { Recipe } from "../recipe.js";

const JEST_CONFIG = `module.exports = {
  transform: { "\\\\.js$": ["babel-jest", { presets: [["@babel/preset-env", { targets: { node: "current" } }]] }] },
  transformIgnorePatterns: ["node_modules/(?!.*@s3ec)"],
};
`;

const TEST = `test("puts and gets", async () => {
  expect(await putAndGet()).toContain("same bytes");
});
`;

/** Runners of tests, which load modules in their own ways. */
export const TEST_RUNNERS: readonly Recipe[] = [
  {
    name: "jest-commonjs",
    runtime: "Node 22",
    manager: "npm",
    modules: "CommonJS",
    loadedBy: "Jest {jest}, as in the section on it",
    packages: { jest: "30", "@babel/core": "7", "@babel/preset-env": "7" },
    files: {
      "jest.config.cjs": JEST_CONFIG,
      "put-and-get.test.js": `const { putAndGet } = require("./put-and-get.cjs");\n${TEST}`,
    },
    steps: [["jest"]],
  },
  {
    name: "jest-es-modules",
    runtime: "Node 24",
    manager: "Yarn, node_modules",
    modules: "ES modules",
    loadedBy: "Jest {jest}, `--experimental-vm-modules`",
    packages: { jest: "30" },
    files: {
      "jest.config.cjs": `module.exports = { testMatch: ["**/*.test.mjs"], transform: {} };\n`,
      "put-and-get.test.mjs": `import { putAndGet } from "./put-and-get.mjs";\n${TEST}`,
    },
    steps: [["node", "--experimental-vm-modules", "node_modules/jest/bin/jest.js"]],
  },
  {
    name: "vitest",
    runtime: "Node 24",
    manager: "pnpm",
    modules: "ES modules",
    loadedBy: "Vitest {vitest}",
    packages: { vitest: "5", vite: "8" },
    files: {
      "put-and-get.test.mjs": `import { expect, test } from "vitest";\nimport { putAndGet } from "./put-and-get.mjs";\n${TEST}`,
    },
    steps: [["vitest", "run"]],
  },
];
