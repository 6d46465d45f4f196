import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { expect } from "chai";
import type { Outcome } from "../command.js";
import { inProcess } from "./in-process.js";
import { ObjectsSetting } from "./objects-setting.js";

describe("s3ec ls", () => {
  let at: ObjectsSetting;
  before(async () => {
    at = await ObjectsSetting.start(["demo"]);
    at.write("a.txt", "hello");
    await at.run("cp", "a.txt", "s3://demo/t/a.txt");
    await at.run("cp", "a.txt", "s3://demo/t/deep/b.txt");
    await at.putPlain("t/plain", "in the clear, and longer than a tag");
  });
  after(() => at.end());

  const TIME = "\\d{4}-\\d\\d-\\d\\d \\d\\d:\\d\\d:\\d\\d";

  it("lists as aws s3 ls does; a size is that of the plaintext of what this client wrote", async () => {
    const { code, stdout, stderr } = await at.run("ls", "s3://demo/t/");
    expect({ code, stderr }).to.deep.equal({ code: 0, stderr: "" });
    expect(stdout).to.match(new RegExp(`^ {27}PRE deep/\n${TIME} {10}5 a\\.txt\n${TIME} {9}19 plain\n$`));
    const all = await at.run("ls", "s3://demo/t", "--recursive", "--summarize", "--human-readable", "--exact");
    expect(all.stdout).to.match(
      new RegExp(
        `^${TIME} {4}5 Bytes t/a\\.txt\n${TIME} {4}5 Bytes t/deep/b\\.txt\n${TIME} {3}35 Bytes t/plain\n\nTotal Objects: 3\n {3}Total Size: 45 Bytes\n$`,
      ),
    );
    expect((await at.run("ls")).stdout).to.match(new RegExp(`^${TIME} demo\n$`));
  });

  it("asks no object for anything, unless it is told to", async () => {
    at.server.clearRequests();
    await at.run("ls", "s3://demo/t", "--recursive");
    expect(at.server.requests.map(({ operation }) => operation)).to.deep.equal(["ListObjectsV2"]);
    await at.run("ls", "s3://demo/t", "--recursive", "--exact");
    expect(at.asked("HeadObject")).to.be.at.least(3);
  });

  it("says with --long what each is encrypted with", async () => {
    const { stdout } = await at.run("ls", "s3://demo/t/", "--long");
    expect(stdout).to.match(
      new RegExp(`^ {27}PRE deep/\n${TIME} {10}5 V3 AES/GCM {15}a\\.txt\n${TIME} {9}35 plain {20}plain\n$`),
    );
  });

  it("tells in JSON, and how sure a size is", async () => {
    const read = (text: string): unknown[] =>
      text
        .trimEnd()
        .split("\n")
        .map((line) => JSON.parse(line) as unknown);
    const [prefix, object] = read((await at.run("ls", "s3://demo/t/", "--json")).stdout);
    expect(prefix).to.deep.equal({ bucket: "demo", prefix: "t/deep/" });
    expect(object).to.include({
      bucket: "demo",
      key: "t/a.txt",
      bytes: 5,
      bytesAre: "if-encrypted-by-us",
      storedBytes: 21,
    });
    const [, exact, , totals] = read((await at.run("ls", "s3://demo/t/", "--json", "--long", "--summarize")).stdout);
    expect(exact).to.deep.include({
      bytes: 5,
      bytesAre: "exact",
      state: "encrypted",
      format: "V3",
      wraps: ["AES/GCM"],
    });
    expect(totals).to.deep.equal({ totals: { objects: 2, bytes: 40 } });
  });

  it("goes on with --exact where one does not say its size, as it was deleted since it was listed", async () => {
    for (const status of [404, 403]) {
      const heal = at.server.faults.add({ operation: "HeadObject", key: "t/a.txt", status });
      const { code, stdout } = await at.run("ls", "s3://demo/t/", "--exact");
      expect(code).to.equal(0);
      expect(stdout).to.match(new RegExp(`^ {27}PRE deep/\n${TIME} {10}\\? a\\.txt\n${TIME} {9}35 plain\n$`));
      heal();
    }
    at.server.faults.add({ operation: "HeadObject", key: "t/a.txt", status: 500, times: 10 });
    expect((await at.run("ls", "s3://demo/t/", "--exact")).code).to.equal(7);
    at.server.faults.clear();
  });

  it("gives prefixes with --long as they are listed, and not with the first object; all in the listing's order", async () => {
    const page = (prefixes: readonly string[], keys: readonly string[], next?: string): string =>
      [
        `<ListBucketResult><Name>demo</Name><IsTruncated>${next !== undefined}</IsTruncated>`,
        ...(next === undefined ? [] : [`<NextContinuationToken>${next}</NextContinuationToken>`]),
        ...prefixes.map((prefix) => `<CommonPrefixes><Prefix>${prefix}</Prefix></CommonPrefixes>`),
        ...keys.map((key) => `<Contents><Key>${key}</Key><Size>1</Size></Contents>`),
        "</ListBucketResult>",
      ].join("");
    let pages: readonly (string | undefined)[] = [];
    // No object is there any more.
    const server = createServer(({ method, url = "" }, answer) => {
      if (method === "HEAD") return void answer.writeHead(/^\/demo\/?(\?|$)/.test(url) ? 200 : 404).end();
      const found = pages[url.includes("continuation-token") ? 1 : 0];
      answer.writeHead(found === undefined ? 403 : 200).end(found);
    }).listen(0, "127.0.0.1");
    await once(server, "listening");
    const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const ls = (): Promise<Outcome> => inProcess(["ls", "s3://demo", "--long", "--dev-server", endpoint], at.folder);
    const names = (text: string): string[] => [...text.matchAll(/(\S+)\n/g)].map(([, name = ""]) => name);
    try {
      pages = [page(["a/"], ["m"], "next"), page(["z/"], ["zz"])];
      expect(names((await ls()).stdout)).to.deep.equal(["a/", "m", "z/", "zz"]);
      pages = [page(["a/", "b/"], [], "next"), undefined];
      const { code, stdout } = await ls();
      expect({ code, names: names(stdout) }).to.deep.equal({ code: 7, names: ["a/", "b/"] });
    } finally {
      server.closeAllConnections();
      server.close();
    }
  });

  it("exits with 1 for a prefix that holds nothing, and not for a bucket", async () => {
    expect(await at.run("ls", "s3://demo/nothing")).to.deep.equal({ code: 1, stdout: "", stderr: "" });
    expect((await at.run("ls", "s3://demo")).code).to.equal(0);
    expect((await at.run("ls", "s3://nobucket")).code).to.equal(7);
  });

  it("goes on page by page", async () => {
    for (let number = 0; number < 1001; number += 1) {
      await at.server.putRawObject("demo", `many/${number}`, { body: Buffer.alloc(20) });
    }
    const { stdout } = await at.run("ls", "s3://demo/many/", "--summarize");
    expect(stdout).to.match(/Total Objects: 1001\n {3}Total Size: 4004\n$/);
  });
});

describe("s3ec rm", () => {
  let at: ObjectsSetting;
  beforeEach(async () => {
    at = await ObjectsSetting.start(["demo"]);
    at.configure({ instructionFileConfig: { enableInstructionFilePutObject: true } });
    for (const name of ["a", "b", "c/d"]) at.write(`tree/${name}`, name);
    await at.run("sync", "tree", "s3://demo/t");
  });
  afterEach(() => at.end());

  const keys = async (): Promise<string[]> =>
    (await at.run("ls", "s3://demo/", "--recursive", "--json")).stdout
      .split("\n")
      .filter((line) => line !== "")
      .map((line) => (JSON.parse(line) as { readonly key: string }).key);

  it("deletes an object with the files beside it", async () => {
    expect(await at.run("rm", "s3://demo/t/a")).to.deep.equal({
      code: 0,
      stdout: "delete: s3://demo/t/a\n",
      stderr: "",
    });
    expect(await keys()).to.deep.equal(["t/b", "t/b.instruction", "t/c/d", "t/c/d.instruction"]);
  });

  it("deletes everything below a prefix that is meant, and no file of what is not", async () => {
    const meant = await at.run("rm", "s3://demo/t", "--recursive", "--exclude", "*", "--include", "a*");
    expect(meant.stdout).to.equal("delete: s3://demo/t/a\n");
    // `b` is left out, and what it needs as well.
    const rest = await at.run("rm", "s3://demo/t/", "--recursive", "--exclude", "b");
    expect(rest.stdout).to.equal("delete: s3://demo/t/c/d\n");
    expect(await keys()).to.deep.equal(["t/b", "t/b.instruction"]);
    expect((await at.run("rm", "s3://demo/t", "--recursive", "--dryrun")).stdout).to.equal(
      "(dryrun) delete: s3://demo/t/b\n",
    );
    expect((await at.run("rm", "s3://demo", "--recursive")).code).to.equal(0);
    expect(await keys()).to.deep.equal([]);
  });

  it("deletes what stands for a folder, too", async () => {
    await at.server.putRawObject("demo", "folder/", { body: Buffer.alloc(0) });
    expect((await at.run("rm", "s3://demo/folder", "--recursive")).stdout).to.equal("delete: s3://demo/folder/\n");
  });
});

describe("s3ec cat", () => {
  let at: ObjectsSetting;
  before(async () => {
    at = await ObjectsSetting.start(["demo"]);
    for (const name of ["a", "b"]) {
      at.write(name, `this is ${name}\n`);
      await at.run("cp", name, "s3://demo/");
    }
    await at.putPlain("plain", "in the clear\n");
  });
  after(() => at.end());

  it("prints objects one behind the other, and nothing else", async () => {
    expect(await at.run("cat", "s3://demo/a", "s3://demo/b")).to.deep.equal({
      code: 0,
      stdout: "this is a\nthis is b\n",
      stderr: "",
    });
    expect((await at.run("cp", "s3://demo/a", "-")).stdout).to.equal("this is a\n");
  });

  it("refuses what is not encrypted, unless it is told to", async () => {
    expect(await at.run("cat", "s3://demo/plain")).to.include({ code: 4, stdout: "" });
    expect(await at.run("cat", "s3://demo/plain", "--plain", "copy")).to.include({ code: 0, stdout: "in the clear\n" });
  });

  it("says which there is none of, and prints none behind it", async () => {
    expect(await at.run("cat", "s3://demo/a", "s3://demo/c\x1b[2J", "s3://demo/b")).to.deep.equal({
      code: 7,
      stdout: "this is a\n",
      stderr: "s3ec: s3://demo/c\\u001b[2J: There is no such object.\n",
    });
    const { stderr } = await at.run("cat", "s3://demo/c", "--verbose");
    expect(stderr).to.match(/^s3ec: s3:\/\/demo\/c: There is no such object\.\n {2}error: NoSuchKey/);
  });
});
