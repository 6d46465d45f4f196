import { readFileSync } from "node:fs";
import { expect } from "chai";
import type { Command } from "commander";
import { Interrupts } from "../dist/interruption.js";
import { program } from "../dist/program.js";

const readme = readFileSync(new URL("../README.md", import.meta.url), "utf8");
const list = (text = ""): string[] => text.split(/,\s|\sand\s/).map((name) => name.trim());

/** The paths of the commands below this one that do something. */
function commandsOf(command: Command, path = ""): { readonly path: string; readonly options: readonly string[] }[] {
  return command.commands.flatMap((inner) => {
    const named = `${path} ${inner.name()}`.trim();
    const own = { path: named, options: inner.options.flatMap(({ long }) => long ?? []) };
    return inner.commands.length === 0 ? [own] : commandsOf(inner, named);
  });
}

describe("the options in the README", () => {
  using interrupts = new Interrupts();
  const commands = commandsOf(program(interrupts, () => {}));
  const [, objects, others] =
    /^_All that work with objects_ are ([^;]*);\s_all that use keys_ are those but ([^.]*)\.$/ms.exec(readme) ?? [];
  const all = (name: string): string[] =>
    commands.flatMap(({ path }) => (path === name || path.startsWith(`${name} `) ? [path] : []));
  const withObjects = list(objects).flatMap(all);
  const said: Readonly<Record<string, readonly string[]>> = {
    "all that work with objects": withObjects,
    "all that use keys": withObjects.filter((path) => !list(others).includes(path)),
  };
  const rows = [...readme.matchAll(/^\| (`--[^|]*`) *\| (all that [^|]*?) *\|/gm)].flatMap(
    ([, options = "", of = ""]) => [...options.matchAll(/--[a-z-]+/g)].map(([option]) => [option, of] as const),
  );

  it("are told of", () => expect(rows).to.have.lengthOf.at.least(10));

  for (const [option, of] of rows) {
    it(`${option} is of ${of}`, () => {
      const [those = "", butThose = ""] = of.split(" but ");
      const meant = list(those)
        .flatMap((name) => said[name] ?? all(name))
        .filter((name) => !list(butThose).includes(name));
      const have = commands.filter(({ options }) => options.includes(option)).map(({ path }) => path);
      expect(have).to.include.members(meant);
      // A region is of what makes keys, too, and material descriptions are of keys.
      if (option !== "--region") expect(meant).to.have.members(have);
    });
  }
});
