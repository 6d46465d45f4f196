import { basename } from "node:path";
import type ts from "typescript";
import { missingDocstrings } from "./docstrings.js";
import { exportsOf, openProgram } from "./package-exports.js";
import { publicPackages } from "./public-packages.js";
import { apiReport } from "./report.js";
import { unexportedTypes } from "./unexported-types.js";

/** What the published packages export, and what is missing from what they say about it. */
export interface Api {
  /** The text of each package's report, by file name. */
  readonly reports: ReadonlyMap<string, string>;
  /** Docstrings, `@throws` and exports that are missing: `file: what is missing`. */
  readonly missing: readonly string[];
}

/** Reads the monorepo at `root`, which must be built. */
export function readApi(root: string): Api {
  const packages = publicPackages(root);
  const program = openProgram(packages);
  const errorCodes = new Set(packages.flatMap(({ source }) => readErrorCodes(program, source)));
  return {
    reports: new Map(packages.map((each) => [`${basename(each.path)}.api.md`, apiReport(program, each)])),
    missing: packages.flatMap((each) => [
      ...missingDocstrings(program, each, errorCodes),
      ...unexportedTypes(program, each),
    ]),
  };
}

/** The closed union of codes, from the package that declares it. */
function readErrorCodes(program: ts.Program, source: string): readonly string[] {
  const union = exportsOf(program, source).find(({ name }) => name === "S3EncryptionErrorCode");
  const type = union && program.getTypeChecker().getDeclaredTypeOfSymbol(union.symbol);
  return type?.isUnion() ? type.types.flatMap((member) => (member.isStringLiteral() ? [member.value] : [])) : [];
}
