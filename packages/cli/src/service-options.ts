import { readFile } from "node:fs/promises";
import type { KMSClientConfig } from "@aws-sdk/client-kms";
import type { S3ClientConfig } from "@aws-sdk/client-s3";
import type { Command } from "commander";

/** Where S3 is and who asks, as `aws` calls it; over what the configuration says. */
export interface ServiceOptions {
  readonly region?: string;
  readonly profile?: string;
  /** Of S3 alone. */
  readonly endpointUrl?: string;
  /** Of S3 alone: what KMS and secret stores answer is keys. */
  readonly verifySsl?: boolean;
  /** Of S3 alone. */
  readonly caBundle?: string;
}

export function serviceOptions(command: Command): Command {
  return command
    .option("--region <REGION>", "of S3, and of KMS where the configuration names none")
    .option("--profile <NAME>", "whose credentials")
    .option("--endpoint-url <URL>", "where S3 is; buckets are in the path")
    .option("--ca-bundle <FILE>", "certificates, in PEM, that S3's is believed by")
    .option(
      "--no-verify-ssl",
      "believe any certificate of S3's; those of KMS and secret stores are verified all the same",
    );
}

/** Settings for clients; `region` for those of KMS, too, that are told no other. */
export async function serviceSettings(options: ServiceOptions): Promise<{
  readonly s3: S3ClientConfig;
  readonly kms: KMSClientConfig;
  readonly region: string | undefined;
}> {
  const { region, profile, endpointUrl, verifySsl = true, caBundle } = options;
  const who = profile === undefined ? {} : { profile };
  const trust = {
    ...(caBundle === undefined ? {} : { ca: await readFile(caBundle) }),
    ...(verifySsl ? {} : { rejectUnauthorized: false }),
  };
  const s3: S3ClientConfig = {
    ...who,
    ...(region === undefined ? {} : { region }),
    // As aws does: what is named so has no names for its buckets.
    ...(endpointUrl === undefined ? {} : { endpoint: endpointUrl, forcePathStyle: true }),
    ...(Object.keys(trust).length === 0 ? {} : { requestHandler: { httpsAgent: trust } }),
  };
  return { s3, kms: who, region };
}
