import ts from "typescript";
import { resolveAlias } from "./package-exports.js";

/**
 * Whether calling this function, method or constructor runs a `throw` that nothing of it catches: in its own body, in those
 * of the functions of its package that it calls, or in one of another package whose docstring says `@throws`.
 * What is called through an interface is not followed: the interface says what it throws.
 */
export function mayThrow(node: ts.Node, checker: ts.TypeChecker, onTheWay: ReadonlySet<ts.Node> = new Set()): boolean {
  if (!ts.isFunctionLike(node) || onTheWay.has(node)) return false;
  const body = "body" in node ? node.body : undefined;
  if (body === undefined) return isFunctionOrConstructor(node) && saysThrows(node);
  const way = new Set([...onTheWay, node]);

  const throwsIn = (part: ts.Node): boolean => {
    if (ts.isThrowStatement(part)) return true;
    if (ts.isTryStatement(part) && part.catchClause !== undefined) {
      return throwsIn(part.catchClause.block) || (part.finallyBlock !== undefined && throwsIn(part.finallyBlock));
    }
    if (ts.isFunctionLike(part) && !isCallback(part)) return false;
    if (ts.isCallExpression(part) || ts.isNewExpression(part)) {
      if (callees(part, checker).some((callee) => mayThrow(callee, checker, way))) return true;
    }
    return ts.forEachChild(part, throwsIn) ?? false;
  };
  return throwsIn(body);
}

/** A function that is written where it is handed over, as to `map`, runs with the call. */
function isCallback(node: ts.Node): boolean {
  return ts.isArrowFunction(node) && ts.isCallExpression(node.parent);
}

function callees(call: ts.CallExpression | ts.NewExpression, checker: ts.TypeChecker): readonly ts.Node[] {
  const local = checker.getSymbolAtLocation(
    ts.isPropertyAccessExpression(call.expression) ? call.expression.name : call.expression,
  );
  const declarations = local === undefined ? [] : (resolveAlias(checker, local).declarations ?? []);
  return declarations.flatMap((declaration) =>
    ts.isClassDeclaration(declaration) ? declaration.members.filter(ts.isConstructorDeclaration) : [declaration],
  );
}

function isFunctionOrConstructor(node: ts.Node): boolean {
  return ts.isFunctionDeclaration(node) || ts.isConstructorDeclaration(node);
}

function saysThrows(node: ts.Node): boolean {
  return ts.getJSDocTags(node).some((tag) => tag.tagName.text === "throws");
}
