import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "chai";
import fc from "fast-check";
import { isMap, isNode, isScalar, isSeq, LineCounter, type Node, parseDocument } from "yaml";
import { jsonPlaces } from "../dist/json-places.js";
import { temporaryFolder } from "./fixture.js";

describe("places in JSON", () => {
  it("are where a parser of YAML finds them, of every part of any value", () => {
    const values = fc.oneof(
      fc.dictionary(fc.string(), fc.jsonValue({ maxDepth: 4 }), { minKeys: 1 }),
      fc.array(fc.jsonValue()),
    );
    fc.assert(
      fc.property(values, fc.constantFrom(undefined, 1, "\t"), (value, indent) => {
        const text = JSON.stringify(value, null, indent);
        const places = jsonPlaces(text);
        expect(places.twice).to.equal(undefined);
        for (const [path, place] of placesByYaml(text)) expect(places.locate(path)).to.equal(place);
      }),
      { seed: 7, numRuns: 300 },
    );
  });

  it("are those around what is not there, and of the first of two of one name", () => {
    const text = '{\n  "a": [true, {"b\\"": 1}],\n  "\\u0061": {}, "c": "{\\"a\\": 1}" }';
    const { locate, twice } = jsonPlaces(text);
    expect(twice).to.equal("line 3, column 3");
    expect(locate(["a"])).to.equal("line 2, column 3");
    expect(locate(["a", 1])).to.equal("line 2, column 15");
    expect(locate(["a", 1, 'b"', "none"])).to.equal("line 2, column 16");
    expect(locate(["a", 2])).to.equal("line 2, column 3");
    expect(locate(["c", "a"])).to.equal("line 3, column 17");
    expect(locate(["d"])).to.equal(undefined);
    expect(locate([])).to.equal(undefined);
    expect(jsonPlaces('"{"').locate(["{"])).to.equal(undefined);
  });

  it("take no parser of YAML", () => {
    const { folder, write, remove } = temporaryFolder();
    try {
      const hooks = `export const resolve = (name, context, next) => {
        if (name === "yaml") throw new Error("The parser was loaded.");
        return next(name, context);
      };`;
      writeFileSync(join(folder, "hooks.mjs"), hooks);
      const register = `import { register } from "node:module"; register("./hooks.mjs", ${JSON.stringify(`file://${folder}/`)});`;
      const code = `
        const { loadConfiguration } = await import("@s3ec/container");
        const load = (name) => loadConfiguration(name).then(({ configuration }) => configuration.keyring.keyId, ({ cause, message }) => message);
        console.log(await load(${JSON.stringify(write("a.json", '{ "keyring": { "type": "kms", "keyId": "alias/a" } }'))}));
        console.log(await load(${JSON.stringify(write("a.yaml", "keyring: { type: kms, keyId: alias/a }"))}));`;
      const args = [
        "--import",
        `data:text/javascript,${encodeURIComponent(register)}`,
        "--input-type=module",
        "-e",
        code,
      ];
      const run = execFileSync(process.execPath, args, { cwd: import.meta.dirname, encoding: "utf8" });
      expect(run).to.equal("alias/a\nThe parser was loaded.\n");
    } finally {
      remove();
    }
  });
});

/** Each part's place: of a member where its name stands. */
function placesByYaml(text: string): [readonly PropertyKey[], string][] {
  const lines = new LineCounter();
  const { contents } = parseDocument(text, { lineCounter: lines, prettyErrors: false, uniqueKeys: false });
  const found: [readonly PropertyKey[], string][] = [];
  const note = (path: readonly PropertyKey[], node: unknown): void => {
    const { line, col } = lines.linePos((isNode(node) && node.range?.[0]) || 0);
    found.push([path, `line ${line}, column ${col}`]);
  };
  const walk = (node: Node | null, path: readonly PropertyKey[]): void => {
    if (isMap(node)) {
      for (const { key, value } of node.items) {
        const inner = [...path, String(isScalar(key) ? key.value : key)];
        note(inner, key);
        walk(value as Node | null, inner);
      }
    } else if (isSeq(node)) {
      for (const [index, entry] of node.items.entries()) {
        note([...path, index], entry);
        walk(entry as Node | null, [...path, index]);
      }
    }
  };
  walk(contents, []);
  return found;
}
