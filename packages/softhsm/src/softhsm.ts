import { execFileSync, spawnSync } from "node:child_process";
import { generateKeyPairSync, type KeyObject, randomBytes } from "node:crypto";
import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const MODULES = [
  "/usr/lib/softhsm/libsofthsm2.so",
  "/usr/lib64/libsofthsm2.so",
  "/opt/homebrew/lib/softhsm/libsofthsm2.so",
];

const CREATE_AES_KEY = fileURLToPath(new URL("create-aes-key.js", import.meta.url));

/** What has to be installed before there can be a token; undefined where nothing is missing. */
export function missingForSoftHsm(): string | undefined {
  try {
    createRequire(import.meta.url)("pkcs11js");
  } catch {
    return "Build pkcs11js: npm rebuild pkcs11js, where Python, make and a C++ compiler are installed.";
  }
  const isInstalled = SoftHsm.module !== undefined && spawnSync("softhsm2-util", ["--version"]).status === 0;
  return isInstalled ? undefined : "Install SoftHSM: apt-get install softhsm2.";
}

/** A SoftHSM with one token of its own, for as long as a suite runs. Its keys and PIN are made for tests. */
export class SoftHsm {
  static readonly module: string | undefined = MODULES.find((path) => existsSync(path));
  readonly tokenLabel: string = "s3ec";
  readonly pin: string = "a PIN for tests: é";
  readonly #folder: string;
  readonly #before: string | undefined;
  readonly #configuration: string;

  constructor() {
    this.#folder = mkdtempSync(join(tmpdir(), "s3ec-softhsm-"));
    mkdirSync(join(this.#folder, "tokens"));
    this.#before = process.env.SOFTHSM2_CONF;
    // Where there is no file yet, whoever started us has kept the place: native code does not see in every runtime what is set here.
    const isKept = this.#before !== undefined && !existsSync(this.#before);
    this.#configuration = isKept ? this.#before : join(this.#folder, "softhsm2.conf");
    const text = `directories.tokendir = ${join(this.#folder, "tokens")}\nlog.level = ERROR\n`;
    writeFileSync(this.#configuration, text, { flag: "wx" });
    process.env.SOFTHSM2_CONF = this.#configuration;
    this.#run("--init-token", "--free", "--label", this.tokenLabel, "--so-pin", "so pin of tests", "--pin", this.pin);
  }

  get module(): string {
    if (SoftHsm.module === undefined) throw new Error("There is no SoftHSM.");
    return SoftHsm.module;
  }

  /** The options that open this token, as far as they are the same for every key. */
  get options(): { module: string; tokenLabel: string; pin: () => string } {
    return { module: this.module, tokenLabel: this.tokenLabel, pin: () => this.pin };
  }

  importAes(label: string, id: string, key: Uint8Array = randomBytes(32)): Uint8Array {
    const names = [this.module, this.tokenLabel, this.pin, label, id, Buffer.from(key).toString("hex")];
    execFileSync(process.execPath, [CREATE_AES_KEY, ...names], { stdio: ["ignore", "ignore", "inherit"] });
    return key;
  }

  importRsa(label: string, id: string, privateKey: KeyObject = newRsaKey(2048)): KeyObject {
    const file = join(this.#folder, "key");
    writeFileSync(file, privateKey.export({ type: "pkcs8", format: "pem" }));
    this.#run("--import", file, "--token", this.tokenLabel, "--label", label, "--id", id, "--pin", this.pin);
    rmSync(file);
    return privateKey;
  }

  /** As if the token were pulled out, and put back. */
  unplug(): void {
    renameSync(join(this.#folder, "tokens"), join(this.#folder, "unplugged"));
    mkdirSync(join(this.#folder, "tokens"));
  }

  plugIn(): void {
    rmSync(join(this.#folder, "tokens"), { recursive: true });
    renameSync(join(this.#folder, "unplugged"), join(this.#folder, "tokens"));
  }

  remove(): void {
    if (this.#before === undefined) delete process.env.SOFTHSM2_CONF;
    else process.env.SOFTHSM2_CONF = this.#before;
    rmSync(this.#configuration);
    rmSync(this.#folder, { recursive: true });
  }

  #run(...options: string[]): void {
    execFileSync("softhsm2-util", options, { stdio: ["ignore", "ignore", "inherit"] });
  }
}

export function newRsaKey(bits: number): KeyObject {
  return generateKeyPairSync("rsa", { modulusLength: bits }).privateKey;
}
