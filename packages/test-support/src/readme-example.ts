import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { promisify } from "node:util";

/** The first `js` example in the README of the package whose test has this URL (`import.meta.url`). */
export async function readmeExample(testUrl: string): Promise<string> {
  const readme = await readFile(new URL("../README.md", testUrl), "utf8");
  const example = /```js\n([\s\S]*?)```/.exec(readme)?.[1];
  if (example === undefined) throw new Error("README.md has no js example.");
  return example;
}

/** What the README's example exports, or `code` instead of it. The caller says what that is. */
export async function importExample<Exports = Record<string, unknown>>(
  testUrl: string,
  code?: string,
): Promise<Exports> {
  const example = code ?? (await readmeExample(testUrl));
  return await inOwnFolder(testUrl, async (folder) => {
    const file = join(folder, "example.mjs");
    await writeFile(file, example);
    return await import(pathToFileURL(file).href);
  });
}

/** What the README's example prints as a program, which finds these files beside it. */
export async function runExample(
  testUrl: string,
  { env, files = {} }: { readonly env: NodeJS.ProcessEnv; readonly files?: Readonly<Record<string, string>> },
): Promise<string> {
  const example = await readmeExample(testUrl);
  return await inOwnFolder(testUrl, async (folder) => {
    for (const [name, content] of Object.entries({ ...files, "example.mjs": example })) {
      await writeFile(join(folder, name), content);
    }
    const { stdout } = await promisify(execFile)(process.execPath, ["example.mjs"], { cwd: folder, env });
    return stdout;
  });
}

/** This process's environment, in which a program's AWS clients speak to the given server. */
export function environmentFor(server: {
  readonly endpoint: string;
  readonly region: string;
  readonly credentials: { readonly accessKeyId: string; readonly secretAccessKey: string };
}): NodeJS.ProcessEnv {
  return {
    ...process.env,
    AWS_ENDPOINT_URL: server.endpoint,
    AWS_REGION: server.region,
    AWS_ACCESS_KEY_ID: server.credentials.accessKeyId,
    AWS_SECRET_ACCESS_KEY: server.credentials.secretAccessKey,
  };
}

/** Inside the package, so that what an example imports is found as a user's would be. */
async function inOwnFolder<T>(testUrl: string, use: (folder: string) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(fileURLToPath(new URL("./readme-", testUrl)));
  try {
    return await use(folder);
  } finally {
    await rm(folder, { recursive: true });
  }
}
