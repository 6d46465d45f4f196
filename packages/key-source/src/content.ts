import type { KeySource } from "./key-source.js";

/** What a source has. */
export interface Content {
  readonly bytes: Buffer;
  /** Whether binary content stands there as base64, since the place holds text only. */
  readonly isText: boolean;
  /** Whether the source itself said that its text is base64, which `bytes` is decoded from. */
  readonly base64?: string;
  /** Of a secret or parameter, as its store calls the one that was read. */
  readonly version?: string;
}

/** The content of a source, with all that it takes to open it. */
export interface OpenableContent extends Content {
  readonly passphrase?: Buffer;
  readonly keyPassphrase?: Buffer;
  readonly alias: string | undefined;
  readonly encoding: KeySource["encoding"];
}
