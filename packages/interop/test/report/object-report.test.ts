import { readFile } from "node:fs/promises";
import { expect } from "chai";
import { readVerdict, writeVerdict } from "../../dist/objects/expectations.js";
import type { ClientName } from "../../dist/objects/job.js";
import type { Cell } from "../../dist/objects/matrix.js";
import { storedObjects } from "../../dist/objects/stored-object.js";
import { passed } from "../../dist/peers/verdict.js";
import { report } from "../../dist/report/object-report.js";
import { ranApart } from "../../dist/report/ran-apart.js";

const [object] = storedObjects(new Set<ClientName>(["java-v4"])).filter(({ suite }) => suite === "committing");
if (object === undefined) throw new Error("Java 4 writes committing objects.");

function get(reader: ClientName, outcome: Cell["outcome"], detail = ""): Cell {
  if (object === undefined) throw new Error("There is an object.");
  const expected = readVerdict(object, reader, "all-switches");
  return { object, reader, reading: "all-switches", expected, outcome, detail };
}

describe("report", () => {
  const put: Cell = { object, expected: writeVerdict(object), outcome: "ok", detail: "" };

  it("ends with the clients that ran apart, as docs/interop.md has it", async () => {
    const published = await readFile(new URL("../../../../docs/interop.md", import.meta.url), "utf8");
    expect(published).to.include(`\n\n${ranApart()}\n\n## Re-wrapped`);
    expect(report([put])).to.include(`\n\n${ranApart()}\n`);
  });

  it("shows who reads and who refuses, and explains exceptions", () => {
    const text = report([put, get("java-v1-eo", "wrong-bytes"), get("java-v3", "refused"), get("ours", "ok")]);
    expect(text).to.include("| J4: V3 AES/GCM, GCM, metadata | wrong bytes (a) | - | yes |");
    expect(text).to.match(/\| \(a\) \| 1 \| wrong-bytes \| .*ciphertext/);
    expect(text).not.to.include("unexpected");
  });

  it("shows an object with a child in rows of its own, one for each of its keys", () => {
    const [parent] = storedObjects(new Set<ClientName>(["ours"])).filter(
      ({ child, suite, placement }) => child === true && suite === "committing" && placement === "metadata",
    );
    if (parent === undefined) throw new Error("Ours writes children.");
    const cell = (reading: "all-switches" | "as-child", outcome: Cell["outcome"]): Cell => {
      const expected = readVerdict(parent, "java-v4", reading);
      return { object: parent, reader: "java-v4", reading, expected, outcome, detail: "" };
    };
    const written: Cell = { object: parent, expected: writeVerdict(parent), outcome: "ok", detail: "" };
    const text = report([written, cell("all-switches", "ok"), cell("as-child", "refused")]);
    const [, section = ""] = text.split("### With a child");
    expect(section).to.include("| ours: V3 AES/GCM, GCM, metadata | yes |");
    expect(section).to.include("| ours: V3 AES/GCM, GCM, metadata, by the child | - (a) |");
    expect(section).to.match(/\| \(a\) \| 1 \| refused \| looks at a custom suffix only/);
    expect(text.split("ours: V3 AES/GCM, GCM, metadata |")).to.have.length(2);
  });

  it("marks what was not expected", () => {
    expect(report([put, get("ours", "refused", "malformed-envelope: no")])).to.include("- **unexpected**");
  });
});

describe("passed", () => {
  it("asks of ours the right reason for a refusal", () => {
    if (object === undefined) throw new Error("There is an object.");
    const expected = readVerdict(object, "ours", "other-context");
    const cell: Cell = { object, reader: "ours", reading: "other-context", expected, outcome: "refused", detail: "" };
    expect(passed({ ...cell, detail: "context-mismatch: ..." })).to.equal(true);
    expect(passed({ ...cell, detail: "decryption-failed: ..." })).to.equal(false);
    expect(passed({ ...cell, outcome: "ok" })).to.equal(false);
  });
});
