import ts from "typescript";
import { exportsOf, isDeclaredIn, isHidden, resolveAlias } from "./package-exports.js";
import type { PublicPackage } from "./public-packages.js";

/** `file: sentence` for every type that a signature names and no user can name, since the package keeps it to itself. */
export function unexportedTypes(program: ts.Program, subject: PublicPackage): readonly string[] {
  const checker = program.getTypeChecker();
  const exported = exportsOf(program, subject.declarations);
  const known = new Set(exported.map(({ symbol }) => symbol));
  const found = new Set<string>();

  const visit = (node: ts.Node, of: string): void => {
    if (isHidden(node)) return;
    const named = namedEntity(node);
    const local = named && checker.getSymbolAtLocation(named);
    if (local !== undefined) {
      const symbol = resolveAlias(checker, local);
      if (isTopLevelOf(subject, symbol) && !known.has(symbol)) {
        found.add(`${subject.path}/src/index.ts: ${of} names ${symbol.name}, which is not exported.`);
      }
    }
    ts.forEachChild(node, (child) => visit(child, of));
  };
  for (const { name, declarations } of exported) {
    for (const declaration of declarations) if (isDeclaredIn(subject.directory, declaration)) visit(declaration, name);
  }
  return [...found];
}

/** The name by which a node refers to a type, or to the type of a value. */
function namedEntity(node: ts.Node): ts.Node | undefined {
  if (ts.isTypeReferenceNode(node)) return node.typeName;
  if (ts.isTypeQueryNode(node)) return node.exprName;
  if (ts.isExpressionWithTypeArguments(node)) return node.expression;
  return ts.isImportTypeNode(node) ? node.qualifier : undefined;
}

/** Type parameters and the members of a type have no export of their own. */
function isTopLevelOf(subject: PublicPackage, symbol: ts.Symbol): boolean {
  const [declaration] = symbol.declarations ?? [];
  if (declaration === undefined || !isDeclaredIn(subject.directory, declaration)) return false;
  const statement = ts.isVariableDeclaration(declaration) ? declaration.parent.parent : declaration;
  return ts.isSourceFile(statement.parent);
}
