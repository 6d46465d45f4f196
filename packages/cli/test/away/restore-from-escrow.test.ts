import { execFile, execFileSync, spawnSync } from "node:child_process";
import { copyFileSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { GetObjectCommand, HeadObjectCommand, S3Client } from "@aws-sdk/client-s3";
import { type DevServer, startDevServer } from "@s3ec/dev-server";
import { expect } from "chai";
import { BIN, temporaryFolder } from "../command.js";
import { inProcess as s3ec } from "../objects/in-process.js";

const repository = fileURLToPath(new URL("../../../../", import.meta.url));
const PAGE = readFileSync(join(repository, "docs/restore-from-escrow.md"), "utf8");

function blocks(language: string): string[] {
  return [...PAGE.matchAll(/^```(\w+)\n([\s\S]*?)^```$/gm)].flatMap(([, tag, code = ""]) =>
    tag === language ? [code] : [],
  );
}

/** A process without a network where the system can make one; elsewhere one that fails when it opens a socket. */
const isUnshared = spawnSync("unshare", ["-rn", "true"]).status === 0;
const GUARD = `data:text/javascript,${encodeURIComponent(
  'import { Socket } from "node:net"; Socket.prototype.connect = () => { console.error("a socket was opened"); process.exit(99); };',
)}`;

describe("the page about a restore from escrow", () => {
  let server: DevServer;
  let plain: S3Client;
  const { folder, remove } = temporaryFolder();
  const offline = join(folder, "offline");

  before(async () => {
    server = await startDevServer({ buckets: ["demo"], aliases: ["alias/app"] });
    plain = new S3Client({ ...server.clientConfig });
    mkdirSync(offline);
    mkdirSync(join(folder, "bin"));
    const script = `#!/bin/sh\nexec '${process.execPath}' '${BIN}' "$@"\n`;
    writeFileSync(join(folder, "bin", "s3ec"), script, { mode: 0o755 });
  });
  after(async () => {
    plain.destroy();
    await server.close();
    remove();
  });

  function withoutNetwork(script: string): string {
    const env = {
      ...process.env,
      PATH: `${join(folder, "bin")}:${process.env.PATH}`,
      ...(isUnshared ? {} : { NODE_OPTIONS: `--import=${GUARD}` }),
    };
    const [program, ...args] = isUnshared ? ["unshare", "-rn", "sh", "-ec", script] : ["sh", "-ec", script];
    return execFileSync(program ?? "sh", args, { cwd: offline, env, encoding: "utf8" });
  }

  /** Stands for the AWS CLI, which need not be there. */
  async function aws(line: string): Promise<void> {
    const [, , what, , Bucket, , Key, ...rest] = line.split(" ");
    const file = join(offline, rest.at(-1) ?? "");
    if (what === "head-object") {
      const { $metadata: _, ...head } = await plain.send(new HeadObjectCommand({ Bucket, Key }));
      return writeFileSync(file, JSON.stringify(head));
    }
    expect(what).to.equal("get-object");
    const { Body } = await plain.send(new GetObjectCommand({ Bucket, Key }));
    writeFileSync(file, (await Body?.transformToByteArray()) ?? "");
  }

  /** The same for whole scripts: a program of that name, which knows what the page asks of it. */
  async function withAws(script: string): Promise<void> {
    const program = join(folder, "bin", "aws");
    const code = `
      import { mkdirSync, writeFileSync } from "node:fs";
      import { dirname } from "node:path";
      import { GetObjectCommand, HeadObjectCommand, ListObjectsV2Command, S3Client } from ${JSON.stringify(import.meta.resolve("@aws-sdk/client-s3"))};
      const s3 = new S3Client(${JSON.stringify(server.clientConfig)});
      const Bucket = "demo";
      const [what, ...rest] = process.argv.slice(2);
      const keys = (await s3.send(new ListObjectsV2Command({ Bucket }))).Contents.map(({ Key }) => Key);
      if (what === "s3") {
        for (const Key of keys) {
          mkdirSync(dirname("stored/" + Key), { recursive: true });
          const { Body } = await s3.send(new GetObjectCommand({ Bucket, Key }));
          writeFileSync("stored/" + Key, await Body.transformToByteArray());
        }
      } else if (rest[0] === "list-objects-v2") for (const key of keys) console.log(key);
      else console.log(JSON.stringify(await s3.send(new HeadObjectCommand({ Bucket, Key: rest.at(-1) }))));
      s3.destroy();
    `;
    writeFileSync(`${program}.mjs`, code);
    writeFileSync(program, `#!/bin/sh\nexec '${process.execPath}' --no-warnings '${program}.mjs' "$@"\n`, {
      mode: 0o755,
    });
    const env = { ...process.env, PATH: `${join(folder, "bin")}:${process.env.PATH}` };
    // Not `execFileSync`, in which the server, which is in this process, would not answer.
    await promisify(execFile)("sh", ["-ec", script], { cwd: offline, env });
  }

  it("leads from what was stored to the plaintext, on a machine without a network", async () => {
    const [keygen = "", fetched = "", restore = "", fetchedAll = "", restoreAll = "", encrypt = "", ...more] =
      blocks("sh");
    expect(more).to.deep.equal([]);
    const [json = ""] = blocks("json");
    const [example = ""] = blocks("js");
    expect((await s3ec(keygen.trim().split(" ").slice(1), offline)).code).to.equal(0);
    copyFileSync(join(offline, "escrow.pub.pem"), join(folder, "escrow.pub.pem"));
    copyFileSync(join(repository, "docs/examples/escrow.config.json"), join(folder, "s3ec.config.json"));
    writeFileSync(join(folder, "report.pdf"), "a report");
    const put = ["put", "report.pdf", "s3://demo/report.pdf", "--dev-server", server.endpoint];
    expect((await s3ec(put, folder)).stderr).to.equal("");
    for (const line of fetched.trim().split("\n")) await aws(line);
    expect(fetched.trim().split("\n")).to.have.length(3);

    writeFileSync(join(offline, "restore.config.json"), json);
    expect(withoutNetwork(restore)).to.contain("Decrypted 8 bytes of report.pdf.enc into report.pdf.");
    expect(readFileSync(join(offline, "report.pdf"), "utf8")).to.equal("a report");

    const deep = ["put", "report.pdf", "s3://demo/2026/a report.pdf", "--dev-server", server.endpoint];
    expect((await s3ec(deep, folder)).stderr).to.equal("");
    await withAws(fetchedAll);
    rmSync(join(offline, "stored/2026/a report.pdf.escrow"));
    withoutNetwork(restoreAll);
    expect(readFileSync(join(offline, "restored/report.pdf"), "utf8")).to.equal("a report");
    // Whose file with the wrapped key was lost.
    expect(readFileSync(join(offline, "failed"), "utf8")).to.equal("./2026/a report.pdf\n");
    expect(existsSync(join(offline, "restored/2026/a report.pdf"))).to.equal(false);

    // Beside this test, so that its imports are found as a user's would be.
    const script = fileURLToPath(new URL("restore-example.mjs", import.meta.url));
    writeFileSync(script, example);
    try {
      expect(withoutNetwork(`'${process.execPath}' '${script}'`)).to.equal("8 bytes\n");
    } finally {
      rmSync(script);
    }
    expect(readFileSync(join(offline, "restored.pdf"), "utf8")).to.equal("a report");

    const publicHalf = { type: "raw-rsa", publicKey: { file: "escrow.pub.pem" } };
    writeFileSync(join(offline, "new.config.json"), JSON.stringify({ keyring: publicHalf }));
    expect(withoutNetwork(encrypt)).to.contain(
      "aws s3api put-object --bucket demo --key report.pdf --body report.pdf.new",
    );
  });

  it("runs where every socket fails, which this machine can tell", () => {
    const connect = `'${process.execPath}' -e 'require("node:net").connect(${new URL(server.endpoint).port}, "127.0.0.1").on("error", () => process.exit(99))'`;
    expect(() => withoutNetwork(connect)).to.throw();
  });
});
