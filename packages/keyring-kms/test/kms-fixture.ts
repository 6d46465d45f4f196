import { KMSClient, type KMSClientConfig } from "@aws-sdk/client-kms";
import { type DevServer, type RecordedRequest, startDevServer } from "@s3ec/dev-server";
import { COMMITTING_GCM, GCM, KMS, KMS_CONTEXT } from "@s3ec/envelope";
import {
  type AlgorithmSuite,
  type DecryptionMaterials,
  type EncryptedDataKey,
  type EncryptionMaterials,
  type Keyring,
  stringMap,
} from "@s3ec/materials";
import { forReading, forWriting } from "@s3ec/test-support";

export const BINDING = "aws:x-amz-cek-alg";

/** A KMS on the loopback interface with one key, and what was asked of it. */
export class KmsFixture {
  readonly server: DevServer;
  readonly keyArn: string;
  readonly #clients: KMSClient[] = [];

  private constructor(server: DevServer) {
    this.server = server;
    this.keyArn = server.kms.createKey({ alias: "alias/app" }).arn;
  }

  static async start(): Promise<KmsFixture> {
    return new KmsFixture(await startDevServer());
  }

  client(config: KMSClientConfig = {}): KMSClient {
    const { endpoint, region, credentials } = this.server.clientConfig;
    const client = new KMSClient({ endpoint, region, credentials, maxAttempts: 1, ...config });
    this.#clients.push(client);
    return client;
  }

  /** The calls since `forget`, by name. */
  get calls(): readonly string[] {
    return this.server.requests.map(({ operation }) => operation);
  }

  get latest(): Readonly<Record<string, unknown>> {
    const request: RecordedRequest | undefined = this.server.requests.at(-1);
    return JSON.parse(request?.body ?? "{}");
  }

  forget(): void {
    this.server.clearRequests();
    this.server.faults.clear();
  }

  async close(): Promise<void> {
    for (const client of this.#clients) client.destroy();
    await this.server.close();
  }
}

export function toEncrypt(
  context: Record<string, string> = {},
  suite: AlgorithmSuite = COMMITTING_GCM,
): EncryptionMaterials {
  return forWriting(suite, { encryptionContext: stringMap(Object.entries(context)) });
}

export function toDecrypt(
  context: Record<string, string> = {},
  suite: AlgorithmSuite = COMMITTING_GCM,
): DecryptionMaterials {
  return forReading(suite, { encryptionContext: stringMap(Object.entries(context)) });
}

export function boundWrap(ciphertext: Uint8Array, description: Record<string, string>): EncryptedDataKey {
  return { wrapAlgorithm: KMS_CONTEXT, ciphertext, description: stringMap(Object.entries(description)) };
}

export function legacyWrap(ciphertext: Uint8Array, description: Record<string, string>): EncryptedDataKey {
  return { wrapAlgorithm: KMS, ciphertext, description: stringMap(Object.entries(description)) };
}

export async function wrapOf(
  keyring: Keyring,
  context: Record<string, string> = {},
): Promise<{ materials: EncryptionMaterials; wrap: EncryptedDataKey }> {
  const materials = await keyring.onEncrypt(toEncrypt(context));
  const [wrap] = materials.encryptedDataKeys;
  if (wrap === undefined) throw new Error("The keyring added no encrypted data key.");
  return { materials, wrap };
}

export { COMMITTING_GCM, GCM };
