import { type ChildProcess, spawn } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { run } from "./run.js";
import type { Tarball } from "./tarballs.js";

const INSTALLED = fileURLToPath(new URL("../registry", import.meta.url));
/** Milliseconds. */
const STARTING = 60_000;

/** A registry on this machine, which has only what is published to it, and forgets it when it is closed. */
export class LocalRegistry implements AsyncDisposable {
  readonly url: string;
  readonly #process: ChildProcess;
  readonly #folder: string;

  private constructor(url: string, child: ChildProcess, folder: string) {
    this.url = url;
    this.#process = child;
    this.#folder = folder;
  }

  /** Installs it first, by its own lockfile. */
  static async start(): Promise<LocalRegistry> {
    await run("npm", ["ci", "--ignore-scripts", "--no-audit", "--no-fund"], { cwd: INSTALLED });
    const folder = await mkdtemp(join(tmpdir(), "s3ec-registry-"));
    const configuration = {
      storage: join(folder, "storage"),
      max_body_size: "50mb",
      packages: { "**": { access: "$all", publish: "$all" } },
      log: { type: "stdout", format: "json", level: "error" },
    };
    // JSON is YAML.
    await writeFile(join(folder, "config.yaml"), JSON.stringify(configuration));
    const address = `127.0.0.1:${await freePort()}`;
    const program = join(INSTALLED, "node_modules/verdaccio/bin/verdaccio");
    const child = spawn(process.execPath, [program, "--config", join(folder, "config.yaml"), "--listen", address], {
      stdio: ["ignore", "ignore", "inherit"],
    });
    const registry = new LocalRegistry(`http://${address}/`, child, folder);
    try {
      await registry.#answers();
      return registry;
    } catch (error) {
      await registry[Symbol.asyncDispose]();
      throw error;
    }
  }

  async publish({ file }: Tarball): Promise<void> {
    const userconfig = join(this.#folder, "npmrc");
    await writeFile(userconfig, `${this.url.replace("http:", "")}:_authToken=nobody\n`);
    const args = ["publish", file, "--registry", this.url, "--userconfig", userconfig, "--provenance=false"];
    await run("npm", args, { cwd: this.#folder });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const ended = new Promise((resolve) => this.#process.once("exit", resolve));
    if (this.#process.exitCode === null && this.#process.kill()) await ended;
    await rm(this.#folder, { recursive: true, force: true });
  }

  async #answers(): Promise<void> {
    const until = Date.now() + STARTING;
    for (;;) {
      if (this.#process.exitCode !== null) throw new Error(`The registry ended with ${this.#process.exitCode}.`);
      const isThere = await fetch(new URL("-/ping", this.url)).then(
        ({ ok }) => ok,
        () => false,
      );
      if (isThere) return;
      if (Date.now() > until) throw new Error(`The registry did not answer within ${STARTING / 1000} s.`);
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
  }
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (address === null || typeof address === "string") throw new Error("No port is free.");
  return address.port;
}
