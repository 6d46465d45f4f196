import { randomUUID } from "node:crypto";
import {
  appendFileSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { Journal } from "../dist/journal/journal.js";
import { JournalIndex } from "../dist/journal/journal-index.js";
import { lineOf } from "../dist/journal/journal-lines.js";
import { refusal } from "./gathered.js";
import { shortWrites } from "./short-writes.js";

const RUN = { command: "rewrap", bucket: "bucket", target: "new" } as const;
const intent = (key: string, hash: string) => ({ key, intent: hash, place: "metadata" });
const looks = (etag: string) => ({ etag, modified: "2026-01-01T00:00:00.000Z", wraps: { metadata: ["h"] } });

describe("the journal of a run", () => {
  let folder: string;
  let path: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "s3ec-journal-"));
    path = join(folder, "journal");
  });
  afterEach(() => rmSync(folder, { recursive: true }));
  const open = (run: object = RUN, isReadOnly = false) => Journal.open(path, { ...RUN, ...run }, isReadOnly);
  const lines = () => readFileSync(path, "utf8").trimEnd().split("\n");

  it("has what earlier processes recorded, by key, in its order; and leaves nothing else behind", async () => {
    const first = await open();
    await Promise.all([first.intend(intent("a", "1")), first.intend(intent("b", "2")), first.intend(intent("a", "3"))]);
    first.done({ key: "a", done: looks("x") });
    expect(await first.recordsOf("a")).to.deep.equal({ intents: [], done: [] });
    await first.close();
    expect(lines()).to.have.length(5);
    const second = await open();
    expect(await second.recordsOf("a")).to.deep.equal({
      intents: [intent("a", "1"), intent("a", "3")],
      done: [looks("x")],
    });
    expect(await second.recordsOf("c")).to.deep.equal({ intents: [], done: [] });
    await second.close();
    expect(readdirSync(folder)).to.deep.equal(["journal"]);
  });

  it("removes the indexes that killed processes have left beside it, and nothing of anybody else's", async () => {
    const of = (name: string) => join(folder, name);
    const left = `journal.index-${randomUUID()}`;
    const others = [`other.index-${randomUUID()}`, "journal.index-notes", `journal.index-${randomUUID()}.txt`];
    for (const name of [left, `${left}-1`, ...others]) writeFileSync(of(name), "");
    await (await open({}, true)).close();
    expect(readdirSync(folder)).to.include(left);
    await (await open()).close();
    expect(readdirSync(folder)).to.have.members(["journal", ...others]);
  });

  it("has an intent on the disk before it says so", async () => {
    const journal = await open();
    await journal.intend(intent("a", "1"));
    expect(lines()).to.have.length(2);
    await journal.close();
  });

  it("drops a last line that was cut short, at whatever byte, and goes on behind what is whole", async () => {
    const journal = await open();
    await journal.intend(intent("a", "1"));
    await journal.intend(intent("b", "2"));
    await journal.close();
    const whole = readFileSync(path);
    const last = whole.subarray(0, -1).lastIndexOf(10) + 1;
    for (let end = last; end < whole.length; end++) {
      writeFileSync(path, whole.subarray(0, end));
      const again = await open();
      expect((await again.recordsOf("a")).intents).to.have.length(1);
      expect((await again.recordsOf("b")).intents).to.have.length(0);
      await again.intend(intent("c", "3"));
      await again.close();
      const then = await open();
      expect((await then.recordsOf("c")).intents).to.have.length(1);
      await then.close();
    }
    // Damage in the last line counts as that, too: it was not on the disk yet.
    const bytes = Buffer.from(whole);
    bytes[whole.length - 5] = 0;
    writeFileSync(path, bytes);
    const again = await open();
    expect((await again.recordsOf("b")).intents).to.have.length(0);
    await again.close();
    expect(lines()).to.have.length(2);
  });

  it("refuses damage elsewhere with the number of the line", async () => {
    const journal = await open();
    for (const key of ["a", "b", "c"]) await journal.intend(intent(key, "1"));
    await journal.close();
    const text = readFileSync(path, "utf8");
    writeFileSync(path, text.replace('"key":"b"', '"key":"x"'));
    const before = readFileSync(path, "utf8");
    const { code, message } = await refusal(open());
    expect([code, message]).to.deep.equal([
      "invalid-argument",
      `Line 3 of ${path} is damaged, and not its last: begin a new journal.`,
    ]);
    expect(readFileSync(path, "utf8")).to.equal(before);
    expect(readdirSync(folder)).to.deep.equal(["journal"]);
  });

  it("refuses damage that has swallowed the end of its line, and what is behind it stays", async () => {
    const journal = await open();
    await journal.intend(intent("a", "1"));
    await journal.close();
    appendFileSync(path, Buffer.concat([Buffer.alloc(17 * 1024 ** 2), Buffer.from(`\n${lineOf(intent("z", "1"))}`)]));
    const { size } = statSync(path);
    const { code, message } = await refusal(open());
    expect([code, message]).to.deep.equal([
      "invalid-argument",
      `Line 3 of ${path} is damaged, and has no end: begin a new journal.`,
    ]);
    expect(statSync(path).size).to.equal(size);
  });

  it("is of one run, and no file of anybody else's", async () => {
    await (await open()).close();
    for (const [other, word] of [
      [{ command: "migrate" }, 'a rewrap of the bucket "bucket"'],
      [{ bucket: "other" }, 'a rewrap of the bucket "bucket"'],
      [{ target: "other" }, "a run with another target"],
    ] as const) {
      expect((await refusal(open(other))).message).to.contain(word);
    }
    for (const text of ["a/key\nanother/key\n", "one line", `${lineOf({ s3ecJournal: 2 })}`]) {
      writeFileSync(path, text);
      expect((await refusal(open())).code).to.equal("invalid-argument");
      expect(readFileSync(path, "utf8")).to.equal(text);
    }
    // Killed while its first line was written.
    for (const length of [0, 1, 30]) {
      writeFileSync(path, lineOf({ s3ecJournal: 1, run: RUN }).slice(0, length));
      await (await open()).close();
      expect(lines()).to.have.length(1);
    }
  });

  it("is one process's, unless it is only read", async () => {
    const journal = await open();
    const { code, message } = await refusal(open());
    expect([code, message]).to.deep.equal([
      "transfer-in-use",
      `Process ${process.pid} is at this journal: wait for it, or end it.`,
    ]);
    // Also by another name.
    const link = join(folder, "link");
    symlinkSync(path, link);
    expect((await refusal(Journal.open(link, RUN, false))).code).to.equal("transfer-in-use");
    rmSync(link);
    await journal.intend(intent("a", "1"));
    appendFileSync(path, "half a li");
    const reading = await open({}, true);
    expect((await reading.recordsOf("a")).intents).to.have.length(1);
    await reading.intend(intent("b", "2"));
    await reading.close();
    await journal.close();
    expect(readFileSync(path, "utf8")).to.contain("half a li").and.not.contain('"b"');
    rmSync(path);
    const none = await open({}, true);
    expect(await none.recordsOf("a")).to.deep.equal({ intents: [], done: [] });
    await none.close();
    expect(readdirSync(folder)).to.deep.equal([]);
  });
});

describe("the index of a journal", () => {
  it("finds every line in whatever order it is asked, over many runs and blocks", async () => {
    const folder = mkdtempSync(join(tmpdir(), "s3ec-index-"));
    const index = new JournalIndex(join(folder, "journal"));
    const add = (line: ReturnType<typeof intent>) => index.add(line.key, JSON.stringify(line));
    const count = 60_000;
    const keyOf = (number: number) => `folder ä/${String((number * 7919) % count).padStart(6, "0")}`;
    const padding = "x".repeat(120);
    for (let number = 0; number < count; number++) {
      await add(intent(keyOf(number), `${number} ${padding}`));
      if (number % 1000 === 0) for (let more = 0; more < 400; more++) await add(intent("many", `${number}.${more}`));
    }
    await index.finish();
    for (let number = 0; number < count; number += 977) {
      const found = await index.linesOf(keyOf(number));
      expect(found).to.deep.equal([intent(keyOf(number), `${number} ${padding}`)]);
    }
    // Of one key, in the order in which they came.
    const many = Array.from({ length: 24_000 }, (_, number) =>
      intent("many", `${Math.floor(number / 400) * 1000}.${number % 400}`),
    );
    expect(await index.linesOf("many")).to.deep.equal(many);
    for (const none of ["", "folder", "folder ä/0000005", "zzz"]) expect(await index.linesOf(none)).to.deep.equal([]);
    await index.close();
    expect(readdirSync(folder)).to.deep.equal([]);
    rmSync(folder, { recursive: true });
  });

  it("has all lines also where a disk takes them in pieces", async () => {
    const folder = mkdtempSync(join(tmpdir(), "s3ec-index-"));
    const end = await shortWrites(import.meta.filename);
    try {
      const index = new JournalIndex(join(folder, "journal"));
      const lines = Array.from({ length: 5000 }, (_, number) => intent(`k/${(number * 7) % 5000}`, `${number}`));
      for (const line of lines) await index.add(line.key, JSON.stringify(line));
      await index.finish();
      for (const line of lines) expect(await index.linesOf(line.key)).to.deep.equal([line]);
      await index.close();
    } finally {
      end();
      rmSync(folder, { recursive: true });
    }
  });
});
