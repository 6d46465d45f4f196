import { execFileSync, spawnSync } from "node:child_process";
import { copyFileSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
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

  it("leads from what was stored to the plaintext, on a machine without a network", async () => {
    const [keygen = "", fetched = "", restore = "", loop = "", encrypt = "", ...more] = blocks("sh");
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
    rmSync(join(offline, "report.pdf"));
    expect(withoutNetwork(loop)).to.contain("Decrypted 8 bytes");
    expect(readFileSync(join(offline, "report.pdf"), "utf8")).to.equal("a report");

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
