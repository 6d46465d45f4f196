import { readFileSync, writeFileSync } from "node:fs";
import { COMMAND_OUTPUTS } from "../dist/json/command-schemas.js";

/** Writes the tables of docs/json.md, from the schemas that `s3ec schema` prints; with `--print`, prints the page in its place. */
const PAGE = new URL("../../../docs/json.md", import.meta.url);
const BEGIN = "<!-- What follows is written by npm run json-page. -->\n";

const NAMES = { integer: "number", string: "text", boolean: "true or false" };

/** Commands that print the same are told of once. */
const groups = new Map();
for (const [name, { as, entries }] of Object.entries(COMMAND_OUTPUTS)) {
  const own = entries.filter((each) => !("error" in each.properties));
  if (own.length === 0) continue;
  const text = section(as, own);
  groups.set(text, [...(groups.get(text) ?? []), name]);
}
const [intro] = readFileSync(PAGE, "utf8").split(BEGIN);
const sections = [...groups].map(([text, names]) => `## ${names.join(", ")}\n\n${text}`);
const page = `${intro}${BEGIN}\n${sections.join("\n\n")}\n`;
if (process.argv.includes("--print")) process.stdout.write(page);
else writeFileSync(PAGE, page);

function section(as, entries) {
  const kinds = as === "lines" ? "Each line is one of:" : "One of:";
  const told = entries.map(({ title, ...schema }) => `**${capital(title)}**\n\n${table(schema)}`);
  const how = as === "lines" ? "A line each." : "One document.";
  return [entries.length === 1 ? how : `${how} ${kinds}`, ...told].join("\n\n");
}

function table(schema) {
  const rows = rowsOf(schema, "").map(([name, type, what]) => [`\`${name}\``, type, what]);
  const all = [["field", "value", "what it is"], ...rows];
  const widths = [0, 1, 2].map((column) => Math.max(...all.map((row) => row[column].length)));
  const line = (row) => `| ${row.map((cell, column) => cell.padEnd(widths[column])).join(" | ")} |`;
  const [head, ...body] = all;
  return [line(head), `| ${widths.map((width) => "-".repeat(width)).join(" | ")} |`, ...body.map(line)].join("\n");
}

function rowsOf({ properties, required }, path) {
  return Object.entries(properties).flatMap(([name, value]) => {
    const at = `${path}${name}`;
    const own = [`${at}${required.includes(name) ? "" : "?"}`, typeOf(value), value.description ?? ""];
    const inner = value.type?.includes?.("array") ? value.items : value;
    const suffix = inner === value ? "." : "[].";
    return [own, ...(inner.properties === undefined ? [] : rowsOf(inner, `${at}${suffix}`))];
  });
}

function typeOf({ enum: words, type, items, oneOf, format, additionalProperties }) {
  if (words !== undefined) return words.map((word) => `\`${word}\``).join(", ");
  if (oneOf !== undefined) return "a place";
  const types = [type].flat();
  const orNull = types.includes("null") ? ", or null" : "";
  if (types.includes("array")) return `list of ${typeOf(items)}${orNull}`;
  if (types.includes("object") && typeof additionalProperties === "object") {
    return `${typeOf(additionalProperties)} by name${orNull}`;
  }
  return `${format === "date-time" ? "time" : (NAMES[types[0]] ?? types[0])}${orNull}`;
}

function capital(text) {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
