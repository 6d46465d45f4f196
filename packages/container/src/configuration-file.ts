import { stat } from "node:fs/promises";
import { extname, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { type FileProblem, isError, readBoundedFile } from "@s3ec/materials";
import { type ConfigurationProblem, invalidConfiguration } from "./invalid-configuration.js";

/** What a configuration says, and where. */
export interface ConfigurationSource {
  readonly value: unknown;
  /** The line and column of the part at a path, or of the nearest one around it that is there; for text only. */
  readonly locate: (path: readonly PropertyKey[]) => string | undefined;
}

/** More than thousands of rules take. */
const MAX_LENGTH = 4 * 1024 * 1024;
const TIME_LIMIT_MS = 30_000;
const MODULES: readonly string[] = [".js", ".mjs", ".cjs", ".ts", ".mts", ".cts"];

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

/**
 * What a configuration says that is kept as text, such as in a parameter store: JSON or YAML. To be passed on to `createFromConfig`,
 * which checks it.
 *
 * @param name what the text is called in errors, which quote nothing of it
 * @throws S3EncryptionError `invalid-configuration` for what is neither
 */
export async function parseConfiguration(text: string, name: string): Promise<object> {
  const { value } = await yamlSource(name, text.replace(/^\uFEFF/, ""));
  if (typeof value === "object" && value !== null) return value;
  throw wrongFile(name, "it must hold the fields of a configuration, in JSON or YAML");
}

async function textOf(file: string): Promise<string> {
  const found = await readBoundedFile(file, { maxLength: MAX_LENGTH, timeoutMs: TIME_LIMIT_MS });
  if (typeof found === "string") throw wrongFile(file, NOT_READ[found]);
  const { bytes } = found;
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    throw wrongFile(file, "the file must hold text in UTF-8");
  }
}

const NOT_READ: Readonly<Record<FileProblem, string>> = {
  missing: "the file does not exist",
  unreadable: "the file cannot be read",
  "too large": `the file is larger than a configuration may be (${MAX_LENGTH} bytes)`,
  "too late": `what the file holds did not come within ${TIME_LIMIT_MS} ms`,
};

async function jsonSource(file: string, text: string): Promise<ConfigurationSource> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    // The parser's own message quotes what is around the mistake, which may be a key.
    const position = /at position (\d+)/.exec(isError(error) ? error.message : "")?.[1];
    const before = position === undefined ? undefined : text.slice(0, Number(position)).split("\n");
    const place = before === undefined ? "" : ` (${placeOf(before.length, (before.at(-1)?.length ?? 0) + 1)})`;
    throw wrongFile(file, `the file must hold JSON${jsonMistake(error)}${place}`);
  }
  // All that JSON can say, YAML can; of two fields of one name the parser of JSON would take the last.
  const { locate, twice } = await parseYaml(text);
  if (twice !== undefined)
    throw wrongFile(file, `the file must hold JSON, with each name once in an object (${twice})`);
  return { value, locate };
}

/** What of the parser's message quotes nothing of the file. */
function jsonMistake(error: unknown): string {
  const message = isError(error) ? error.message.replace(/ (?:in|after) JSON at .*$/s, "") : "";
  const [words] = /^(?:Unexpected [a-z -]+[a-z]|(?:Expected|Bad|Unterminated|No|Exponent) [^"]*)/i.exec(message) ?? [];
  return words === undefined ? "" : `: ${words}`;
}

async function yamlSource(file: string, text: string): Promise<ConfigurationSource> {
  const { locate, mistake, toValue } = await parseYaml(text);
  if (mistake !== undefined) throw wrongFile(file, `the file must hold YAML: ${mistake}`);
  try {
    return { value: toValue(), locate };
  } catch {
    throw wrongFile(file, "the file must hold YAML without aliases of what is not there, or of too much");
  }
}

interface ParsedYaml {
  readonly locate: ConfigurationSource["locate"];
  readonly mistake: string | undefined;
  /** Where a name stands that its object has before. */
  readonly twice: string | undefined;
  readonly toValue: () => unknown;
}

/** Loaded for this: configurations in code need no parser. */
async function parseYaml(text: string): Promise<ParsedYaml> {
  const { isMap, isNode, isScalar, isSeq, LineCounter, parseDocument } = await import("yaml");
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false, logLevel: "error" });
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
  const twice = document.errors.find(({ code }) => code === "DUPLICATE_KEY");
  return {
    locate,
    mistake: error === undefined ? undefined : `${yamlMistake(error)} (${at(error.pos[0])})`,
    twice: twice === undefined ? undefined : at(twice.pos[0]),
    toValue: () => document.toJS(),
  };
}

/** The parser's own words where they do not quote the file, as they do of tokens, escapes and tags. */
function yamlMistake({ code, message }: { readonly code: string; readonly message: string }): string {
  if (code === "MULTIPLE_DOCS") return "one document, but here a second one begins";
  if (PLAIN_MESSAGES.includes(code)) return message;
  return code.toLowerCase().replaceAll("_", " ");
}

const PLAIN_MESSAGES: readonly string[] = [
  "BAD_INDENT",
  "BLOCK_AS_IMPLICIT_KEY",
  "BLOCK_IN_FLOW",
  "DUPLICATE_KEY",
  "MISSING_CHAR",
  "MULTILINE_IMPLICIT_KEY",
  "TAB_AS_INDENT",
];

function placeOf(line: number, column: number): string {
  return `line ${line}, column ${column}`;
}

async function importModule(file: string): Promise<unknown> {
  // What is no module is not even opened: a device or a pipe may never end.
  const isModule = MODULES.includes(extname(file)) && (await stat(file).catch(() => undefined))?.isFile() === true;
  try {
    if (!isModule) throw new TypeError("no module");
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
