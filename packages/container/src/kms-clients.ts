import type { KMSClient, KMSClientConfig } from "@aws-sdk/client-kms";

/** KMS clients with the same settings, one per region, made when a keyring first asks. */
export class KmsClients {
  readonly #settings: KMSClientConfig;
  readonly #clients = new Map<string | undefined, Promise<KMSClient>>();

  constructor(settings: KMSClientConfig) {
    this.#settings = settings;
  }

  client(region?: string): Promise<KMSClient> {
    const known = this.#clients.get(region);
    if (known !== undefined) return known;
    const made = this.#create(region);
    this.#clients.set(region, made);
    return made;
  }

  async dispose(): Promise<void> {
    for (const client of this.#clients.values()) (await client).destroy();
    this.#clients.clear();
  }

  // Loaded only for a configuration that names a KMS key.
  async #create(region: string | undefined): Promise<KMSClient> {
    const { KMSClient } = await import("@aws-sdk/client-kms");
    return new KMSClient({ ...this.#settings, ...(region === undefined ? {} : { region }) });
  }
}
