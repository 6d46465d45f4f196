import { S3EncryptionError, type S3EncryptionErrorCode } from "./errors.js";

/** Every option's name: one that is added to the interface and not here does not compile. */
export type OptionNames<Options> = { readonly [Name in keyof Options]-?: true };

/**
 * Refuses an object of options that holds a name nobody knows: in plain JavaScript a misspelt option would be ignored,
 * and what it asks for, such as a bound context or a policy, would silently not be done. So would one that is inherited, or
 * not enumerable, wherever the options are copied: it is refused too.
 *
 * @param what whose options these are, as the error says it: `RawAesKeyring`, `send`
 * @param meant what callers of other libraries write, with the option that does it here
 * @throws S3EncryptionError with `invalid-argument`, or the code that is given; it names options, never their values
 */
export function assertKnownOptions<Options extends object>(
  options: Options,
  names: OptionNames<NoInfer<Options>>,
  what: string,
  code: S3EncryptionErrorCode = "invalid-argument",
  meant: Readonly<Record<string, string>> = {},
): void {
  if (!isPlain(options)) {
    throw new S3EncryptionError(code, `Pass the options of ${what} as a plain object: no array, Map or promise.`);
  }
  const known = Object.keys(names);
  for (const name of Object.keys(options)) {
    if (Object.hasOwn(names, name)) continue;
    const near = Object.hasOwn(meant, name) ? meant[name] : nearestName(name, known);
    const advice = near === undefined ? `Known are ${known.join(", ")}.` : `Did you mean ${near}?`;
    throw new S3EncryptionError(code, `${what} knows no option ${JSON.stringify(name)}. ${advice}`);
  }
  const hidden = known.find((name) => name in options && !Object.prototype.propertyIsEnumerable.call(options, name));
  if (hidden === undefined) return;
  throw new S3EncryptionError(
    code,
    `Pass ${hidden} to ${what} as a property of a plain object, such as { ...options, ${hidden}: options.${hidden} }: here it is inherited, or hidden.`,
  );
}

/** What holds entries of its own kind, and a promise that nobody awaited, has no names at all to be unknown. */
function isPlain(options: unknown): options is object {
  if (typeof options !== "object" || options === null) return false;
  return !(Symbol.iterator in options) && typeof Reflect.get(options, "then") !== "function";
}

/**
 * The known name that was probably meant: where at most half of the letters differ, or else the only one whose last word is
 * the same (`suffix` for `instructionFileSuffix`); undefined otherwise.
 */
export function nearestName(name: string, known: readonly string[]): string | undefined {
  const distances = known.map((other) => distance(name.toLowerCase(), other.toLowerCase()));
  const least = Math.min(...distances);
  if (least * 2 <= name.length) return known[distances.indexOf(least)];
  const alike = known.filter((other) => lastWord(other) === lastWord(name));
  return alike.length === 1 ? alike[0] : undefined;
}

/** Of a name in camel case: lower case, and in the singular. */
function lastWord(name: string): string {
  return (/[A-Z]?[a-z]+$/.exec(name)?.[0] ?? name).toLowerCase().replace(/s$/, "");
}

/** Letters to insert, leave out or replace to make one word of the other (Levenshtein). */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (const [i, letter] of [...a].entries()) {
    const next = [i + 1];
    for (let j = 1; j < row.length; j++) {
      const replaced = (row[j - 1] ?? 0) + (letter === b[j - 1] ? 0 : 1);
      next.push(Math.min(replaced, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row.at(-1) ?? 0;
}
