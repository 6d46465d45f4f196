/** What an AWS client signs with. */
export interface AwsCredentials {
  /** Which credentials. */
  readonly accessKeyId: string;
  /** Their secret. */
  readonly secretAccessKey: string;
  /** Of temporary ones. Default: none. */
  readonly sessionToken?: string;
  /** When temporary ones end. Default: not known. */
  readonly expiration?: Date;
}

/**
 * What both clients take. It names none of the SDK's types, which are not there for who installs neither client. Default
 * of each: the SDK's own.
 */
export interface AwsSettings {
  /** Credentials, or what gets them, as of `@aws-sdk/credential-providers`. */
  readonly credentials?: AwsCredentials | (() => Promise<AwsCredentials>);
  /** The region, or what finds it. */
  readonly region?: string | (() => Promise<string>);
  /** URL of the service. */
  readonly endpoint?: string;
  /** A request handler of the SDK's, or its options. */
  readonly requestHandler?: object;
  /** How often a request is sent at most. */
  readonly maxAttempts?: number;
}

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
