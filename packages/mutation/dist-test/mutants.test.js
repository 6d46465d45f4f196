import { expect } from "chai";
import { mutantsOf } from "../dist/mutants.js";
import { sample } from "../dist/sample.js";
function changes(source) {
    return mutantsOf(source).map(({ change }) => change);
}
describe("the mutants of a source file", () => {
    it("negate, force and swap what decides", () => {
        expect(changes("export function f(a: number): void { if (a < 2) g(a); }")).to.have.members([
            "a < 2 → true",
            "a < 2 → false",
            "a < 2 → a <= 2",
            "2 → (2 + 1)",
            "g(a); → ;",
        ]);
        expect(changes("export const x = (a: boolean, b: boolean): boolean => !a && b;")).to.include.members([
            "!a && b → !a",
            "!a && b → b",
            "!a && b → !a || b",
            "!a → a",
        ]);
    });
    it("leave out what throws, is done or is given back", () => {
        const source = "export function f(): number { this.x = 1; g(); throw new Error(); return h(); }";
        expect(changes(source)).to.include.members([
            "this.x = 1; → ;",
            "g(); → ;",
            "throw new Error(); → ;",
            "return h(); → return undefined;",
        ]);
    });
    it("leave types, imports and the words of errors alone", () => {
        const source = `import { a } from "a"; export type B = "b" | 1; throw new Error("c" + a + "d");`;
        expect(changes(source)).to.deep.equal([`throw new Error("c" + a + "d"); → ;`]);
    });
    it("keep to what was replaced, however tightly its neighbours bind", () => {
        const [mutant] = mutantsOf("export const x = (a - b) * 1;").filter(({ change }) => change === "a - b → a + b");
        expect(mutant?.code).to.match(/^export const x = \(+a \+ b\)+ \* 1;/);
    });
    it("are each of another code, and the same ones in the same order each time", () => {
        const source = "export function f(a: boolean): void {\n  if (a) throw new Error();\n  while (a) g();\n}";
        const codes = mutantsOf(source).map(({ code }) => code);
        expect(new Set(codes).size).to.equal(codes.length);
        expect(mutantsOf(source)).to.deep.equal(mutantsOf(source));
        expect(mutantsOf(source).map(({ line }) => line)).to.deep.equal([2, 2, 2, 3, 3]);
    });
    it("name the rules that the comments around them cite", () => {
        const source = [
            "/** Is there (S12). */",
            "export function f(): void {",
            "  // Never twice (G2, H35).",
            "  g();",
            "}",
            "h();",
        ].join("\n");
        expect(mutantsOf(source).map(({ change, rules }) => [change, [...rules].sort()])).to.deep.equal([
            ["g(); → ;", ["G2", "H35", "S12"]],
            ["h(); → ;", []],
        ]);
    });
});
describe("a sample", () => {
    const items = Array.from({ length: 50 }, (_, index) => `item ${index}`);
    it("is the same for the same seed, in order, and another for another seed", () => {
        const drawn = sample(items, (item) => item, "1", 10);
        expect(drawn).to.have.length(10);
        expect(sample(items, (item) => item, "1", 10)).to.deep.equal(drawn);
        expect(sample(items, (item) => item, "2", 10)).to.not.deep.equal(drawn);
        expect(items.filter((item) => drawn.includes(item))).to.deep.equal(drawn);
    });
    it("is everything where no more was asked for", () => {
        expect(sample(items, (item) => item, "1", 50)).to.deep.equal(items);
    });
});
