/** Where a key or passphrase is, and for a store in which entry of it. */
export type ContentSource =
  | FileSource
  | EnvironmentSource
  | Base64Source
  | StandardInputSource
  | CommandSource
  | KeychainSource
  | SecretsManagerSource
  | ParameterStoreSource;

/** A file; a relative path starts from `folder`. */
export interface FileSource {
  /** Its path. */
  readonly file: string;
}

/** An environment variable. */
export interface EnvironmentSource {
  /** Its name. */
  readonly env: string;
}

/** The content itself, as base64 text. */
export interface Base64Source {
  /** In the usual alphabet; white space is left out. */
  readonly base64: string;
}

/** All of standard input; one source at most can have it. */
export interface StandardInputSource {
  /** There is only one. */
  readonly stdin: true;
}

/** What a program prints. It is run without a shell, and only where `allowCommands` says so. */
export interface CommandSource {
  /** The program and its arguments, each as it is. */
  readonly command: readonly string[];
  /** It is ended after this many milliseconds; default 30,000. */
  readonly timeoutMs?: number;
}

/** An entry of the keychain of macOS, Windows or a Linux desktop, as text; takes `@napi-rs/keyring`. */
export interface KeychainSource {
  /** The service that the entry is for. */
  readonly keychain: string;
  /** Whose entry of that service. */
  readonly account: string;
}

/** A secret of AWS Secrets Manager; takes `@aws-sdk/client-secrets-manager`. */
export interface SecretsManagerSource {
  /** Its name or ARN. */
  readonly secretsManager: string;
  /** The id of one version; default the current one. */
  readonly version?: string;
  /** The field of it, where it is a JSON object. */
  readonly field?: string;
  /** Default: of the ARN, then what the SDK finds. */
  readonly region?: string;
}

/** A parameter of SSM Parameter Store, decrypted; takes `@aws-sdk/client-ssm`. */
export interface ParameterStoreSource {
  /** Its name, path or ARN. */
  readonly parameterStore: string;
  /** The number of one version; default the latest. */
  readonly version?: number;
  /** Default: of the ARN, then what the SDK finds. */
  readonly region?: string;
}

/** The content that the caller already has: bytes, or text as it would be in a file. Not in a configuration. */
export interface GivenSource {
  /** They are copied, and the caller's are left as they are. */
  readonly bytes: Uint8Array | string;
}

/** Where a passphrase is: text as it is, and of a file or program without the line break at its end. */
export type PassphraseSource = ContentSource;

/** How the content is opened. */
export interface Opening {
  /** Of an encrypted key, or of a keystore. */
  readonly passphrase?: PassphraseSource;
  /** Of one key in a Java keystore, where it is not the store's. */
  readonly keyPassphrase?: PassphraseSource;
  /** Which entry of a PKCS#12 or Java keystore; not needed where it has only one that fits. */
  readonly alias?: string;
  /** How text stands for an AES key, where it could be read in more than one way; base64 is of either alphabet. */
  readonly encoding?: "bytes" | "hex" | "base64";
}

/** Where a key is, and how it is opened. */
export type KeySource = (ContentSource | GivenSource) & Opening;
