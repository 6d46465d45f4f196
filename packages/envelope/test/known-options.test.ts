import { assertKnownOptions, nearestName } from "@s3ec/envelope";
import { refused } from "@s3ec/test-support";
import { expect } from "chai";

const NAMES = { encryptionContext: true, children: true, keyId: true, spool: true } as const;
const PLACES = ["instructionFileSuffix", "formats", "wrappingKey", "messageKey"];
const messageFor = (options: object): string =>
  refused("invalid-argument", () => assertKnownOptions(options, NAMES, "MyKeyring")).message;

describe("known options", () => {
  it("takes every known name, whatever its value", () => {
    assertKnownOptions({}, NAMES, "MyKeyring");
    assertKnownOptions({ encryptionContext: {}, children: undefined, keyId: null, spool: false }, NAMES, "MyKeyring");
    assertKnownOptions(Object.assign(Object.create(null), { keyId: "k" }), NAMES, "MyKeyring");
  });

  for (const [misspelt, meant] of [
    ["encryptionContex", "encryptionContext"],
    ["encryption_context", "encryptionContext"],
    ["childs", "children"],
    ["keyID", "keyId"],
    ["Spool", "spool"],
  ] as const) {
    it(`refuses ${misspelt}, and names ${meant}`, () => {
      expect(messageFor({ [misspelt]: "a secret" })).to.equal(
        `MyKeyring knows no option "${misspelt}". Did you mean ${meant}?`,
      );
    });
  }

  it("names all that are known where none is near", () => {
    expect(messageFor({ colour: 1 })).to.equal(
      'MyKeyring knows no option "colour". Known are encryptionContext, children, keyId, spool.',
    );
  });

  for (const [name, meant] of [
    ["suffix", "instructionFileSuffix"],
    ["writeFormat", "formats"],
    ["key", undefined],
    ["prefix", undefined],
  ] as const) {
    it(`takes ${name} for ${meant ?? "none"} by the last word, where it is of one name only`, () => {
      expect(nearestName(name, PLACES)).to.equal(meant);
    });
  }

  it("refuses a wrong name without a value, and one that every object inherits", () => {
    expect(messageFor({ childs: undefined })).to.contain('"childs"');
    expect(messageFor({ toString: undefined })).to.contain('"toString"');
    expect(messageFor(JSON.parse('{"__proto__": 1}'))).to.contain('"__proto__"');
  });

  for (const [what, options] of Object.entries({
    undefined: undefined,
    null: null,
    text: "a",
    list: [],
    "a Map": new Map([["childs", 1]]),
    "search parameters": new URLSearchParams("childs=1"),
    "a promise": Promise.resolve({}),
  })) {
    it(`refuses ${what} in place of options`, () => {
      const error = refused("invalid-argument", () =>
        Reflect.apply(assertKnownOptions, undefined, [options, NAMES, "MyKeyring"]),
      );
      expect(error.message).to.equal("Pass the options of MyKeyring as a plain object: no array, Map or promise.");
    });
  }

  for (const [what, options] of Object.entries({
    "inherited from other options": Object.create({ encryptionContext: {} }),
    "inherited as a getter": new (class {
      get encryptionContext(): object {
        return {};
      }
    })(),
    "not enumerable": Object.defineProperty({}, "encryptionContext", { value: {} }),
  })) {
    it(`refuses a name that is ${what}, and would be dropped where options are copied`, () => {
      expect(messageFor(options)).to.equal(
        "Pass encryptionContext to MyKeyring as a property of a plain object, such as { ...options, encryptionContext: options.encryptionContext }: here it is inherited, or hidden.",
      );
    });
  }

  it("takes one that hides what it inherits", () => {
    assertKnownOptions(Object.assign(Object.create({ keyId: "a" }), { keyId: "b" }), NAMES, "MyKeyring");
  });

  for (const options of [{ childs: [] }, Object.create({ children: [] })]) {
    it(`throws the code that is asked for: ${Object.keys(options)}`, () => {
      refused("invalid-configuration", () =>
        Reflect.apply(assertKnownOptions, undefined, [options, NAMES, "encryption", "invalid-configuration"]),
      );
    });
  }
});
