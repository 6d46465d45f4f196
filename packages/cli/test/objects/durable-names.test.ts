import fs from "node:fs";
import { syncBuiltinESMExports } from "node:module";
import { join } from "node:path";
import { expect } from "chai";
import { ObjectsSetting } from "./objects-setting.js";

describe("a move down", () => {
  let at: ObjectsSetting;
  const { fsync } = fs;
  before(async function () {
    // Where no number of a file tells its name, nothing shows what was synced.
    if (process.platform !== "linux") this.skip();
    at = await ObjectsSetting.start(["demo"]);
  });
  after(async () => {
    await at?.end();
  });
  afterEach(() => {
    fs.fsync = fsync;
    syncBuiltinESMExports();
  });

  for (const isMany of [false, true]) {
    it(`deletes no object before the name of ${isMany ? "each" : "its"} file is on the disk, and of folders that were made`, async () => {
      at.write("tree/x/a", "secret");
      at.write("tree/x/b", "secret");
      await at.run("cp", "tree", "s3://demo/t", "--recursive");
      const synced = new Map<string, number>();
      fs.fsync = ((fd: number, done: (error: Error | null) => void) => {
        const path = fs.readlinkSync(`/proc/self/fd/${fd}`);
        fsync(fd, (error) => {
          if (!synced.has(path)) synced.set(path, at.asked("DeleteObject"));
          done(error);
        });
      }) as typeof fsync;
      syncBuiltinESMExports();
      at.server.clearRequests();
      const to = isMany ? "many/deep" : "one/deep/x/a";
      const args = isMany ? ["mv", "s3://demo/t", to, "--recursive"] : ["mv", "s3://demo/t/x/a", to];
      expect(await at.run(...args)).to.include({ code: 0, stderr: "" });
      const top = isMany ? "many" : "one";
      for (const folder of ["", top, `${top}/deep`, `${top}/deep/x`]) {
        expect(synced.get(join(fs.realpathSync(at.folder), folder)), folder).to.equal(0);
      }
    });
  }
});
