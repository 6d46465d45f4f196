import { KMSClient, type KMSClientConfig } from "@aws-sdk/client-kms";

/** A client for the region of one key: the keyring's own, then that of the key's ARN, then that of the settings. */
export function kmsAt(settings: object, keyId: string, region: unknown): KMSClient {
  const where = typeof region === "string" ? region : /^arn:[^:]+:kms:([^:]+):/.exec(keyId)?.[1];
  return new KMSClient({ ...settings, ...(where === undefined ? {} : { region: where }) } as KMSClientConfig);
}
