import ts from "typescript";
import { exportsOf, isDeclaredIn, isHidden, type PackageExport } from "./package-exports.js";
import type { PublicPackage } from "./public-packages.js";

const printer = ts.createPrinter({ removeComments: true, newLine: ts.NewLineKind.LineFeed });

/** The exports of a package with their signatures and without their docstrings, as the text of its report. */
export function apiReport(program: ts.Program, subject: PublicPackage): string {
  const entries = exportsOf(program, subject.declarations).map((entry) => reportEntry(entry, subject));
  return `# ${subject.name}

What this package exports. Written by \`npm run api\`; \`npm run check\` fails when it is not what the code says.

\`\`\`ts
${entries.join("\n\n")}
\`\`\`
`;
}

function reportEntry({ name, symbol, declarations }: PackageExport, subject: PublicPackage): string {
  const [first] = declarations;
  if (first === undefined) throw new Error(`${subject.name} exports ${name}, which is declared nowhere.`);
  const shownName = symbol.name === name ? name : `${symbol.name} as ${name}`;
  if (!isDeclaredIn(subject.directory, first)) return `export { ${shownName} } from "${homeOf(first)}";`;
  const texts = declarations.map(printed);
  return symbol.name === name ? texts.join("\n") : [`export { ${shownName} };`, ...texts].join("\n");
}

/** The package that a handed-on declaration is of. */
function homeOf(declaration: ts.Declaration): string {
  const path = declaration.getSourceFile().fileName;
  const installed = /.*\/node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(path)?.[1];
  return installed ?? path.replace(/.*?\/(?:packages\/)?([^/]+)\/dist\/.*/, "@s3ec/$1");
}

function printed(declaration: ts.Declaration): string {
  const node = ts.isVariableDeclaration(declaration) ? declaration.parent.parent : declaration;
  const { transformed, dispose } = ts.transform<ts.Node>(node, [withoutHiddenMembers]);
  const text = printer.printNode(ts.EmitHint.Unspecified, transformed[0] ?? node, declaration.getSourceFile());
  dispose();
  return text;
}

const withoutHiddenMembers: ts.TransformerFactory<ts.Node> = () => (node) => {
  if (!ts.isClassDeclaration(node)) return node;
  const { modifiers, name, typeParameters, heritageClauses, members } = node;
  const visible = members.filter((member) => !isHidden(member));
  return ts.factory.updateClassDeclaration(node, modifiers, name, typeParameters, heritageClauses, visible);
};
