import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { inspect } from "node:util";
import { refusal } from "@s3ec/test-support";
import { expect } from "chai";
import { type Pin, readPin } from "../dist/pin.js";

describe("readPin", () => {
  let folder: string;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "s3ec-pin-"));
  });
  after(() => rm(folder, { recursive: true }));

  it("reads a file without the line break at its end, and nothing else off it", async () => {
    const file = join(folder, "pin");
    for (const end of ["", "\n", "\r\n"]) {
      await writeFile(file, ` p\nin é ${end}`);
      expect(await readPin({ file })).to.equal(" p\nin é ");
    }
  });

  it("reads an environment variable as it is", async () => {
    process.env.S3EC_TEST_PIN = "1234";
    expect(await readPin({ env: "S3EC_TEST_PIN" })).to.equal("1234");
    delete process.env.S3EC_TEST_PIN;
  });

  it("asks a function, which may be async, and zeroes the bytes that it gives", async () => {
    expect(await readPin(() => "1234")).to.equal("1234");
    expect(await readPin(async () => "1234")).to.equal("1234");
    const bytes = new TextEncoder().encode("é 1234");
    expect(await readPin(() => bytes)).to.equal("é 1234");
    expect([...bytes]).to.deep.equal(Array(bytes.length).fill(0));
  });

  it("refuses what holds no PIN, so that an empty one is not tried", async () => {
    const file = join(folder, "empty");
    await writeFile(file, "\n");
    for (const source of [{ file }, { file: join(folder, "none") }, { env: "S3EC_TEST_NO_PIN" }, () => ""]) {
      await refusal("key-unavailable", () => readPin(source));
    }
    await refusal("key-unavailable", () => readPin(() => 1234 as unknown as Pin));
  });

  it("does not pass on what a function throws, which may quote the PIN", async () => {
    const error = await refusal("key-unavailable", () =>
      readPin(() => {
        throw new Error("the vault has 9876 only");
      }),
    );
    expect(inspect(error, { showHidden: true, depth: 9 })).to.not.contain("9876");
  });
});
