import { execFileSync } from "node:child_process";
import { mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "chai";
import { KeysAround } from "../../dist/objects/keys-around.js";
import { localTree } from "../../dist/objects/local-tree.js";
import { sideBySide } from "../../dist/objects/side-by-side.js";
import { inUtf8Order } from "../../dist/objects/utf8-order.js";
import { temporaryFolder } from "../command.js";

async function* named(...names: string[]): AsyncGenerator<{ readonly name: string }> {
  for (const name of names) yield { name };
}

async function all<T>(items: AsyncIterable<T>): Promise<T[]> {
  const found: T[] = [];
  for await (const item of items) found.push(item);
  return found;
}

describe("two lists side by side", () => {
  it("pair what is called the same, in the order of UTF-8, which that of JavaScript is not", async () => {
    // U+FF5E is before U+1F986 in UTF-8, and behind it in UTF-16.
    const [early, late] = ["～", "🦆"];
    expect(inUtf8Order(early, late)).to.be.lessThan(0);
    expect(early < late).to.equal(false);
    const pairs = await all(sideBySide(named("a", early, late), named(early, "🦆", "🦆x")));
    expect(pairs.map(({ left, right }) => [left?.name, right?.name])).to.deep.equal([
      ["a", undefined],
      [early, early],
      [late, late],
      [undefined, "🦆x"],
    ]);
  });

  it("fail where one of them breaks off, and end the other", async () => {
    let ended = false;
    async function* endless(): AsyncGenerator<{ readonly name: string }> {
      try {
        for (let number = 0; ; number += 1) yield { name: String(number).padStart(9, "0") };
      } finally {
        ended = true;
      }
    }
    async function* breaking(): AsyncGenerator<{ readonly name: string }> {
      yield { name: "000000003" };
      throw new Error("The listing broke off.");
    }
    const seen: unknown[] = [];
    const failure = await (async () => {
      for await (const pair of sideBySide(endless(), breaking())) seen.push(pair);
    })().catch((error: Error) => error.message);
    expect(failure).to.equal("The listing broke off.");
    expect(seen).to.have.length(4);
    expect(ended).to.equal(true);
  });
});

describe("the keys around a key", () => {
  it("are those before it that it begins with", () => {
    const around = new KeysAround();
    expect(around.next("a")).to.deep.equal([]);
    expect(around.next("a-b")).to.deep.equal(["a"]);
    expect(around.next("a-b.instruction")).to.deep.equal(["a-b", "a"]);
    expect(around.next("a.instruction")).to.deep.equal(["a"]);
    expect(around.next("b", false)).to.deep.equal([]);
    expect(around.next("b.x")).to.deep.equal([]);
  });
});

describe("the files of a folder", () => {
  let temporary: ReturnType<typeof temporaryFolder>;
  let folder: string;
  before(() => {
    temporary = temporaryFolder();
    folder = temporary.folder;
    for (const name of [
      "a",
      "a-b",
      "a.txt",
      "b/c",
      "b/d/e",
      "b.txt",
      "b-x",
      "～",
      "🦆",
      "with\nline break",
      ".hidden",
    ]) {
      mkdirSync(join(folder, name, ".."), { recursive: true });
      writeFileSync(join(folder, name), "");
    }
    mkdirSync(join(folder, ".s3ec-resume-x"));
    writeFileSync(join(folder, ".s3ec-resume-x", "plaintext"), "unproven");
    writeFileSync(join(folder, ".s3ec-1b4e28ba-2fa1-41d2-883f-0016d3cca427"), "not whole");
    writeFileSync(join(folder, ".s3ec-notes"), "somebody's");
    symlinkSync("nowhere", join(folder, "broken"));
    symlinkSync("..", join(folder, "b", "circle"));
    symlinkSync("a.txt", join(folder, "link"));
    execFileSync("mkfifo", [join(folder, "pipe")]);
    writeFileSync(Buffer.concat([Buffer.from(folder), Buffer.from("/\xff", "latin1")]), "");
  });
  after(() => temporary.remove());

  it("come in S3's order, with what cannot be read, and without what a download has in progress", async () => {
    const found = await all(localTree(folder));
    const names = found.map((entry) => entry.name);
    const keys = found.flatMap((entry) => ("unread" in entry ? [] : [entry.name]));
    expect(keys).to.deep.equal([...keys].sort(inUtf8Order));
    expect(names).to.include.members([
      "a",
      "a-b",
      "b/c",
      "b/d/e",
      "b-x",
      "～",
      "🦆",
      "with\nline break",
      ".hidden",
      "link",
    ]);
    expect(names.join()).to.not.contain("s3ec-resume");
    expect(names.filter((name) => name.startsWith(".s3ec-"))).to.deep.equal([".s3ec-notes"]);
    const unread = found.flatMap((entry) => ("unread" in entry ? [[entry.name, entry.isFolder, entry.unread]] : []));
    expect(unread).to.deep.include.members([
      ["broken", false, "It is a link that leads nowhere."],
      ["b/circle", true, "It is a link to a folder that it is in."],
      ["pipe", false, "It is a device, a pipe or a socket."],
    ]);
    expect(unread.some(([, , why]) => why === "Its name is no UTF-8.")).to.equal(true);
  });

  it("leave out links where they are not to be followed", async () => {
    const names = (await all(localTree(folder, { followSymlinks: false }))).map(({ name }) => name);
    expect(names).to.include("a.txt").and.not.include.members(["link"]);
    expect(names).to.not.include("broken");
  });
});
