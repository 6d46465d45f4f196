import ts from "typescript";
import type { PublicPackage } from "./public-packages.js";

/** One name of a package's index, and what stands behind it. */
export interface PackageExport {
  readonly name: string;
  readonly symbol: ts.Symbol;
  readonly declarations: readonly ts.Declaration[];
}

const OPTIONS: ts.CompilerOptions = {
  target: ts.ScriptTarget.ES2023,
  module: ts.ModuleKind.NodeNext,
  moduleResolution: ts.ModuleResolutionKind.NodeNext,
  strict: true,
  types: [],
  skipLibCheck: true,
  noEmit: true,
};

/** Sources and declarations of all packages in one program, so that what both import is parsed once. */
export function openProgram(packages: readonly PublicPackage[]): ts.Program {
  return ts.createProgram(
    packages.flatMap(({ source, declarations }) => [source, declarations]),
    OPTIONS,
    hostOfPrograms(),
  );
}

/** TypeScript's own declarations, by path. */
const libraries = new Map<string, ts.SourceFile | undefined>();

/** What reads files for a program; TypeScript's own declarations, which no package changes, are parsed for the first alone. */
function hostOfPrograms(): ts.CompilerHost {
  const host = ts.createCompilerHost(OPTIONS);
  const folder = host.getDefaultLibLocation?.();
  const getSourceFile: ts.CompilerHost["getSourceFile"] = (path, ...more) => {
    if (folder === undefined || !path.startsWith(folder)) return host.getSourceFile(path, ...more);
    if (!libraries.has(path)) libraries.set(path, host.getSourceFile(path, ...more));
    return libraries.get(path);
  };
  return { ...host, getSourceFile };
}

/** What the module at `file` exports, by name. */
export function exportsOf(program: ts.Program, file: string): readonly PackageExport[] {
  const checker = program.getTypeChecker();
  const source = program.getSourceFile(file);
  const module = source && checker.getSymbolAtLocation(source);
  if (module === undefined) return [];
  return checker
    .getExportsOfModule(module)
    .map((exported) => {
      const symbol = resolveAlias(checker, exported);
      return { name: exported.name, symbol, declarations: symbol.declarations ?? [] };
    })
    .sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** What a name stands for, through every import and re-export. */
export function resolveAlias(checker: ts.TypeChecker, symbol: ts.Symbol): ts.Symbol {
  return symbol.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(symbol) : symbol;
}

/** Whether the package itself declares it, rather than hands it on. */
export function isDeclaredIn(directory: string, declaration: ts.Declaration): boolean {
  return declaration.getSourceFile().fileName.startsWith(`${directory}/`);
}

/** Whether users of a class cannot see this member. */
export function isHidden(member: ts.Node): boolean {
  const name = (member as ts.NamedDeclaration).name;
  if (name !== undefined && ts.isPrivateIdentifier(name)) return true;
  return ts.canHaveModifiers(member) && ts.getModifiers(member)?.some(isPrivateKeyword) === true;
}

function isPrivateKeyword(modifier: ts.Modifier): boolean {
  return modifier.kind === ts.SyntaxKind.PrivateKeyword;
}
