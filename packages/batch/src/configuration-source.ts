import { resolve } from "node:path";
import { parseConfiguration } from "@s3ec/container";
import { type AwsSettings, readKey } from "@s3ec/key-source";
import { S3EncryptionError } from "@s3ec/materials";
import type { Environment } from "./settings.js";

/** What `createFromConfig` takes: a file's path, or what a text says. */
export type ConfigurationSource = string | object;

const STORES = [
  { scheme: "ssm:", sourceOf: (name: string) => ({ parameterStore: name }) },
  { scheme: "secretsmanager:", sourceOf: (name: string) => ({ secretsManager: name }) },
] as const;

/**
 * A configuration from where a variable says it is: a file of the function's code, `ssm:NAME` or `secretsmanager:NAME`.
 *
 * @param variable the variable's name
 * @throws S3EncryptionError `invalid-configuration`; `key-unavailable` where the store does not give it
 */
export async function configurationAt(
  place: string,
  variable: string,
  folder: string,
  aws: AwsSettings | undefined,
): Promise<ConfigurationSource> {
  const store = STORES.find(({ scheme }) => place.startsWith(scheme));
  if (store === undefined) return resolve(folder, place);
  const source = store.sourceOf(place.slice(store.scheme.length));
  const text = await readKey(source, { type: "text", stdin: false, ...(aws === undefined ? {} : { aws }) });
  if (typeof text === "string") {
    throw new S3EncryptionError("key-unavailable", `The configuration that ${variable} names cannot be read: ${text}.`);
  }
  return await parseConfiguration(text.export().toString("utf8"), variable);
}

/** Where the function's own files are. */
export function codeFolder(env: Environment): string {
  return resolve(env.LAMBDA_TASK_ROOT ?? ".");
}
