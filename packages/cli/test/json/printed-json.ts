import { Ajv2020, type ValidateFunction } from "ajv/dist/2020.js";
import { expect } from "chai";
import type { Outcome } from "../command.js";
import { inProcess } from "../objects/in-process.js";

type Schema = Readonly<Record<string, unknown>>;

/** What commands have printed, held against what `s3ec schema` prints of them. */
export class PrintedJson {
  readonly #folder: string;
  readonly #seen = new Map<string, Set<string>>();
  readonly #schemas = new Map<string, Schema>();
  readonly #fits = new Map<string, ValidateFunction>();

  constructor(folder: string) {
    this.#folder = folder;
  }

  /** Reads lines, or a document, each of which is to fit the command's schema, and have no field that it has not. */
  async check(command: string, text: string): Promise<Record<string, unknown>[]> {
    const fits = await this.#validator(command);
    const values = valuesIn(text);
    for (const value of values) {
      expect(fits(value), `${command}: ${JSON.stringify(value)}: ${JSON.stringify(fits.errors)}`).to.equal(true);
      this.#see(command, value, this.#schemas.get(command) ?? {}, "");
    }
    return values;
  }

  /** The same of what a run has printed, which has to be something. */
  async of(command: string, { stdout, stderr }: Outcome): Promise<Record<string, unknown>[]> {
    const values = await this.check(command, stdout);
    expect(values, `${command}: ${stderr}`).to.not.have.lengthOf(0);
    return values;
  }

  /** Fields of the command's schema that no run has printed. */
  unseen(command: string): string[] {
    const seen = this.#seen.get(command) ?? new Set();
    return [...new Set(pathsOf(this.#schemas.get(command) ?? {}, ""))].filter((path) => !seen.has(path));
  }

  async #validator(command: string): Promise<ValidateFunction> {
    const known = this.#fits.get(command);
    if (known !== undefined) return known;
    const { code, stdout } = await inProcess(["schema", ...command.split(" ")], this.#folder);
    expect(code, command).to.equal(0);
    const schema = JSON.parse(stdout) as Schema;
    const fits = new Ajv2020({ formats: { "date-time": isTime }, allowUnionTypes: true }).compile(
      strict(schema) as Schema,
    );
    this.#schemas.set(command, schema);
    this.#fits.set(command, fits);
    return fits;
  }

  #see(command: string, value: unknown, schema: Schema, path: string): void {
    const seen = this.#seen.get(command) ?? new Set<string>();
    this.#seen.set(command, seen);
    const { oneOf, properties = {}, items } = schema as { oneOf?: Schema[]; properties?: Schema; items?: Schema };
    for (const each of oneOf ?? []) this.#see(command, value, each, path);
    if (Array.isArray(value)) for (const each of value) this.#see(command, each, items ?? {}, path);
    if (typeof value !== "object" || value === null) return;
    for (const [name, inner] of Object.entries(properties)) {
      if (!Object.hasOwn(value, name)) continue;
      seen.add(`${path}/${name}`);
      this.#see(command, (value as Record<string, unknown>)[name], inner as Schema, `${path}/${name}`);
    }
  }
}

function isTime(text: string): boolean {
  return /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z$/.test(text);
}

/** Nothing beside what is named: readers pass that by, but nobody is to print what no schema has. */
function strict(schema: unknown): unknown {
  if (Array.isArray(schema)) return schema.map(strict);
  if (typeof schema !== "object" || schema === null) return schema;
  const all = Object.fromEntries(Object.entries(schema).map(([name, value]) => [name, strict(value)]));
  const isClosed = "properties" in all && typeof all.properties === "object" && !("additionalProperties" in all);
  return isClosed && all.type === "object" ? { ...all, additionalProperties: false } : all;
}

function pathsOf(schema: Schema, path: string): string[] {
  const { oneOf = [], properties = {}, items } = schema as { oneOf?: Schema[]; properties?: Schema; items?: Schema };
  return [
    ...oneOf.flatMap((each) => pathsOf(each, path)),
    ...(items === undefined ? [] : pathsOf(items, path)),
    ...Object.entries(properties).flatMap(([name, inner]) => [
      `${path}/${name}`,
      ...pathsOf(inner as Schema, `${path}/${name}`),
    ]),
  ];
}

/** A document over several lines, or one value a line. */
function valuesIn(text: string): Record<string, unknown>[] {
  try {
    return [JSON.parse(text)];
  } catch {
    return text
      .split("\n")
      .filter((line) => line !== "")
      .map((line) => JSON.parse(line));
  }
}
