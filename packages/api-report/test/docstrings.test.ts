import { expect } from "chai";
import { readApi } from "../dist/read-api.js";
import { Fixture } from "./fixture.js";

const CODES = `
/** Codes. */
export type S3EncryptionErrorCode = "not-encrypted" | "invalid-argument";
/** The error. */
export class S3EncryptionError extends Error {}
`;

/** What is missing in a package of this one file. */
function missingIn(text: string): readonly string[] {
  using fixture = new Fixture()
    .addPackage("envelope", { index: CODES })
    .addPackage("one", { index: text.trim(), errors: CODES });
  return readApi(fixture.root).missing;
}

const at = (line: number, sentence: string): string => `packages/one/src/index.ts:${line}: ${sentence}`;

describe("docstrings", () => {
  it("are missing on exports of every kind", () => {
    const missing = missingIn(`
export const a: number = 1;
export function b(): void {}
export class C {}
export interface D {}
export type E = string;
function internal(): void {}
export { internal as f };
`);
    expect(missing).to.have.members([
      at(1, "a has no docstring."),
      at(2, "b has no docstring."),
      at(3, "C has no docstring."),
      at(4, "D has no docstring."),
      at(5, "E has no docstring."),
      at(6, "f has no docstring."),
    ]);
  });

  it("are missing on the members that users see, of classes, interfaces and the literals of a type alias", () => {
    const missing = missingIn(`
/** A class. */
export class A {
  readonly shown: number = 1;
  get read(): number { return 1; }
  method(): void {}
  static make(): void {}
  protected forSubclasses(): void {}
  private hidden(): void {}
  #hidden = 1;
}
/** An interface. */
export interface B {
  field: { inner: string };
  method(): void;
  readonly [name: string]: unknown;
}
/** A union. */
export type C = readonly ({ readonly one: number } | (D & { two: number }))[];
/** Another. */
export interface D {}
/** What is left of one, and one that cannot change. */
export type E = Exclude<C, { readonly pattern: unknown }> | Readonly<{ three: number }>;
`);
    expect(missing).to.have.members([
      at(3, "A.shown has no docstring."),
      at(4, "A.read has no docstring."),
      at(5, "A.method has no docstring."),
      at(6, "A.make has no docstring."),
      at(7, "A.forSubclasses has no docstring."),
      at(13, "B.field has no docstring."),
      at(14, "B.method has no docstring."),
      at(18, "C.one has no docstring."),
      at(18, "C.two has no docstring."),
      at(22, "E.three has no docstring."),
    ]);
  });

  it("come from the interface that a class implements, and are not asked for where the type says it all", () => {
    expect(
      missingIn(`
/** What it does. */
export interface Door {
  /** Opens it. */
  open(): void;
}
/** A door. */
export class Gate implements Door {
  constructor(readonlyName: string) { void readonlyName; }
  open(): void {}
}
/** A union by its tag. */
export type Tagged = { type: "a"; other?: never } | { type: "b"; other?: undefined };
`),
    ).to.deep.equal([at(12, "Tagged.other has no docstring.")]);
  });

  it("of nothing but white space or a tag are none", () => {
    expect(
      missingIn(`
/**
 *
 */
export const a: number = 1;
/** @throws Error always */
export function b(): void { throw new Error("b"); }
`),
    ).to.deep.equal([at(4, "a has no docstring."), at(6, "b has no docstring.")]);
  });

  it("say that a function throws: by itself, through what it calls, or through a callback", () => {
    expect(
      missingIn(`
import { S3EncryptionError } from "./errors.js";
/** A. */
export function a(): void { throw new S3EncryptionError("x"); }
/** B. */
export function b(): void { refuse(); }
/** C. */
export function c(): void { [1].map(() => refuse()); }
/** D. */
export class D {
  constructor() { new Inner(); }
  /** M. */
  m(): void { this.#inner(); }
  #inner(): void { throw new Error("inner"); }
}
/** E, which ends. */
export function e(): void { if (Math.random() > 1) e(); }
/** F catches. */
export function f(): void { try { refuse(); } catch { } }
/** G hands on what throws later. */
export function g(): () => void { return () => refuse(); }
/** H. @throws S3EncryptionError \`not-encrypted\` at times */
export function h(): void { refuse(); }
function refuse(): never { throw new Error("refused"); }
class Inner { constructor() { refuse(); } }
`),
    ).to.have.members([
      at(3, "a throws, and no @throws says when."),
      at(5, "b throws, and no @throws says when."),
      at(7, "c throws, and no @throws says when."),
      at(10, "D.constructor throws, and no @throws says when."),
      at(12, "D.m throws, and no @throws says when."),
    ]);
  });

  it("say that a function throws what one of another package says that it throws", () => {
    using fixture = new Fixture()
      .addPackage("one", {
        index: `/** A. @throws Error always */\nexport function a(): void { throw new Error("a"); }`,
      })
      .addPackage("two", {
        index: `import { a } from "../../one/dist/index.js";\n/** B. */\nexport function b(): void { a(); }`,
      });
    expect(readApi(fixture.root).missing).to.deep.equal([
      "packages/two/src/index.ts:3: b throws, and no @throws says when.",
    ]);
  });

  it("name a code of S3EncryptionError where that is what is thrown", () => {
    expect(
      missingIn(`
/** A. @throws S3EncryptionError when it is late */
export function a(): void {}
/** B. @throws S3EncryptionError \`no-such-code\` when it is late */
export function b(): void {}
/** C. @throws S3EncryptionError \`not-encrypted\` when it is late */
export function c(): void {}
/** D. @throws RangeError when it is late */
export function d(): void {}
`),
    ).to.deep.equal([
      at(2, "a has a @throws that names no code of the error."),
      at(4, "b has a @throws that names no code of the error."),
    ]);
  });
});

describe("types that signatures name", () => {
  it("must be exported: in parameters, results, bases, members and typeof", () => {
    const missing = missingIn(`
import { S3EncryptionError } from "./errors.js";
interface One {} interface Two {} class Three {} interface Four<T> { t: T } const five: number = 5; interface Six {}
/** A. */
export function a<T extends One>(value: T): Four<typeof five> { return value as never; }
/** B. */
export class B extends Three {
  /** M. */
  m(): Promise<Two> { return this.#six as never; }
  #six: Six | undefined = undefined;
  private six(): Six { return {}; }
  /** N. */
  n(error: S3EncryptionError): void { void error; }
}
`);
    const names = (of: string, type: string): string =>
      `packages/one/src/index.ts: ${of} names ${type}, which is not exported.`;
    expect(missing).to.have.members([
      names("a", "One"),
      names("a", "Four"),
      names("a", "five"),
      names("B", "Three"),
      names("B", "Two"),
      names("B", "S3EncryptionError"),
    ]);
  });
});
