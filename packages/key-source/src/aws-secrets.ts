import type { GetSecretValueResponse, SecretsManagerClientConfig } from "@aws-sdk/client-secrets-manager";
import type { SSMClientConfig } from "@aws-sdk/client-ssm";
import { isError } from "@s3ec/materials";
import type { Content } from "./content.js";
import { KeyProblem } from "./key-problem.js";
import type { ParameterStoreSource, SecretsManagerSource } from "./key-source.js";
import { optionalPackage } from "./optional-package.js";
import type { AwsSettings } from "./source-options.js";

export async function secret(source: SecretsManagerSource, settings: AwsSettings = {}): Promise<Content> {
  const { secretsManager: id, version, field } = source;
  const { SecretsManagerClient, GetSecretValueCommand } = await optionalPackage(
    "@aws-sdk/client-secrets-manager",
    () => import("@aws-sdk/client-secrets-manager"),
  );
  const client = new SecretsManagerClient({
    ...regionOf(id, source.region),
    ...(settings as SecretsManagerClientConfig),
  });
  const answer = await asked(client, "the secret named here", () =>
    client.send(new GetSecretValueCommand({ SecretId: id, ...(version === undefined ? {} : { VersionId: version }) })),
  );
  const { VersionId } = answer;
  return { ...secretContent(answer, field), ...(VersionId === undefined ? {} : { version: VersionId }) };
}

function secretContent(
  { SecretString: text, SecretBinary: binary }: GetSecretValueResponse,
  field: string | undefined,
): Content {
  if (field !== undefined) return { bytes: Buffer.from(fieldOf(text, field), "utf8"), isText: true };
  if (text !== undefined) return { bytes: Buffer.from(text, "utf8"), isText: true };
  if (binary !== undefined) return { bytes: Buffer.from(binary), isText: false };
  throw new KeyProblem("the secret named here is empty");
}

function fieldOf(text: string | undefined, field: string): string {
  let value: unknown;
  try {
    const fields: unknown = JSON.parse(text ?? "");
    value = typeof fields === "object" && fields !== null && Object.hasOwn(fields, field) && Reflect.get(fields, field);
  } catch {
    // Told below.
  }
  if (typeof value === "string" && value !== "") return value;
  throw new KeyProblem("the secret named here is no JSON object that has this field with a text");
}

export async function parameter(source: ParameterStoreSource, settings: AwsSettings = {}): Promise<Content> {
  const { parameterStore: name, version } = source;
  const { SSMClient, GetParameterCommand } = await optionalPackage(
    "@aws-sdk/client-ssm",
    () => import("@aws-sdk/client-ssm"),
  );
  const client = new SSMClient({ ...regionOf(name, source.region), ...(settings as SSMClientConfig) });
  const { Parameter } = await asked(client, "the parameter named here", () =>
    client.send(
      new GetParameterCommand({ Name: version === undefined ? name : `${name}:${version}`, WithDecryption: true }),
    ),
  );
  if (Parameter?.Value === undefined) throw new KeyProblem("the parameter named here is empty");
  const { Value, Version } = Parameter;
  return {
    bytes: Buffer.from(Value, "utf8"),
    isText: true,
    ...(Version === undefined ? {} : { version: String(Version) }),
  };
}

/** The service's own name of an error says what to do; its message is left out, since it may quote what was asked. */
async function asked<T>(client: { destroy(): void }, what: string, ask: () => Promise<T>): Promise<T> {
  try {
    return await ask();
  } catch (error) {
    const name = isError(error) && /^\w{1,60}$/.test(error.name) ? error.name : "it failed";
    throw new KeyProblem(`${what} could not be fetched (${name})`);
  } finally {
    client.destroy();
  }
}

function regionOf(id: string, region: string | undefined): { region?: string } {
  const found = region ?? /^arn:[^:]+:[^:]+:([a-z0-9-]+):/.exec(id)?.[1];
  return found === undefined ? {} : { region: found };
}
