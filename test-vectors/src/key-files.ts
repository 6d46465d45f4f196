import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { readJson } from "./read-json.js";

/** A file in which some tool keeps the one RSA key of these files, or another key that its name tells. */
export interface KeyFile {
  /** Relative to the package. */
  readonly file: string;
  /** The tool and its version. */
  readonly writer: string;
  /** What made it, without the options that name files and passphrases. */
  readonly command: string;
  /** Of the store, or of the key. */
  readonly passphrase?: string;
  /** Of the private key, where it is not the store's. */
  readonly keyPassphrase?: string;
  /** Which halves of the one RSA key can be had from it, without naming an alias. */
  readonly holds: readonly ("private" | "public")[];
  /** The one AES key in it, in hex. */
  readonly aes?: string;
}

/** The folder that they are in. */
export const keyFilesFolder: string = fileURLToPath(new URL("../key-files/", import.meta.url));

/** Every key file. The keys were made for them and protect nothing. */
export function loadKeyFiles(): readonly KeyFile[] {
  return readJson("key-files/manifest.json");
}

/** The file's bytes. */
export function readKeyFile({ file }: Pick<KeyFile, "file">): Buffer {
  return readFileSync(new URL(`../${file}`, import.meta.url));
}
