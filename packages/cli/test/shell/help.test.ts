import { spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "chai";
import type { Command } from "commander";
import { TOPICS } from "../../dist/help/topics.js";
import { Interrupts } from "../../dist/interruption.js";
import { program } from "../../dist/program.js";
import { manPage } from "../../dist/shell/man-page.js";
import { temporaryFolder } from "../command.js";
import { inProcess as s3ec } from "../objects/in-process.js";

function tree(): Command {
  using interrupts = new Interrupts();
  return program(interrupts, () => {});
}

/** Lines, or ends of lines, that begin with the command. */
function commandsIn(text: string): string[][] {
  return [...text.matchAll(/(?:^|\s)s3ec ((?!help)[a-z].*?)(?= {3,}|[;:,.()]|$)/gm)].map(([, line = ""]) =>
    line.split(/\s+/),
  );
}

describe("s3ec help", () => {
  for (const [name, { about, body }] of Object.entries(TOPICS)) {
    it(`${name} fits a terminal, and names commands and options that there are`, () => {
      expect(about).to.match(/^\S.{5,60}\S$/);
      for (const line of body.split("\n")) expect(line.length, line).to.be.at.most(92);
      for (const words of commandsIn(body)) {
        let command = tree();
        for (const word of words) {
          if (word.startsWith("--")) {
            expect(
              command.options.map(({ long }) => long),
              words.join(" "),
            ).to.include(word.replace(/=.*/, ""));
            continue;
          }
          command = command.commands.find((each) => each.name() === word) ?? command;
        }
        expect(command.name(), words.join(" ")).not.to.equal("s3ec");
        expect(command.commands, words.join(" ")).to.have.length(0);
      }
    });
  }

  it("finds commands in the topics at all", () => {
    const all = Object.values(TOPICS).flatMap(({ body }) => commandsIn(body));
    expect(all.length).to.be.greaterThan(15);
  });

  it("tells of topics, of commands, and what may have been meant", async () => {
    const { folder, remove } = temporaryFolder();
    try {
      for (const [args, code, text] of [
        [["help", "exit-codes"], 0, /^Exit codes:\n {2}0 {2}done\n/],
        [["help", "recipients", "add"], 0, /^Usage: s3ec recipients add/],
        [["help"], 0, /Topics \(s3ec help TOPIC\): configuration/],
        [["help", "fomats"], 2, /did you mean formats\?/],
        [["decript", "x"], 2, /Did you mean decrypt\?/],
        [["schema", "recipient list"], 2, /did you mean recipients list\? s3ec schema has all\./],
        [["schema", "nothing like it"], 2, /prints JSON with --json\. s3ec schema has all\./],
        [["get", "--contxt", "a=b"], 2, /Did you mean --context\?/],
      ] as const) {
        const { code: exited, stdout, stderr } = await s3ec(args, folder);
        expect(`${stdout}${stderr}`).to.match(text);
        expect(exited).to.equal(code);
      }
    } finally {
      remove();
    }
  });
});

describe("the manual page", () => {
  it("has every command, option and topic, and no mistake that groff warns of", function () {
    const page = manPage(tree());
    for (const text of [
      ".SS s3ec decrypt [options] <FILE>",
      ".SS s3ec config policy",
      ".SH EXIT\\-CODES",
      "\\-\\-head",
    ]) {
      expect(page).to.contain(text);
    }
    expect(page).not.to.contain("s3ec complete ");
    if (spawnSync("groff", ["--version"]).status !== 0) {
      console.log("      skipped: groff is not installed");
      return this.skip();
    }
    const { folder, remove } = temporaryFolder();
    try {
      writeFileSync(join(folder, "s3ec.1"), page);
      const { stdout, stderr } = spawnSync("groff", ["-man", "-Tutf8", "-ww", "s3ec.1"], {
        cwd: folder,
        encoding: "utf8",
      });
      expect(stderr).to.equal("");
      // In lines as wide as the page leaves room for, with words that are broken.
      const text = stdout.replace(/\u2010\n\s*/g, "").replace(/\s+/g, " ");
      expect(text).to.contain("its instruction file, which is then taken");
    } finally {
      remove();
    }
  });
});
