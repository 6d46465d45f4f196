import type { SecretsManagerClientConfig } from "@aws-sdk/client-secrets-manager";

/** What the clients of Secrets Manager and Parameter Store take: credentials, region, endpoint, request handler, ... */
export type AwsSettings = Pick<
  SecretsManagerClientConfig,
  "credentials" | "region" | "endpoint" | "requestHandler" | "maxAttempts"
>;

/** Where standard input comes from. */
export type StandardInput = AsyncIterable<Uint8Array | string>;

/** What a source is resolved against, and what it may do. */
export interface SourceOptions {
  /** The folder that relative files start from, and that commands run in. Default: the working directory. */
  readonly folder?: string;
  /** Where `{ env }` is taken from. Default: `process.env`. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** Run `{ command }`. Default false: whoever writes the source could run anything. */
  readonly allowCommands?: boolean;
  /** What `{ stdin }` reads; false where something else needs it. Default: `process.stdin`. */
  readonly stdin?: StandardInput | false;
  /** Settings of the clients of Secrets Manager and Parameter Store, each wins over the source's. */
  readonly aws?: AwsSettings;
  /**
   * Told what is dangerous and no error: a key file that others can read, a certificate that has expired. Default:
   * `process.emitWarning`.
   */
  readonly onWarning?: (sentence: string) => void;
}

/** Where nobody listens for them. */
export function emitWarning(sentence: string): void {
  process.emitWarning(sentence, { code: "S3EC_KEY" });
}
