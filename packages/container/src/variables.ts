import type { ConfigurationProblem } from "./invalid-configuration.js";

type Environment = Readonly<Record<string, string | undefined>>;

const VARIABLE = /\$\$\{|\$\{([A-Za-z_][A-Za-z0-9_]*)(?::-([^}]*))?\}|\$\{/g;

/**
 * The same with each `${NAME}` and `${NAME:-default}` in its texts replaced from the environment; `$${` stands for `${`.
 * What is no plain object, list or text is left as it is: a configuration in code may hold anything.
 */
export function withVariables(
  value: unknown,
  env: Environment,
): { readonly value: unknown; readonly problems: readonly ConfigurationProblem[] } {
  const problems: ConfigurationProblem[] = [];
  const replaced = (part: unknown, path: readonly PropertyKey[]): unknown => {
    if (typeof part === "string") return part.includes("${") ? inText(part, path) : part;
    if (Array.isArray(part)) return part.map((inner, index) => replaced(inner, [...path, index]));
    if (typeof part !== "object" || part === null || !isPlain(part)) return part;
    return Object.fromEntries(Object.entries(part).map(([name, inner]) => [name, replaced(inner, [...path, name])]));
  };
  const inText = (text: string, path: readonly PropertyKey[]): string =>
    text.replace(VARIABLE, (found: string, name: string | undefined, otherwise: string | undefined) => {
      if (found === "$${") return "${";
      const given = name === undefined ? undefined : env[name];
      if (given !== undefined && given !== "") return given;
      if (otherwise !== undefined) return otherwise;
      problems.push({
        path,
        expected:
          name === undefined
            ? `expected \${NAME} or \${NAME:-default}; $\${ stands for \${ itself`
            : `the environment variable ${shownName(name)} is not set, and has no default, as in \${NAME:-default}`,
      });
      return "";
    });
  return { value: replaced(value, []), problems };
}

/** Somebody may have put what it holds in the place of its name. */
function shownName(name: string): string {
  return /^[A-Z_][A-Z0-9_]{0,63}$/.test(name) ? name : "named here";
}

/** Of whatever realm. */
export function isPlain(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === null || Object.getPrototypeOf(prototype) === null;
}
