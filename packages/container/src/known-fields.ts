import { z } from "zod";

type Node = Readonly<Record<string, unknown>>;

/** The names of the fields that a schema knows at a path, of all the forms that the part there may have. */
export function knownFields(schema: z.ZodType, path: readonly PropertyKey[]): string[] {
  const root: Node = z.toJSONSchema(schema, { io: "input", unrepresentable: "any" });
  let nodes = forms(root, root);
  for (const part of path) {
    nodes = nodes.flatMap((node) => {
      const inner = typeof part === "number" ? node.items : member(node.properties, part);
      return isNode(inner) ? forms(inner, root) : [];
    });
  }
  return [...new Set(nodes.flatMap(({ properties }) => (isNode(properties) ? Object.keys(properties) : [])))];
}

/** A node, or those that it may be. References lead to definitions, and never from one straight back to itself. */
function forms(node: Node, root: Node, depth = 0): Node[] {
  if (depth > 20) return [];
  const { $ref, anyOf, oneOf, allOf } = node;
  const others = [anyOf, oneOf, allOf].flatMap((list) => (Array.isArray(list) ? list.filter(isNode) : []));
  if (typeof $ref === "string") {
    const target = $ref === "#" ? root : member(root.$defs, $ref.replace(/^#\/\$defs\//, ""));
    if (isNode(target)) others.push(target);
  }
  return [node, ...others.flatMap((other) => forms(other, root, depth + 1))];
}

function member(value: unknown, name: PropertyKey): unknown {
  return isNode(value) && Object.hasOwn(value, name) ? value[String(name)] : undefined;
}

function isNode(value: unknown): value is Node {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
