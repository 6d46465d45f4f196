import ts from "typescript";
import { type Replacement, replacements } from "./mutators.js";

/** A source file in which one thing is another. */
export interface Mutant {
  /** From 1 on. */
  readonly line: number;
  /** The line as it stands, trimmed. */
  readonly lineText: string;
  /** What was replaced, and by what: `a < b → a <= b`. */
  readonly change: string;
  /** Rules of docs/formats.md that comments around it cite, such as `S12`; empty when none does. */
  readonly rules: readonly string[];
  /** JavaScript of the whole altered file. */
  readonly code: string;
  /** Where it begins to be another than what was built. */
  readonly at: number;
}

const OPTIONS: ts.CompilerOptions = {
  target: ts.ScriptTarget.ES2023,
  module: ts.ModuleKind.ESNext,
  verbatimModuleSyntax: true,
};

/** JavaScript of a file, without a look at its types: what a mutant breaks of them, it must break when it runs. */
export function transpiled(source: string): string {
  return ts.transpileModule(source, { compilerOptions: OPTIONS }).outputText;
}

/** Every mutant of a source file, in the order of the file: the same ones each time. */
export function mutantsOf(source: string): Mutant[] {
  const file = ts.createSourceFile("source.ts", source, ts.ScriptTarget.ES2023, true);
  const lines = source.split("\n");
  const original = transpiled(source);
  const seen = new Set([original]);
  const mutants: Mutant[] = [];
  const visit = (node: ts.Node): void => {
    if (ts.isTypeNode(node) || ts.isImportDeclaration(node) || ts.isExportDeclaration(node)) return;
    for (const replacement of replacements(node)) {
      const code = transpiled(replaced(source, replacement));
      // Two ways to say the same, such as a refusal that is never reached and one that is not there.
      if (seen.has(code)) continue;
      seen.add(code);
      const { line } = file.getLineAndCharacterOfPosition(replacement.node.getStart());
      const change = `${onOneLine(replacement.node.getText())} → ${onOneLine(replacement.text)}`;
      const lineText = (lines[line] ?? "").trim();
      const at = firstDifference(original, code);
      mutants.push({ line: line + 1, lineText, change, rules: rulesAround(node), code, at });
    }
    ts.forEachChild(node, visit);
  };
  visit(file);
  return mutants
    .map((mutant, index) => ({ mutant, index }))
    .sort(byLine)
    .map(({ mutant }) => mutant);
}

interface Indexed {
  readonly mutant: Mutant;
  readonly index: number;
}

function byLine(a: Indexed, b: Indexed): number {
  return a.mutant.line - b.mutant.line || a.index - b.index;
}

function replaced(source: string, { node, text }: Replacement): string {
  // In brackets where it stands among other operators, since it may bind less tightly than what it replaces.
  const inner = ts.isExpression(node) && ts.isExpression(node.parent) ? `(${text})` : text;
  return source.slice(0, node.getStart()) + inner + source.slice(node.end);
}

/** S3 is a rule among others or in brackets of its own; else it is where objects are stored. */
const RULE = /\b(?!S3\b)[SHG]\d{1,2}\b|(?<=\(|\d, )S3(?=\)|, [SHG]\d)/g;

/** Rules that are cited by the comments in front of the node and of what it is part of, or at the end of their lines. */
function rulesAround(node: ts.Node): string[] {
  const text = node.getSourceFile().text;
  const rules = new Set<string>();
  for (let at: ts.Node | undefined = node; at !== undefined && !ts.isSourceFile(at); at = at.parent) {
    const comments = [
      ...(ts.getLeadingCommentRanges(text, at.getFullStart()) ?? []),
      ...(ts.getTrailingCommentRanges(text, at.end) ?? []),
    ];
    for (const { pos, end } of comments) {
      for (const [rule] of text.slice(pos, end).matchAll(RULE)) rules.add(rule);
    }
  }
  return [...rules];
}

function firstDifference(a: string, b: string): number {
  let at = 0;
  while (a[at] === b[at]) at++;
  return at;
}

function onOneLine(text: string): string {
  return text.replace(/\s+/g, " ");
}
