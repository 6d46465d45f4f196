import { readFile } from "node:fs/promises";
import { extname, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { isError } from "@s3ec/materials";
import { type ConfigurationProblem, invalidConfiguration } from "./invalid-configuration.js";

/** What a configuration says, and where. */
export interface ConfigurationSource {
  readonly value: unknown;
  /** The line and column of the part at a path, or of the nearest one around it that is there; for text only. */
  readonly locate: (path: readonly PropertyKey[]) => string | undefined;
}

/** Reads a file of JSON or YAML, or the default export of a module. Throws `invalid-configuration`. */
export async function readConfigurationFile(file: string): Promise<ConfigurationSource> {
  switch (extname(file)) {
    case ".json":
      return jsonSource(file, await textOf(file));
    case ".yaml":
    case ".yml":
      return yamlSource(file, await textOf(file));
    default:
      return { value: await importModule(file), locate: () => undefined };
  }
}

async function textOf(file: string): Promise<string> {
  try {
    return (await readFile(file, "utf8")).replace(/^\uFEFF/, "");
  } catch (error) {
    const missing = isError(error) && error.code === "ENOENT";
    throw wrongFile(file, `the file ${missing ? "does not exist" : "cannot be read"}`);
  }
}

async function jsonSource(file: string, text: string): Promise<ConfigurationSource> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    // The parser's own message quotes what is around the mistake, which may be a key.
    const position = /at position (\d+)/.exec(isError(error) ? error.message : "")?.[1];
    const before = position === undefined ? undefined : text.slice(0, Number(position)).split("\n");
    const place = before === undefined ? "" : ` (${placeOf(before.length, (before.at(-1)?.length ?? 0) + 1)})`;
    throw wrongFile(file, `the file must hold JSON${place}`);
  }
  // All that JSON can say, YAML can.
  const { locate } = await parseYaml(text);
  return { value, locate };
}

async function yamlSource(file: string, text: string): Promise<ConfigurationSource> {
  const { locate, mistake, toValue } = await parseYaml(text);
  // The parser's own words quote the file, too.
  if (mistake !== undefined) throw wrongFile(file, `the file must hold YAML (${mistake})`);
  try {
    return { value: toValue(), locate };
  } catch {
    throw wrongFile(file, "the file must hold YAML without aliases of what is not there, or of too much");
  }
}

interface ParsedYaml {
  readonly locate: ConfigurationSource["locate"];
  readonly mistake: string | undefined;
  readonly toValue: () => unknown;
}

/** Loaded for this: configurations in code need no parser. */
async function parseYaml(text: string): Promise<ParsedYaml> {
  const { isMap, isNode, isScalar, isSeq, LineCounter, parseDocument } = await import("yaml");
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false, logLevel: "silent" });
  const at = (offset: number): string => {
    const { line, col } = lines.linePos(offset);
    return placeOf(line, col);
  };
  const locate = (path: readonly PropertyKey[]): string | undefined => {
    let node: unknown = document.contents;
    let offset: number | undefined;
    for (const part of path) {
      if (isMap(node)) {
        const pair = node.items.find(({ key }) => String(isScalar(key) ? key.value : key) === String(part));
        if (pair === undefined) break;
        offset = isNode(pair.key) ? pair.key.range?.[0] : offset;
        node = pair.value;
      } else if (isSeq(node)) {
        node = node.items[Number(part)];
        offset = isNode(node) ? node.range?.[0] : offset;
      } else break;
    }
    return offset === undefined ? undefined : at(offset);
  };
  const [error] = document.errors;
  return {
    locate,
    mistake: error === undefined ? undefined : at(error.pos[0]),
    toValue: () => document.toJS(),
  };
}

function placeOf(line: number, column: number): string {
  return `line ${line}, column ${column}`;
}

async function importModule(file: string): Promise<unknown> {
  try {
    const module: { default?: unknown } = await import(pathToFileURL(resolve(file)).href);
    return module.default;
  } catch {
    throw wrongFile(file, "expected a .json, .yaml or .yml file, or a module that loads and has a default export");
  }
}

function wrongFile(file: string, expected: string): Error {
  const problem: ConfigurationProblem = { path: [], expected };
  return invalidConfiguration({ name: file, place: (path) => ({ path }) }, [problem]);
}
