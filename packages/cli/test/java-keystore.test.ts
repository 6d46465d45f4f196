import { execFileSync, spawnSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type DevServer, startDevServer } from "@s3ec/dev-server";
import { loadKey } from "@s3ec/key-source";
import { expect } from "chai";
import { temporaryFolder } from "./command.js";
import { inProcess as s3ec } from "./objects/in-process.js";

const PAGE = readFileSync(fileURLToPath(new URL("../../../docs/from-a-java-keystore.md", import.meta.url)), "utf8");
const env = { STORE_PASSPHRASE: "from the page" };

function blocks(language: string): string[] {
  return [...PAGE.matchAll(/^ *```(\w+)\n([\s\S]*?)^ *```$/gm)].flatMap(([, tag, code = ""]) =>
    tag === language ? [code] : [],
  );
}

describe("the page about Java keystores, with stores of this machine's keytool", () => {
  let server: DevServer;
  const { folder, remove } = temporaryFolder();
  const keytool = (line: string): void => {
    execFileSync("keytool", line.trim().split(" ").slice(1), {
      cwd: folder,
      env: { ...process.env, ...env },
      stdio: "pipe",
    });
  };

  before(async function () {
    try {
      execFileSync("keytool", ["-help"], { stdio: "ignore" });
    } catch {
      console.log("      skipped: keytool is not installed (apt-get install default-jre-headless)");
      return this.skip();
    }
    server = await startDevServer({ buckets: ["demo"] });
    writeFileSync(join(folder, "report.pdf"), "a report");
  });
  after(async () => {
    await server?.close();
    remove();
  });

  it("leads from a new store to an object", async () => {
    const [json = ""] = blocks("json");
    writeFileSync(join(folder, "s3ec.config.json"), json);
    const lines = blocks("sh").flatMap((block) => block.trim().split("\n"));
    expect(lines.map((line) => line.trim().split(" ")[0])).to.deep.equal([
      ...["keytool", "chmod", "s3ec", "s3ec", "s3ec", "keytool"],
    ]);
    for (const line of lines.slice(0, 5)) {
      const [program = "", ...args] = line.split(" ");
      if (program === "keytool") keytool(line);
      else if (program === "chmod") execFileSync(program, args, { cwd: folder });
      else {
        const local = args[0] === "config" ? [] : ["--dev-server", server.endpoint];
        const { code, stdout, stderr } = await s3ec([...args, ...local], folder, env);
        expect({ line, code, stderr }).to.deep.equal({ line, code: 0, stderr: "" });
        expect(stdout).to.not.contain(env.STORE_PASSPHRASE);
      }
    }
    expect(readFileSync(join(folder, "copy.pdf"), "utf8")).to.equal("a report");
  });

  it("has an example in code that loads the key", async () => {
    const [code = ""] = blocks("js");
    const AsyncFunction = Object.getPrototypeOf(async () => {}).constructor;
    const load: typeof loadKey = (source, options) => loadKey(source, { ...options, folder, env });
    class RawRsaKeyring {
      readonly options: unknown;
      constructor(options: unknown) {
        this.options = options;
      }
    }
    const body = `${code.replace(/^import .*$/gm, "")}\nreturn keyring;`;
    const keyring = await new AsyncFunction("loadKey", "RawRsaKeyring", body)(load, RawRsaKeyring);
    expect(keyring.options.privateKey).to.include({ type: "private", asymmetricKeyType: "rsa" });
  });

  it("warns of a store that others can read, once for a command", async () => {
    execFileSync("chmod", ["644", "orders.p12"], { cwd: folder });
    const args = ["get", "s3://demo/report.pdf", "again.pdf", "--dev-server", server.endpoint];
    const { code, stderr } = await s3ec(args, folder, env);
    expect(code).to.equal(0);
    expect(stderr).to.equal(
      "s3ec: The key file orders.p12 can be read by other users of this machine: chmod 600 orders.p12\n",
    );
    const { stdout } = await s3ec(["config", "check", "s3ec.config.json"], folder, env);
    expect(stdout).to.match(/Look at:\n(.*\n)*.*The key file orders\.p12 can be read by other users/);
  });

  /** As ten lines of Java read it. */
  const javasKey = (type: string, store: string): string => {
    writeFileSync(
      join(folder, "PrintKey.java"),
      `public class PrintKey {
        public static void main(String[] args) throws Exception {
          char[] passphrase = System.getenv("STORE_PASSPHRASE").toCharArray();
          java.security.KeyStore store = java.security.KeyStore.getInstance(args[0]);
          store.load(new java.io.FileInputStream(args[1]), passphrase);
          byte[] key = store.getKey("archive", passphrase).getEncoded();
          System.out.print(java.util.HexFormat.of().formatHex(key));
        }
      }`,
    );
    const options = { cwd: folder, env: { ...process.env, ...env }, encoding: "utf8" } as const;
    return execFileSync("java", ["PrintKey.java", type, store], options);
  };

  it("says how a secret key gets out of JCEKS, and what reads it then", async () => {
    const secret =
      "-genseckey -alias archive -keyalg AES -keysize 256 -keystore old.jceks -storetype JCEKS -keypass:env STORE_PASSPHRASE";
    keytool(`keytool ${secret} -storepass:env STORE_PASSPHRASE`);
    keytool(blocks("sh").at(-1) ?? "");
    const passphrase = { env: "STORE_PASSPHRASE" };
    const options = { type: "aes", folder, env, onWarning: () => {} } as const;
    const key = await loadKey({ file: "archive.p12", alias: "archive", passphrase }, options);
    expect(key.symmetricKeySize).to.equal(32);
    if (spawnSync("javac", ["-version"]).status === 0) {
      expect(key.export().toString("hex")).to.equal(javasKey("JCEKS", "old.jceks"));
    } else console.log("      without javac: whether it is the same key is not asked of Java");
    const kept: unknown = await loadKey({ file: "old.jceks", passphrase }, options).catch((error: unknown) => error);
    expect(kept).to.have.property("message").that.contains("keytool -importkeystore");
  });
});

describe("a configuration that gets its key from a command or from standard input", () => {
  const { folder, remove } = temporaryFolder();
  let server: DevServer;
  before(async () => {
    server = await startDevServer({ buckets: ["demo"] });
    const key = Buffer.alloc(32, 5).toString("base64");
    const script = `process.stdout.write(Buffer.from(${JSON.stringify(key)}, "base64"))`;
    const command = { command: [process.execPath, "-e", script] };
    writeFileSync(join(folder, "command.json"), JSON.stringify({ keyring: { type: "raw-aes", wrappingKey: command } }));
    const stdin = { keyring: { type: "raw-aes", wrappingKey: { stdin: true } } };
    writeFileSync(join(folder, "stdin.json"), JSON.stringify(stdin));
    writeFileSync(join(folder, "report"), "a report");
  });
  after(async () => {
    await server.close();
    remove();
  });

  it("runs the command only with --allow-commands", async () => {
    const put = ["put", "report", "s3://demo/c", "--config", "command.json", "--dev-server", server.endpoint];
    const refused = await s3ec(put, folder);
    expect(refused.code).to.equal(3);
    expect(refused.stderr).to.match(
      /keyring\.wrappingKey: commands are run only where the caller allows it.*--allow-com/,
    );
    expect((await s3ec([...put, "--allow-commands"], folder)).code).to.equal(0);
    expect((await s3ec(["config", "check", "command.json"], folder)).code).to.equal(3);
    expect((await s3ec(["config", "check", "command.json", "--allow-commands"], folder)).code).to.equal(0);
  });

  it("says that standard input cannot be the object and the key", async () => {
    const put = ["put", "-", "s3://demo/s", "--config", "stdin.json", "--dev-server", server.endpoint];
    const { code, stderr } = await s3ec(put, folder);
    expect(code).to.equal(3);
    expect(stderr).to.match(/standard input cannot be the key, since something else is read from it/);
  });
});
