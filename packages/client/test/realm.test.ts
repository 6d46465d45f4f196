import { execFile } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { expect } from "chai";

const TEXT = "some text";

describe("the client in a realm of its own, as under Jest", () => {
  let folder: string;
  let outcomes: Record<string, string>;
  before(async () => {
    folder = mkdtempSync(join(tmpdir(), "s3ec-test-"));
    const script = fileURLToPath(new URL("realm-process.js", import.meta.url));
    const entry = new URL("realm-entry.js", import.meta.url).href;
    const { stdout } = await promisify(execFile)(process.execPath, [
      "--no-warnings",
      "--experimental-vm-modules",
      script,
      entry,
      folder,
    ]);
    outcomes = JSON.parse(stdout);
  });
  after(() => rmSync(folder, { recursive: true }));

  const EXPECTED: Readonly<Record<string, string>> = {
    "an error of Node's": "false",
    "put bytes": TEXT,
    "put an ArrayBuffer": TEXT,
    "put a Node stream": TEXT,
    "put a web stream": TEXT,
    "put a Blob": TEXT,
    "put a generator": TEXT,
    "put a file that is not there": "ENOENT",
    "get an object that is not there": "NoSuchKey",
    "get an object that is not encrypted": "not-encrypted",
    "upload a file that is not there": "invalid-argument",
    "download into a new file": TEXT,
    "download into a stream": TEXT,
    "list an object that is gone": "undefined",
    "get from a spool": TEXT,
    "with AES bytes": TEXT,
    "with an AES KeyObject": TEXT,
    "with RSA bytes": TEXT,
    "with an RSA KeyObject": TEXT,
    "with bytes of Node's": TEXT,
  };
  for (const [name, outcome] of Object.entries(EXPECTED)) {
    it(`${name}: ${outcome}`, () => expect(outcomes[name]).to.equal(outcome));
  }

  it("does nothing else", () => expect(Object.keys(outcomes).sort()).to.deep.equal(Object.keys(EXPECTED).sort()));
});
