import { relative } from "node:path";
import ts from "typescript";
import { mayThrow } from "./may-throw.js";
import { exportsOf, isDeclaredIn, isHidden } from "./package-exports.js";
import type { PublicPackage } from "./public-packages.js";

/**
 * `file:line: sentence` for every export, and every member of one that its users see, that has no docstring, that throws and does not
 * say so with `@throws`, or whose `@throws S3EncryptionError` names none of its codes.
 * The docstring of an interface or a base class counts for what implements it, as it does in an editor.
 */
export function missingDocstrings(
  program: ts.Program,
  subject: PublicPackage,
  errorCodes: ReadonlySet<string>,
): readonly string[] {
  const checker = program.getTypeChecker();
  const found: string[] = [];

  const inspect = (node: ts.Node, name: string, symbol: ts.Symbol | undefined): void => {
    const report = (what: string): number => found.push(`${placeOf(node, subject)}: ${name} ${what}.`);
    // A constructor makes what its class says; it has only the throwing to add.
    const needsText = symbol !== undefined && !ts.isConstructorDeclaration(node) && !saysItself(node);
    if (needsText && ts.displayPartsToString(symbol.getDocumentationComment(checker)).trim() === "") {
      report("has no docstring");
    }
    const throws = throwsTexts(node, symbol, checker);
    if (throws.length === 0 && mayThrow(node, checker)) report("throws, and no @throws says when");
    if (throws.some((text) => !namesCode(text, errorCodes))) report("has a @throws that names no code of the error");
  };
  const inspectMembers = (node: ts.Node, of: string): void => {
    if (isPattern(node)) return;
    if (!isMembered(node)) {
      // What a union, an intersection or an array is of. The type of a member is not looked into: its docstring says it.
      ts.forEachChild(node, (child) => (ts.isTypeNode(child) ? inspectMembers(child, of) : undefined));
      return;
    }
    for (const member of node.members) {
      if (isHidden(member) || isNameless(member)) continue;
      const symbol = member.name && checker.getSymbolAtLocation(member.name);
      inspect(member, `${of}.${member.name?.getText() ?? "constructor"}`, symbol);
    }
  };

  for (const { name, symbol, declarations } of exportsOf(program, subject.source)) {
    for (const declaration of declarations) {
      if (!isDeclaredIn(subject.directory, declaration)) continue;
      inspect(declaration, name, symbol);
      if (isType(declaration)) inspectMembers(declaration, name);
    }
  }
  return [...new Set(found)];
}

function throwsTexts(node: ts.Node, symbol: ts.Symbol | undefined, checker: ts.TypeChecker): readonly string[] {
  if (ts.isConstructorDeclaration(node) || symbol === undefined) {
    const tags = ts.getJSDocTags(node).filter((tag) => tag.tagName.text === "throws");
    return tags.map((tag) => tag.getText());
  }
  const tags = symbol.getJsDocTags(checker).filter((tag) => tag.name === "throws");
  return tags.map((tag) => ts.displayPartsToString(tag.text));
}

/** Only our own error has codes that the caller acts upon; of another one the class says enough. */
function namesCode(text: string, errorCodes: ReadonlySet<string>): boolean {
  if (!text.includes("S3EncryptionError")) return true;
  return [...text.matchAll(/`([a-z0-9-]+)`/g)].some(([, code]) => errorCodes.has(code ?? ""));
}

/** A tag such as `type: "kms"`, and a field that must not be there: the type is all that there is to say. */
function saysItself(node: ts.Node): boolean {
  if (!ts.isPropertySignature(node) || node.type === undefined) return false;
  return ts.isLiteralTypeNode(node.type) || node.type.kind === ts.SyntaxKind.NeverKeyword;
}

/** `Exclude<Source, { bytes: unknown }>`: what is compared with, whose members are nobody's. */
function isPattern(node: ts.Node): boolean {
  return ts.isTypeReferenceNode(node) && !["Readonly", "Partial", "Required"].includes(node.typeName.getText());
}

function isType(node: ts.Node): boolean {
  return ts.isClassDeclaration(node) || ts.isInterfaceDeclaration(node) || ts.isTypeAliasDeclaration(node);
}

function isMembered(node: ts.Node): node is ts.ClassDeclaration | ts.InterfaceDeclaration | ts.TypeLiteralNode {
  return ts.isClassDeclaration(node) || ts.isInterfaceDeclaration(node) || ts.isTypeLiteralNode(node);
}

/** Signatures by which a type is called or indexed are what the type itself is. */
function isNameless(member: ts.Node): boolean {
  return (
    ts.isIndexSignatureDeclaration(member) ||
    ts.isCallSignatureDeclaration(member) ||
    ts.isConstructSignatureDeclaration(member) ||
    ts.isSemicolonClassElement(member) ||
    ts.isClassStaticBlockDeclaration(member)
  );
}

function placeOf(node: ts.Node, subject: PublicPackage): string {
  const source = node.getSourceFile();
  const { line } = source.getLineAndCharacterOfPosition(node.getStart());
  return `${subject.path}/${relative(subject.directory, source.fileName)}:${line + 1}`;
}
