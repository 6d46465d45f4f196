import { malformedEnvelope, type S3EncryptionError } from "./errors.js";

/** An encryption context or material description: string to string, frozen, without prototype where we made it. */
export type StringMap = Readonly<Record<string, string>>;

/** A map without entries; frozen, so that one serves for all. */
export const EMPTY_STRING_MAP: StringMap = Object.freeze(Object.create(null));

/** Copies own enumerable entries into a frozen map without prototype (S14: `__proto__` is a name like any other). */
export function stringMap(entries: Iterable<readonly [string, string]>): StringMap {
  const map: Record<string, string> = Object.create(null);
  for (const [name, value] of entries) map[name] = value;
  return Object.freeze(map);
}

const STORED_TEXT = Symbol.for("@s3ec/stored-description");

/**
 * Stands for a description that is JSON but no flat map of strings, as Ruby's first client stores whatever its caller
 * gives it (1.9). It has no entries, and is the same as no map: it selects no key, and no caller can have meant it.
 */
function unknownDescription(text: string): StringMap {
  return Object.freeze(Object.assign(Object.create(null), { [STORED_TEXT]: text }));
}

/** The stored text of a description that is no flat map of strings; undefined for every other map. */
export function unknownDescriptionText(map: StringMap): string | undefined {
  const text: unknown = Reflect.get(map, STORED_TEXT);
  return typeof text === "string" ? text : undefined;
}

/** Same names with the same values; order does not count (H12). A description that cannot be read is the same as none. */
export function isSameStringMap(a: StringMap, b: StringMap): boolean {
  if (unknownDescriptionText(a) !== undefined || unknownDescriptionText(b) !== undefined) return false;
  const names = Object.keys(a);
  return names.length === Object.keys(b).length && names.every((name) => Object.hasOwn(b, name) && a[name] === b[name]);
}

/**
 * JSON that survives every reader: ASCII only (S3 double-encodes the rest, H18), nothing that looks like an encoded word
 * (readers expand those, H18), and no whitespace byte anywhere, since the C++ client stops reading an instruction file
 * at the first one (H7).
 */
export function formatStringMap(map: StringMap): string {
  return JSON.stringify({ ...map }).replace(
    /[^\x21-\x7e]|(?<==)\?/g,
    (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}

/** Reads one flat JSON object; duplicate names are refused because readers disagree about which one counts (S14). */
export function parseFlatJson(text: string, what: string): ReadonlyMap<string, unknown> {
  const value = parseJson(text, what);
  if (typeof value !== "object" || value === null || Array.isArray(value)) throw malformed(what);
  const entries = new Map<string, unknown>(Object.entries(value));
  for (const member of entries.values()) if (typeof member === "object") throw malformed(what);
  const names = [...text.matchAll(/"(?:[^"\\]|\\.)*"(\s*:)?/g)].filter((token) => token[1] !== undefined);
  if (names.length !== entries.size) throw malformed(what);
  return entries;
}

/**
 * Reads a context, JSON text of one flat object: every value must be a string (1.9). `what` names it in errors.
 * @throws S3EncryptionError `malformed-envelope` for any other text, and for a name that stands twice (S14)
 */
export function parseStringMap(text: string, what: string): StringMap {
  const entries: [string, string][] = [];
  for (const [name, value] of parseFlatJson(text, what)) {
    if (typeof value !== "string") throw malformed(what);
    entries.push([name, value]);
  }
  return stringMap(entries);
}

/**
 * Reads the description of a raw wrap, which selects a key and is trusted for nothing else (3.4 items 8 and 9): JSON of
 * another shape must not keep the object from its key. PHP's `[]` is its empty map. A name twice stays refused (S14).
 */
export function parseDescription(text: string, what: string): StringMap {
  const value = parseJson(text, what);
  if (Array.isArray(value) && value.length === 0) return EMPTY_STRING_MAP;
  return isFlat(value) ? parseStringMap(text, what) : unknownDescription(text);
}

function parseJson(text: string, what: string): unknown {
  try {
    return JSON.parse(text.startsWith("\ufeff") ? text.slice(1) : text);
  } catch {
    throw malformed(what);
  }
}

function isFlat(value: unknown): boolean {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return false;
  return Object.values(value).every((member) => typeof member === "string");
}

function malformed(what: string): S3EncryptionError {
  return malformedEnvelope(`The ${what} stored with the object is not a JSON object of strings.`);
}
