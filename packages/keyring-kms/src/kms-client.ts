import { KMSClient, type KMSClientConfig } from "@aws-sdk/client-kms";
import { S3EncryptionError } from "@s3ec/materials";

/** How a keyring reaches KMS: your client, or one of its own. Timeouts and retries are the client's. */
export interface KmsClientOptions {
  /** Used as it is, and left open. Excludes `region` and `clientConfig`. Default: one of the keyring's own. */
  readonly client?: KMSClient;
  /** Default: the region of an ARN given as `keyId`, then the SDK's own (environment, profile). */
  readonly region?: string;
  /** For the keyring's own client: credentials, endpoint, timeouts, retries. Default: the SDK's own. */
  readonly clientConfig?: KMSClientConfig;
}

export interface ConnectedKms {
  readonly client: KMSClient;
  /** Closes the connections of a client that the keyring made; leaves yours alone. */
  destroy(): void;
}

export function connectKms(options: KmsClientOptions, regionOfKey?: string): ConnectedKms {
  const { client, region, clientConfig } = options;
  if (client !== undefined) {
    if (region !== undefined || clientConfig !== undefined) {
      throw new S3EncryptionError(
        "invalid-configuration",
        "Pass either a KMS client, or region and clientConfig for the keyring's own one.",
      );
    }
    return { client, destroy: () => {} };
  }
  const ownRegion = region ?? clientConfig?.region ?? regionOfKey;
  const own = new KMSClient({ ...clientConfig, ...(ownRegion === undefined ? {} : { region: ownRegion }) });
  return { client: own, destroy: () => own.destroy() };
}
