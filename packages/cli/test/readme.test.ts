import { execFile } from "node:child_process";
import { generateKeyPairSync } from "node:crypto";
import { copyFileSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { type DevServer, startDevServer } from "@s3ec/dev-server";
import { expect } from "chai";
import { temporaryFolder } from "./command.js";
import { inProcess as s3ec } from "./objects/in-process.js";

const run = promisify(execFile);
const repository = fileURLToPath(new URL("../../../", import.meta.url));

/**
 * Every line that starts with `s3ec` in a README's shell examples; the day, and what is done to a whole bucket, have tests of
 * their own.
 */
function commandLines(readme: string): string[] {
  const text = readFileSync(join(repository, readme), "utf8");
  const blocks = [...text.matchAll(/^```sh\n(.*?)^```$/gms)].flatMap(([, code = ""]) =>
    code.startsWith("# a day\n") ? [] : code.split("\n"),
  );
  return blocks.filter((line) => line.startsWith("s3ec ") && !line.includes("--recursive"));
}

describe("the shell examples of the README files", () => {
  let server: DevServer;
  let temporary: ReturnType<typeof temporaryFolder>;

  before(async () => {
    server = await startDevServer({ buckets: ["demo"], aliases: ["alias/app"] });
    temporary = temporaryFolder();
    const { publicKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
    writeFileSync(join(temporary.folder, "escrow.pub.pem"), publicKey.export({ type: "spki", format: "pem" }));
    copyFileSync(join(repository, "docs/examples/escrow.config.json"), join(temporary.folder, "escrow.config.json"));
    writeFileSync(join(temporary.folder, "report.pdf"), "a report");
  });
  after(async () => {
    await server.close();
    temporary.remove();
  });

  for (const [readme, count] of [
    ["README.md", 4],
    ["packages/cli/README.md", 9],
  ] as const) {
    it(`work in their order: ${readme}`, async () => {
      const lines = commandLines(readme);
      expect(lines).to.have.length(count);
      for (const line of lines) {
        const args = line.split(" ").slice(1);
        // Without an AWS account, each needs the local server; `config` needs none.
        const local =
          (args[0] === "config" && !args.includes("--live")) || args.includes("--dev")
            ? []
            : ["--dev-server", server.endpoint];
        const { code, stderr } = await s3ec([...args, ...local], temporary.folder);
        expect(`${line}: ${stderr}`).to.equal(`${line}: `);
        expect(code).to.equal(0);
      }
      expect(readFileSync(join(temporary.folder, "copy.pdf"), "utf8")).to.equal("a report");
    });
  }
});

describe("the demo", () => {
  it("tells its whole story about a file", async () => {
    const file = join(repository, "LICENSE");
    const { stdout, stderr } = await run(process.execPath, [join(repository, "docs/examples/demo.mjs"), file]);
    expect(stderr).to.equal("");
    expect(stdout.match(/came out {3}\d+ bytes, SHA-256 [0-9a-f]{64} \(the same\)/g)).to.have.length(2);
    expect(stdout).to.match(/KMS was asked 0 times\./);
    expect(stdout).to.match(/refused {4}context-mismatch: .*\n[\s\S]*refused {4}decryption-failed: /);
    expect(stdout.match(/^\d\. /gm)).to.have.length(8);
  });

  it("says in a sentence that a file is not there", async () => {
    const failure = await run(process.execPath, [join(repository, "docs/examples/demo.mjs"), "no-such-file"]).catch(
      (error: { code: number; stderr: string }) => error,
    );
    expect(failure).to.include({ code: 1 });
    expect(failure.stderr).to.match(/^There is no file .*no-such-file; name one: npm run demo -- path\/to\/file\n$/);
  });
});
