import { statSync } from "node:fs";
import { relative } from "node:path";
import { type CommentDisplayPart, type ProjectReflection, type Reflection, ReflectionKind } from "typedoc";
import { SOURCE } from "./source-links.js";

/** Has guides and READMEs link to the source of what has no page in the site, and to the API of what they name as code. */
export function linkContents(project: ProjectReflection, root: string): void {
  const exported = exportedNames(project);
  for (const parts of contentsOf(project)) {
    for (const [index, part] of parts.entries()) {
      const isInLink = parts[index - 1]?.text.endsWith("[") === true;
      if (part.kind === "relative-link") parts[index] = toSource(part, project, root);
      else if (part.kind === "code" && !isInLink) parts[index] = toApi(part, exported);
    }
  }
}

function* contentsOf(project: ProjectReflection): Generator<CommentDisplayPart[]> {
  if (project.readme !== undefined) yield project.readme;
  for (const reflection of Object.values(project.reflections)) {
    if (reflection.isDocument()) yield reflection.content;
    else if (reflection.isDeclaration() && reflection.readme !== undefined) yield reflection.readme;
  }
}

/** Pictures are part of the site, and what has a page there is linked to it. */
function toSource(
  part: CommentDisplayPart & { readonly kind: "relative-link" },
  project: ProjectReflection,
  root: string,
): CommentDisplayPart {
  const path = part.target === undefined ? undefined : project.files.resolve(part.target, project);
  if (typeof path !== "string" || path.endsWith(".svg")) return part;
  const kind = statSync(path).isDirectory() ? "tree" : "blob";
  const anchor = part.targetAnchor === undefined ? "" : `#${part.targetAnchor}`;
  return { kind: "text", text: `${SOURCE}/${kind}/main/${relative(root, path)}${anchor}` };
}

/** Only names that could be no word of a shell or of another language. */
function toApi(part: CommentDisplayPart, exported: ReadonlyMap<string, Reflection>): CommentDisplayPart {
  const name = /^`(\w*[a-z]\w*[A-Z]\w*|[A-Z]\w*[a-z]\w*)`$/.exec(part.text)?.[1] ?? "";
  const target = exported.get(name);
  return target === undefined ? part : { kind: "inline-tag", tag: "@linkcode", text: name, target };
}

/** Where each is declared, not where another package gives it on; none that two packages declare. */
function exportedNames(project: ProjectReflection): ReadonlyMap<string, Reflection> {
  const names = new Map<string, Reflection>();
  const ambiguous = new Set<string>();
  for (const { children = [] } of project.children ?? []) {
    for (const child of children) {
      if (child.kind === ReflectionKind.Reference) continue;
      if (names.has(child.name)) ambiguous.add(child.name);
      names.set(child.name, child);
    }
  }
  for (const name of ambiguous) names.delete(name);
  return names;
}
