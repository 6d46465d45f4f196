import { expect } from "chai";
import type { Command } from "commander";
import { Interrupts } from "../dist/interruption.js";
import { program } from "../dist/program.js";
import { temporaryFolder } from "./command.js";
import { inProcess as s3ec } from "./objects/in-process.js";

/** What says something of one object, too: whatever else a command takes has to be refused for one. */
const OF_ONE: Readonly<Record<string, readonly string[]>> = {
  every: [
    ...["--json", "--verbose", "--config", "--use", "--dev", "--dev-server", "--allow-commands"],
    ...["--region", "--profile", "--endpoint-url", "--no-verify-ssl", "--ca-bundle"],
  ],
  reading: ["--suffix", "--context", "--description"],
  writing: ["--to", "--to-use", "--to-context", "--no-to-context", "--to-description", "--dry-run", "--dryrun"],
  keeping: ["--allow-loss", "--kms-context", "--checks-target", "--settle-time"],
};
const of = (...names: string[]): readonly string[] => names.flatMap((name) => OF_ONE[name] ?? name);
const COMMANDS: readonly (readonly [string, readonly string[]])[] = [
  [
    "audit",
    of(
      "every",
      "--suffix",
      "--key-of",
      "--key-of-use",
      "--readable-by",
      "--readable-by-use",
      "--ask-kms",
      "--messages",
      "--csv",
      "--summary",
    ),
  ],
  ["verify", of("every", "reading", "--plain", "--summary")],
  [
    "rewrap",
    of(
      "every",
      "reading",
      "writing",
      "keeping",
      "--to-suffix",
      "--recipient",
      "--same-owner",
      "--verify",
      "--enforce-rotation",
      "--decrypt-here",
    ),
  ],
  ["migrate", of("every", "reading", "writing", "keeping", "--drop")],
  [
    "recipients add",
    of("every", "reading", "writing", "--version-id", "--in", "--same-owner", "--verify", "--allow-loss"),
  ],
  ["recipients remove", of("every", "--context", "--description", "--version-id", "--dry-run", "--dryrun")],
];
/** What makes them many. */
const MANY = ["--recursive", "--inventory", "--keys"];
const VALUES: Readonly<Record<string, string>> = {
  "--keys-encoding": "url",
  "--larger": "1KiB",
  "--smaller": "1",
  "--older": "2001-01-01",
  "--newer": "2001-01-01",
  "--described": "a=b",
  "--concurrency": "3",
  "--rate": "2",
};

describe("an option of many objects", () => {
  const { folder, remove } = temporaryFolder();
  after(remove);
  using interrupts = new Interrupts();
  const root = program(interrupts, () => {});
  const commandAt = (path: string): Command | undefined =>
    path.split(" ").reduce<Command | undefined>((at, name) => at?.commands.find((each) => each.name() === name), root);

  it("is what each command that takes many has beside those of one", () => {
    const takesMany = (command: Command, path = ""): string[] =>
      command.commands.flatMap((each) => {
        const name = `${path} ${each.name()}`.trim();
        return each.options.some(({ long }) => long === "--keys") ? [name] : takesMany(each, name);
      });
    expect(COMMANDS.map(([name]) => name)).to.have.members(takesMany(root));
  });

  for (const [path, ofOne] of COMMANDS) {
    it(`is refused where ${path} is of one`, async () => {
      const options = commandAt(path)?.options ?? [];
      for (const known of ofOne)
        expect(
          options.map(({ long }) => long),
          path,
        ).to.include(known);
      const others = options.filter(({ long }) => !ofOne.includes(long ?? "") && !MANY.includes(long ?? ""));
      expect(others.map(({ long }) => long)).to.include.members(["--glob", "--exclude", "--older", "--concurrency"]);
      for (const { long = "", required } of others) {
        const said = [long, ...(required ? [VALUES[long] ?? "x"] : [])];
        const name = path.startsWith("recipients") ? ["partner"] : [];
        const { code, stderr } = await s3ec([...path.split(" "), "s3://demo/one", ...name, ...said], folder);
        expect([code, stderr], `${path} ${said.join(" ")}`).to.deep.equal([
          2,
          long === "--keys-encoding"
            ? "s3ec: --keys-encoding is of --keys.\n"
            : long === "--versions"
              ? "s3ec: --versions is of --recursive or --inventory.\n"
              : `s3ec: ${long} is of many objects: --recursive, --inventory or --keys.\n`,
        ]);
      }
    });
  }

  it("is refused of cp and mv, too", async () => {
    for (const verb of ["cp", "mv"]) {
      for (const option of ["--exclude", "--include"]) {
        const { code, stderr } = await s3ec([verb, "s3://demo/one", "copy", option, "*"], folder);
        expect([code, stderr]).to.deep.equal([
          2,
          "s3ec: --exclude and --include are of many objects: say --recursive for all below SOURCE.\n",
        ]);
      }
    }
  });
});
