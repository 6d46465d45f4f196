import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { buildOnce, cacheFolder } from "../../dist/build/build-cache.js";

describe("buildOnce", () => {
  const before = process.env.S3EC_INTEROP_CACHE;
  let folder: string;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "s3ec-cache-"));
    process.env.S3EC_INTEROP_CACHE = folder;
  });

  afterEach(async () => {
    if (before === undefined) delete process.env.S3EC_INTEROP_CACHE;
    else process.env.S3EC_INTEROP_CACHE = before;
    await rm(folder, { recursive: true });
  });

  it("builds in the folder that the environment names", async () => {
    expect(cacheFolder()).to.equal(folder);
    const built = await buildOnce("peer", ["1"], (out) => writeFile(join(out, "program"), "one"));
    expect(built.startsWith(join(folder, "peer-"))).to.equal(true);
    expect(await readFile(join(built, "program"), "utf8")).to.equal("one");
  });

  it("builds once for the same inputs and again for others", async () => {
    let builds = 0;
    const build = async (): Promise<void> => void builds++;
    const first = await buildOnce("peer", ["a", "bc"], build);
    expect(await buildOnce("peer", ["a", "bc"], build)).to.equal(first);
    expect(builds).to.equal(1);
    expect(await buildOnce("peer", ["ab", "c"], build)).not.to.equal(first);
    expect(builds).to.equal(2);
  });

  it("starts afresh after a build that failed", async () => {
    const failing = async (out: string): Promise<void> => {
      await writeFile(join(out, "half"), "");
      throw new Error("no network");
    };
    const failure = await buildOnce("peer", ["1"], failing).catch((error: unknown) => error);
    expect(failure).to.be.instanceOf(Error);
    let left: unknown;
    await buildOnce("peer", ["1"], async (out) => {
      left = await readFile(join(out, "half")).catch(() => "nothing");
    });
    expect(left).to.equal("nothing");
  });
});
