import type { ConfigurationProblem } from "./invalid-configuration.js";
import { isPlain } from "./variables.js";

/** More than any configuration that makes sense: whatever reads one goes down into its parts, as deep as they go. */
const MAX_DEPTH = 32;

/**
 * The first part that is too deep, as is one that contains itself. Objects that are not plain are not looked into: a
 * configuration in code may hold anything.
 */
export function nestingProblem(value: unknown): ConfigurationProblem | undefined {
  // A part may stand in several places, each of which would be walked.
  const deepest = new Map<object, number>();
  const parts: { readonly part: unknown; readonly path: readonly PropertyKey[] }[] = [{ part: value, path: [] }];
  for (let next = parts.pop(); next !== undefined; next = parts.pop()) {
    const { part, path } = next;
    const isList = Array.isArray(part);
    if (typeof part !== "object" || part === null || !(isList || isPlain(part))) continue;
    if (path.length > MAX_DEPTH) {
      const expected = `expected a configuration of at most ${MAX_DEPTH} levels, in which nothing contains itself`;
      return { path: path.slice(0, 1), expected };
    }
    if ((deepest.get(part) ?? -1) >= path.length) continue;
    deepest.set(part, path.length);
    for (const [name, inner] of Object.entries(part)) {
      parts.push({ part: inner, path: [...path, isList ? Number(name) : name] });
    }
  }
  return undefined;
}
