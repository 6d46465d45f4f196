import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { buildOnce } from "../build/build-cache.js";
import { runCommand } from "../build/run-command.js";
import { requireTools } from "../build/toolchain.js";

const VERSITYGW = "v1.8.0";
const MOTO = "5.2.5";
export interface ServiceEndpoint {
  readonly endpoint: string;
  readonly region: string;
}

/** Where the servers of this run say they are. */
export const REGION = "us-west-2";
const READY_WITHIN_MS = 60_000;

/** What every client of this run signs with. */
export const CREDENTIALS = { accessKeyId: "test", secretAccessKey: "testtest" } as const;

export interface Server extends ServiceEndpoint {
  close(): Promise<void>;
}

/**
 * S3 by versitygw on a temporary folder.
 *
 * @param options where that folder is made; and the files, in PEM, with which it serves https
 */
export async function startS3(
  options: { readonly directory?: string; readonly tls?: { readonly cert: string; readonly key: string } } = {},
): Promise<Server> {
  const { directory = tmpdir(), tls } = options;
  await requireTools("go");
  const installed = await buildOnce("versitygw", [VERSITYGW], (folder) =>
    runCommand("go", ["install", `github.com/versity/versitygw/cmd/versitygw@${VERSITYGW}`], {
      env: { GOBIN: folder },
    }),
  );
  const objects = await mkdtemp(join(directory, "s3ec-interop-"));
  const port = await freePort();
  const secured = tls === undefined ? [] : ["--cert", tls.cert, "--key", tls.key];
  const args = ["--port", `127.0.0.1:${port}`, "--region", REGION, ...secured, "posix", objects];
  const child = spawn(join(installed, "versitygw"), args, {
    env: {
      ...process.env,
      ROOT_ACCESS_KEY: CREDENTIALS.accessKeyId,
      ROOT_SECRET_KEY: CREDENTIALS.secretAccessKey,
    },
    stdio: "ignore",
  });
  const scheme = tls === undefined ? "http" : "https";
  return started(child, `${scheme}://127.0.0.1:${port}`, () => rm(objects, { recursive: true, force: true }));
}

/** KMS by moto: real AES-GCM with the encryption context as additional data. */
export async function startKms(): Promise<Server> {
  await requireTools("python3");
  const venv = await buildOnce("moto", [MOTO], async (folder) => {
    await runCommand("python3", ["-m", "venv", folder]);
    await runCommand(join(folder, "bin/pip"), ["install", "--quiet", `moto[server]==${MOTO}`]);
  });
  const port = await freePort();
  const child = spawn(join(venv, "bin/moto_server"), ["-H", "127.0.0.1", "-p", String(port)], { stdio: "ignore" });
  return started(child, `http://127.0.0.1:${port}`, () => Promise.resolve());
}

async function started(child: ChildProcess, endpoint: string, cleanUp: () => Promise<void>): Promise<Server> {
  const close = async (): Promise<void> => {
    if (child.exitCode === null && child.signalCode === null) {
      const exited = once(child, "exit");
      child.kill("SIGKILL");
      await exited;
    }
    await cleanUp();
  };
  const deadline = Date.now() + READY_WITHIN_MS;
  while (!(await answers(endpoint))) {
    if (child.exitCode !== null || Date.now() > deadline) {
      await close();
      throw new Error(`${child.spawnfile} did not start at ${endpoint}.`);
    }
    await sleep(100);
  }
  return { endpoint, region: REGION, close };
}

function answers(endpoint: string): Promise<boolean> {
  return fetch(endpoint).then(
    () => true,
    () => false,
  );
}

/** A port that nobody listens on. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  server.close();
  await once(server, "close");
  if (address === null || typeof address === "string") throw new Error("The system gave no port.");
  return address.port;
}
