import { READING_CHECKS } from "./reading-checks.js";
import { SECRECY_CHECKS } from "./secrecy-checks.js";
import { type MakeKeyring, Subject, type SubjectOptions } from "./subject.js";
import type { Format } from "./suites.js";
import { TAMPERING_CHECKS } from "./tampering-checks.js";
import { WRITING_CHECKS } from "./writing-checks.js";

/** What the keyring needs to be tested, and the test runner. */
export interface DescribeKeyringOptions extends SubjectOptions {
  /** What the keyring wraps data keys for. Default: `["s3"]`, objects as the S3 encryption clients store them. */
  readonly formats?: readonly Format[];
  /** Of your test runner. Default: the globals, as mocha, jest and vitest (with `globals`) provide them. */
  readonly describe?: (name: string, body: () => void) => unknown;
  /** As `describe`. */
  readonly it?: (name: string, body: () => Promise<void>) => unknown;
}

const CHECKS = [...WRITING_CHECKS, ...READING_CHECKS, ...TAMPERING_CHECKS, ...SECRECY_CHECKS] as const;

const TITLES: Readonly<Record<Format, string>> = { s3: "", message: ", in messages" };

/**
 * Declares one suite of tests for each format, which hold a keyring to the `Keyring` contract. Each test makes keyrings of its own.
 *
 * @param options what the keyring needs, or only the function that makes it
 * @throws Error for an unknown option or format, without `create`, and where there is no test runner
 */
export function describeKeyring(name: string, options: DescribeKeyringOptions | MakeKeyring): void {
  const given: DescribeKeyringOptions = typeof options === "function" ? { create: options } : options;
  assertOptions(given);
  const describe = given.describe ?? globalFunction("describe");
  const it = given.it ?? globalFunction("it");
  for (const format of given.formats ?? ["s3"]) {
    describe(`keyring conformance: ${name}${TITLES[format]}`, () => {
      for (const check of CHECKS) {
        if (!check.appliesTo(given)) continue;
        it(check.title, async () => await check.run(await Subject.make(given, format)));
      }
    });
  }
}

const OPTIONS: Readonly<Record<keyof DescribeKeyringOptions, true>> = {
  create: true,
  createOther: true,
  createReader: true,
  createWriter: true,
  encryptionContext: true,
  encryptedDataKeys: true,
  formats: true,
  bindsContextOfMessages: true,
  secrets: true,
  describe: true,
  it: true,
};

/** A misspelt option would leave checks out, and the suite would be green all the same. */
function assertOptions(given: DescribeKeyringOptions): void {
  if (typeof given?.create !== "function")
    throw new Error("describeKeyring needs create, a function that makes a keyring.");
  const unknown = Object.keys(given).find((name) => !Object.hasOwn(OPTIONS, name));
  if (unknown !== undefined) throw new Error(`describeKeyring knows no option "${unknown}".`);
  const { formats = ["s3"] } = given;
  if (formats.length === 0 || formats.some((format) => !Object.hasOwn(TITLES, format))) {
    throw new Error('formats must name "s3", "message" or both.');
  }
}

type Declare = (name: string, body: () => void | Promise<void>) => unknown;

function globalFunction(name: "describe" | "it"): Declare {
  const found: unknown = Reflect.get(globalThis, name);
  if (!isFunction(found)) {
    throw new Error(`There is no global "${name}": pass your test runner's describe and it to describeKeyring.`);
  }
  return found;
}

function isFunction(value: unknown): value is Declare {
  return typeof value === "function";
}
