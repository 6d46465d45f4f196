import { execFileSync } from "node:child_process";
import { mkdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect } from "chai";
import { type Outcome, temporaryFolder } from "../command.js";
import { inProcess } from "./in-process.js";

/** As many as an evening has; `S3EC_DAY_FILES=2000` for a day that takes minutes. */
const FILES = Number(process.env.S3EC_DAY_FILES ?? 40);
const readme = readFileSync(fileURLToPath(new URL("../../README.md", import.meta.url)), "utf8");
const [, day = ""] = /^```sh\n# a day\n(.*?)^```$/ms.exec(readme) ?? [];
const lines = day.trimEnd().split("\n");

describe("the day that the README goes through", function () {
  this.timeout(1_800_000);
  const { folder, remove } = temporaryFolder();
  after(remove);

  before(() => {
    mkdirSync(join(folder, "photos"));
    const past = new Date(Date.now() - 3_600_000);
    for (let number = 1; number <= FILES; number += 1) {
      const path = join(folder, "photos", `${String(number).padStart(4, "0")}.txt`);
      writeFileSync(path, `photo ${number}\nof that day\n`);
      utimesSync(path, past, past);
    }
    const keyring = { type: "kms", keyId: "alias/next" };
    writeFileSync(join(folder, "next.config.json"), JSON.stringify({ keyring }));
  });

  const s3ec = (line: string): Promise<Outcome> => {
    const [command = ""] = line.split(" | ");
    return inProcess(command.split(" ").slice(1), folder);
  };
  /** The next line of it, and what comes of that. */
  const next = async (): Promise<{ readonly line: string } & Outcome> => {
    const line = lines.shift() ?? "";
    // The local server tells times apart that S3 does not, which a rewrap waits for.
    if (line.startsWith("s3ec rewrap ")) return { line, ...(await s3ec(`${line} --settle-time 50`)) };
    if (line.startsWith("s3ec ")) return { line, ...(await s3ec(line)) };
    return { line, code: 0, stdout: execFileSync("bash", ["-c", line], { cwd: folder }).toString(), stderr: "" };
  };
  const transfers = ({ stdout }: Outcome): number => stdout.split("\n").filter((line) => line !== "").length;

  it("goes well, line by line", async () => {
    expect(lines).to.have.length(9);
    const up = await next();
    expect([up.code, up.stderr, transfers(up)]).to.deep.equal([0, "", FILES]);
    const listed = await next();
    expect(listed.stdout)
      .to.match(/^[\d-]+ [\d:]+ {3}20 Bytes 0001\.txt\n/)
      .and.contain(`Total Objects: ${FILES}\n`);
    expect((await next()).stdout).to.equal("photo 1\nof that day\n");
    await next();
    // What has just been written is newer than the objects, by whole seconds.
    const later = new Date(Date.now() + 5_000);
    for (const name of ["0002", "0003", "0004"]) utimesSync(join(folder, `photos/${name}.txt`), later, later);
    const again = await next();
    expect(again.stdout).to.equal(
      ["0002", "0003", "0004"].map((name) => `upload: photos/${name}.txt to s3://demo/photos/${name}.txt\n`).join(""),
    );
    const rewrapped = await next();
    expect([rewrapped.code, rewrapped.stderr, rewrapped.stdout]).to.deep.equal([
      0,
      "",
      `rewrapped: ${FILES} objects\nWrapped in:\n  metadata: ${FILES} objects\n`,
    ]);
    expect((await next()).stdout).to.match(new RegExp(`^verified: ${FILES} objects, \\d+ bytes\n$`));
    const down = await next();
    expect([down.code, down.stderr, transfers(down)]).to.deep.equal([0, "", FILES]);
    const compared = await next();
    expect([compared.line, compared.code, compared.stdout]).to.deep.equal(["diff -r photos elsewhere", 0, ""]);
    // The old key opens none of them any more.
    const old = await inProcess(["cat", "s3://demo/photos/0001.txt", "--dev"], folder);
    expect(old).to.include({ code: 5, stdout: "" });
    rmSync(join(folder, ".s3ec-dev"), { recursive: true });
  });
});
