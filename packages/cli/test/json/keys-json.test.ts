import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describeOnSoftHsm } from "@s3ec/softhsm";
import { expect } from "chai";
import { inProcess } from "../objects/in-process.js";
import { ObjectsSetting } from "../objects/objects-setting.js";
import { PrintedJson } from "./printed-json.js";

describe("what commands for keys, configurations and files print with --json", () => {
  let at: ObjectsSetting;
  let printed: PrintedJson;
  before(async () => {
    at = await ObjectsSetting.start(["demo"]);
    printed = new PrintedJson(at.folder);
  });
  after(() => at.end());
  const local = async (command: string, ...args: string[]): Promise<Record<string, unknown>[]> =>
    await printed.of(command, await inProcess([...command.split(" "), ...args, "--json"], at.folder));
  const remote = async (command: string, ...args: string[]): Promise<Record<string, unknown>[]> =>
    await printed.of(command, await at.run(...command.split(" "), ...args, "--json"));

  it("fits those of keygen", async () => {
    const [aes] = await local("keygen aes", "new.key");
    expect(aes?.configurations).to.deep.equal({
      readAndWrite: {
        keyring: { type: "raw-aes", wrappingKey: { file: "new.key" }, materialDescription: { key: "new" } },
      },
    });
    await local("keygen aes", "new.key");
    const [rsa] = await local("keygen rsa", "new.pem", "--bits", "2048", "--public", "new.pub.pem");
    expect(rsa?.publicKey).to.equal(at.read("new.pub.pem"));
    await local("keygen rsa", "other.pem", "--bits", "2048");
    await local("keygen rsa", "other.pem");
    const [kms] = await remote("keygen kms", "alias/made");
    expect(kms).to.deep.include({ kind: "kms", alias: "alias/made" });
    await remote("keygen kms", "alias/made");
    for (const kind of ["aes", "rsa", "kms"]) {
      expect(printed.unseen(`keygen ${kind}`), kind).to.deep.equal(["/error/left"]);
    }
  });

  describeOnSoftHsm("with a token", (hsm) => {
    it("fits that of keygen pkcs11", async () => {
      const { module, tokenLabel, pin } = hsm();
      const env = { TOKEN_PIN: pin };
      const token = ["--module", module, "--token-label", tokenLabel, "--pin-env", "TOKEN_PIN"];
      for (const args of [["json"], ["json"], ["json-aes", "--key-type", "aes"]]) {
        const outcome = await inProcess(["keygen", "pkcs11", ...args, ...token, "--json"], at.folder, env);
        await printed.of("keygen pkcs11", outcome);
      }
      expect(printed.unseen("keygen pkcs11")).to.deep.equal(["/error/left"]);
    });
  });

  it("fits that of init", async () => {
    const [made] = await local("init", "made.json", "--keyring", "aes", "--key", "made.key");
    const { $schema, ...written } = JSON.parse(at.read("made.json"));
    expect([$schema, made?.configuration]).to.deep.equal([`./${made?.schemaFile}`, written]);
    await local("init", "made.json", "--keyring", "aes");
    await local("init", "second.json", "--keyring", "kms", "--key", "alias/app");
    expect(printed.unseen("init")).to.deep.equal(["/error/left"]);
  });

  it("fits those of config, and each is one document", async () => {
    const [checked] = await local("config check");
    expect(checked).to.include({ file: "s3ec.config.json" });
    at.write("wrong.json", "{}");
    await local("config check", "wrong.json");
    at.write("kms.json", JSON.stringify({ keyring: { type: "kms", keyId: "alias/none" } }));
    const missing = await at.run("config", "check", "kms.json", "--live", "s3://demo", "--json");
    expect([missing.code, missing.stderr.split(":")[0]]).to.deep.equal([5, "s3ec"]);
    const [live] = await printed.of("config check", missing);
    expect(live?.live).to.include({ isAllServed: false });
    const [served] = await remote("config check", "--live", "s3://demo");
    expect(served?.live).to.include({ isAllServed: true });
    const all = await local("config policy", "s3ec.config.json", "s3://demo");
    const [one] = await local("config policy", "s3ec.config.json", "s3://demo", "--role", "reader");
    expect(all[0]?.reader).to.deep.equal(one);
    await local("config policy", "wrong.json");
    for (const verb of ["check", "policy"])
      expect(printed.unseen(`config ${verb}`), verb).to.deep.equal(["/error/left"]);
  });

  it("fits those of encrypt and decrypt, which leave standard output to the content", async () => {
    at.write("in", "a report");
    const child = { type: "raw-aes", wrappingKey: { base64: Buffer.alloc(32, 3).toString("base64") } };
    const generator = { type: "raw-aes", wrappingKey: { file: "app.key" } };
    for (const [name, client] of [
      ["file", {}],
      ["annotation", { wrapPlacement: "annotations" }],
    ] as const) {
      const keyring = { type: "multi", generator, children: [{ keyring: child, instructionFileSuffix: ".escrow" }] };
      at.write(`${name}.json`, JSON.stringify({ keyring, client }));
      const [encrypted] = await local("encrypt", "in", "-o", `${name}.enc`, "--config", `${name}.json`);
      expect(encrypted).to.include({ operation: "encrypt", from: "in", to: `${name}.enc`, bytes: 8 });
    }
    await local("encrypt", "none", "-o", "none.enc");
    const decrypted = await local("decrypt", "file.enc", "--head", "file.enc.head.json", "-o", "out");
    expect(decrypted[0]).to.deep.equal({
      operation: "decrypt",
      from: "file.enc",
      to: "out",
      state: "done",
      bytes: 8,
      isAuthenticated: true,
    });
    const streamed = await inProcess(["decrypt", "file.enc", "--head", "file.enc.head.json", "--json"], at.folder);
    expect(streamed.stdout).to.equal("a report");
    await printed.check("decrypt", streamed.stderr);
    const ciphertext = await inProcess(["encrypt", "in", "-o", "-", "--head", "head.json", "--json"], at.folder);
    expect(ciphertext.stdout).to.have.length.greaterThan(0);
    await printed.check("encrypt", ciphertext.stderr);
    expect(readFileSync(join(at.folder, "head.json"), "utf8")).to.contain("ContentLength");
    await local("decrypt", "file.enc", "-o", "out");
    for (const command of ["encrypt", "decrypt"])
      expect(printed.unseen(command), command).to.deep.equal(["/error/left"]);
  });
});
