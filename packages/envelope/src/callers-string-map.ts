import { S3EncryptionError } from "./errors.js";
import { type StringMap, stringMap } from "./string-map.js";

/**
 * Copies what a caller gave as an object of strings. Only a plain object's entries are what they seem: a `Map`, `Headers`
 * or an instance of a class holds its own elsewhere, and would pass for an empty one, which binds nothing.
 * @param what the subject of errors, such as `encryptionContext`
 * @throws S3EncryptionError `invalid-argument` for any other object, and for values that are not strings
 */
export function callersStringMap(map: unknown, what: string): StringMap {
  if (!isPlainObject(map)) {
    throw new S3EncryptionError(
      "invalid-argument",
      `${what} must be a plain object of strings, such as { tenant: "a" }: no array, no Map and no instance of a class.`,
    );
  }
  const entries = Object.entries(map).map(([name, value]): [string, string] => {
    if (typeof value === "string") return [name, value];
    const quoted = JSON.stringify(name);
    throw new S3EncryptionError(
      "invalid-argument",
      `${what} must hold strings only; the value of ${quoted} is not one.`,
    );
  });
  if (Reflect.ownKeys(map).length !== entries.length) {
    throw new S3EncryptionError("invalid-argument", `${what} must hold enumerable entries only, named by strings.`);
  }
  return stringMap(entries);
}

/** Without prototype, or with an `Object.prototype`, be it that of another realm (`node:vm`, jest). */
function isPlainObject(value: unknown): value is object {
  if (typeof value !== "object" || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  if (typeof prototype !== "object" || prototype === null) return prototype === null;
  return Object.getPrototypeOf(prototype) === null && Object.hasOwn(prototype, "isPrototypeOf");
}
