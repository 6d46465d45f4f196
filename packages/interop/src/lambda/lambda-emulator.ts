import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { buildOnce } from "../build/build-cache.js";
import { runCommand } from "../build/run-command.js";
import { requireTools } from "../build/toolchain.js";
import { freePort } from "../servers/servers.js";

const MODULE = "github.com/aws/aws-lambda-runtime-interface-emulator";
/** By its commit: the proxy serves none of its releases. */
const VERSION = "v0.0.0-20261030222936-bef5c4ba774d";
const RUNTIME_CLIENT = fileURLToPath(new URL("runtime-client.js", import.meta.url));
const READY_WITHIN_MS = 30_000;

/** One function in AWS's Lambda runtime interface emulator: one invocation at a time, as Lambda has it. */
export interface LambdaEmulator {
  invoke(event: unknown): Promise<unknown>;
  close(): Promise<void>;
}

/**
 * Starts the emulator with a function.
 *
 * @param bundle the file that exports its `handler`
 */
export async function startLambda(
  bundle: string,
  { env, timeout }: { readonly env: Readonly<Record<string, string>>; readonly timeout: number },
): Promise<LambdaEmulator> {
  await requireTools("go");
  const built = await buildOnce("lambda-emulator", [VERSION], (folder) =>
    runCommand("go", ["install", `${MODULE}/cmd/aws-lambda-rie@${VERSION}`], {
      env: { GOBIN: folder, CGO_ENABLED: "0" },
    }),
  );
  const [port, runtimePort] = [await freePort(), await freePort()];
  const addresses = [
    ...["--runtime-interface-emulator-address", `127.0.0.1:${port}`],
    ...["--runtime-api-address", `127.0.0.1:${runtimePort}`],
  ];
  const child = spawn(join(built, "aws-lambda-rie"), [...addresses, process.execPath, RUNTIME_CLIENT, bundle], {
    env: {
      ...process.env,
      ...env,
      AWS_LAMBDA_FUNCTION_TIMEOUT: String(timeout),
      AWS_LAMBDA_RUNTIME_API: `127.0.0.1:${runtimePort}`,
    },
    stdio: ["ignore", "ignore", "ignore"],
  });
  const close = async (): Promise<void> => {
    if (child.exitCode !== null) return;
    const exited = once(child, "exit");
    // Its runtime, which asks it for the next invocation, ends with it.
    child.kill("SIGKILL");
    await exited;
  };
  await answers(child, port).catch(async (error: unknown) => {
    await close();
    throw error;
  });
  return {
    invoke: async (event) => {
      const url = `http://127.0.0.1:${port}/2015-03-31/functions/function/invocations`;
      const response = await fetch(url, {
        method: "POST",
        body: JSON.stringify(event),
        signal: AbortSignal.timeout(timeout * 1000),
      });
      return await response.json();
    },
    close,
  };
}

async function answers(child: ChildProcess, port: number): Promise<void> {
  const deadline = Date.now() + READY_WITHIN_MS;
  for (;;) {
    if (child.exitCode !== null || Date.now() > deadline) throw new Error("Lambda's emulator did not start.");
    const isThere = await fetch(`http://127.0.0.1:${port}/`).then(
      () => true,
      () => false,
    );
    if (isThere) return;
    await sleep(50);
  }
}
