import { KmsError } from "./kms-error.js";

/** The JSON object that a KMS operation is called with; every member is checked when it is taken. */
export class KmsInput {
  readonly #members: ReadonlyMap<string, unknown>;

  constructor(json: string) {
    let value: unknown;
    try {
      value = JSON.parse(json);
    } catch {
      throw new KmsError("ValidationException", "The request body is not JSON.");
    }
    if (!isObject(value)) throw new KmsError("ValidationException", "The request body is not a JSON object.");
    this.#members = new Map(Object.entries(value));
    if (this.#members.get("Recipient"))
      throw new KmsError("UnsupportedOperationException", "This server does not implement Recipient.");
  }

  /** A member that must be there. */
  text(name: string): string {
    return this.optionalText(name) ?? invalid(name, "it must not be missing");
  }

  /** A member that may be missing. */
  optionalText(name: string): string | undefined {
    const value = this.#members.get(name) ?? undefined;
    return value === undefined || typeof value === "string" ? value : invalid(name, "it must be a string");
  }

  /** A member that may be missing and has one of a few values. */
  oneOf<Choice extends string>(name: string, choices: readonly Choice[]): Choice | undefined {
    const value = this.optionalText(name);
    if (value === undefined) return undefined;
    return choices.find((choice) => choice === value) ?? invalid(name, `it must be one of ${choices.join(", ")}`);
  }

  /** A list of these choices, empty when it is missing. */
  optionalList<Choice extends string>(name: string, choices: readonly Choice[]): readonly Choice[] {
    const value = this.#members.get(name) ?? [];
    if (!Array.isArray(value)) return invalid(name, "it must be a list");
    return value.map(
      (item) => choices.find((choice) => choice === item) ?? invalid(name, `it must hold ${choices.join(", ")}`),
    );
  }

  /** A member that is false when it is missing. */
  flag(name: string): boolean {
    return this.#members.get(name) === true;
  }

  /** A whole number in a range, or undefined when it is missing. */
  number(name: string, least: number, most: number): number | undefined {
    const value = this.#members.get(name) ?? undefined;
    if (value === undefined) return undefined;
    const isFine = typeof value === "number" && Number.isInteger(value) && value >= least && value <= most;
    return isFine ? value : invalid(name, `it must be a whole number from ${least} to ${most}`);
  }

  /** A member in base64 that must be there and hold from 1 to `most` bytes. */
  bytes(name: string, most: number): Buffer {
    const text = this.text(name);
    const bytes = Buffer.from(text, "base64");
    if (bytes.toString("base64") !== text) return invalid(name, "it must be base64");
    if (bytes.length < 1 || bytes.length > most) return invalid(name, `it must have from 1 to ${most} bytes`);
    return bytes;
  }

  /** An encryption context, empty when it is missing. */
  context(name: string): Readonly<Record<string, string>> {
    const value = this.#members.get(name) ?? {};
    if (!isObject(value)) return invalid(name, "it must be an object");
    const context: Record<string, string> = Object.create(null);
    for (const [key, text] of Object.entries(value))
      context[key] = typeof text === "string" ? text : invalid(name, "its values must be strings");
    return context;
  }
}

function isObject(value: unknown): value is object {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function invalid(name: string, reason: string): never {
  throw new KmsError("ValidationException", `Value at '${name}' failed to satisfy constraint: ${reason}.`);
}
