import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PutObjectCommand } from "@aws-sdk/client-s3";
import { EncryptedDownload } from "@s3ec/client";
import type { Fault } from "@s3ec/dev-server";
import { S3EncryptionError } from "@s3ec/materials";
import { expect } from "chai";
import { BUCKET, bytesOfLength, Fixture } from "./fixture.js";
import { busySockets, errorOf, retryingClient, until } from "./transfers.js";

const PART = 64 * 1024;
const RANGES = 4;

/** What happens to one range, and whether another attempt mends it. */
const FAULTS: readonly (readonly [string, Fault, boolean])[] = [
  ["the connection is closed before the answer", { cutAfterBytes: 0 }, true],
  ["it breaks off behind the first byte", { cutAfterBytes: 1 }, true],
  ["it breaks off in the middle of a block", { cutAfterBytes: PART / 2 + 7 }, true],
  ["it fails inside S3", { status: 500, code: "InternalError" }, true],
  ["S3 asks to slow down", { status: 503, code: "SlowDown" }, true],
  ["it comes late", { delayMs: 30 }, true],
  ["it comes slowly", { throttleBytesPerSecond: 500_000 }, true],
  ["it is forbidden", { status: 403, code: "AccessDenied" }, false],
  ["it is gone", { status: 404, code: "NoSuchKey" }, false],
  ["another object is there", { status: 412, code: "PreconditionFailed" }, false],
  ["its first byte is altered", { corruptByteAt: 0 }, false],
  ["a byte of it is altered", { corruptByteAt: 105 }, false],
];

describe("a range of a download to a file", () => {
  const content = bytesOfLength((RANGES - 1) * PART + 100);
  let fixture: Fixture;
  let folder: string;
  before(async () => {
    fixture = await Fixture.start();
    await fixture.client().send(new PutObjectCommand({ Bucket: BUCKET, Key: "object", Body: content }));
  });
  after(() => fixture.close());
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "s3ec-test-"));
  });
  afterEach(async () => {
    fixture.server.faults.clear();
    await rm(folder, { recursive: true });
  });

  /** Lets the fault strike the range with this index, once or as often as it is asked for. */
  function struck(fault: Fault, index: number, resume: boolean): EncryptedDownload {
    const params = { Bucket: BUCKET, Key: "object" };
    const to = join(folder, "file");
    const client = retryingClient(fixture);
    const download = new EncryptedDownload({ client, params, to, partSize: PART, queueSize: 1, resume });
    const strike = (): void => void fixture.server.faults.add({ operation: "GetObject", ...fault });
    if (index === 0) strike();
    // One at a time, so that what is asked for next is the range with that index.
    download.on("httpDownloadProgress", ({ loaded }) => loaded === index * PART && strike());
    return download;
  }

  for (const [what, fault, isMended] of FAULTS) {
    it(`${what}: ${isMended ? "the right file" : "an error, and nothing left"}, whichever range it is`, async () => {
      for (let index = 0; index < RANGES; index++) {
        const download = struck({ ...fault, times: 1 }, index, false);
        if (isMended) {
          await download.done();
          expect((await readFile(join(folder, "file"))).equals(content)).to.equal(true);
          expect(await readdir(folder)).to.deep.equal(["file"]);
          await rm(join(folder, "file"));
        } else {
          const error = await errorOf(download.done());
          if ("corruptByteAt" in fault) expect(error).to.include({ code: "decryption-failed" });
          if (fault.status === 412 && index > 0) expect(error).to.include({ code: "content-mismatch" });
          expect(await readdir(folder)).to.deep.equal([]);
        }
        await until(() => busySockets() === 0);
        fixture.server.faults.clear();
      }
    });
  }

  it("that never comes whole ends it, with nothing left but what resume needs, and that is enough", async () => {
    for (const fault of [{ cutAfterBytes: 10 }, { status: 500 }] as const) {
      for (let index = 0; index < RANGES; index++) {
        const error = await errorOf(struck(fault, index, false).done());
        expect(error instanceof S3EncryptionError && error.code === "decryption-failed").to.equal(false);
        expect(await readdir(folder)).to.deep.equal([]);
        fixture.server.faults.clear();

        await errorOf(struck(fault, index, true).done());
        expect((await readdir(folder)).length).to.equal(index === 0 ? 0 : 1);
        fixture.server.faults.clear();
        await struck({ delayMs: 0 }, RANGES + 1, true).done();
        expect((await readFile(join(folder, "file"))).equals(content)).to.equal(true);
        expect(await readdir(folder)).to.deep.equal(["file"]);
        await rm(join(folder, "file"));
      }
    }
  });
});
