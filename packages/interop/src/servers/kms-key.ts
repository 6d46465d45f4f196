import { CreateKeyCommand, KMSClient } from "@aws-sdk/client-kms";
import { CREDENTIALS, type ServiceEndpoint } from "./servers.js";

/** Makes a symmetric key and returns its ARN. */
export async function createKmsKey(kms: ServiceEndpoint): Promise<string> {
  const client = new KMSClient({ ...kms, credentials: CREDENTIALS });
  try {
    const { KeyMetadata } = await client.send(new CreateKeyCommand({}));
    if (KeyMetadata?.Arn === undefined) throw new Error("KMS made no key.");
    return KeyMetadata.Arn;
  } finally {
    client.destroy();
  }
}
