import { randomBytes } from "node:crypto";
import { S3Client } from "@aws-sdk/client-s3";
import { S3EncryptionClient, type S3EncryptionOptions } from "@s3ec/client";
import { RawAesKeyring } from "@s3ec/keyring-raw-aes";
import { CachingMaterialsManager, DefaultMaterialsManager } from "@s3ec/materials";
import type { BenchServer, ServerKind } from "./bench-server.js";

export const KiB = 1024;
export const MiB: number = 1024 * KiB;
export const GiB: number = 1024 * MiB;

/** The sizes of a run, in bytes. */
export interface Sizes {
  readonly objects: readonly number[];
  /** Of the rows about files and connections. */
  readonly large: number;
  /** Of the rows about memory. */
  readonly huge: number;
  readonly rounds: number;
  /** Objects of the rows about many of them: so many are worked on at the highest concurrency. */
  readonly many: number;
  /** Lines of the journal, and of the inventory, of the rows about their memory. */
  readonly journalLines: number;
  readonly inventoryLines: number;
}

export const FULL: Sizes = {
  objects: [KiB, MiB, 256 * MiB, GiB],
  large: GiB,
  huge: 5 * GiB,
  rounds: 3,
  many: 512,
  journalLines: 2_000_000,
  inventoryLines: 10_000_000,
};
export const QUICK: Sizes = {
  objects: [KiB, MiB, 32 * MiB],
  large: 64 * MiB,
  huge: 256 * MiB,
  rounds: 1,
  many: 64,
  journalLines: 100_000,
  inventoryLines: 1_000_000,
};

/** Everything that the measurements share. */
export interface Setting {
  readonly server: BenchServer;
  readonly serverKind: ServerKind;
  readonly sizes: Sizes;
  /** For files of the clients' side. */
  readonly folder: string;
  readonly plain: S3Client;
  readonly encrypting: S3EncryptionClient;
  readonly encryption: S3EncryptionOptions;
  /** As `encrypting`, with `enableDelayedAuthenticationMode`. */
  readonly delayed: S3EncryptionClient;
  /** As `encrypting`, with a `bufferSize` for every object of `sizes.objects`. */
  readonly buffering: S3EncryptionClient;
  /** As `encrypting`, with a data key for many objects. */
  readonly caching: S3EncryptionClient;
  /** All of them, to be destroyed. */
  readonly clients: readonly S3Client[];
}

export function settingFor(server: BenchServer, serverKind: ServerKind, sizes: Sizes, folder: string): Setting {
  // Of this run only; it protects nothing.
  const keyring = new RawAesKeyring({ wrappingKey: randomBytes(32) });
  const encryption = { keyring, spool: { directory: folder } };
  const client = (options: Partial<S3EncryptionOptions> = {}): S3EncryptionClient =>
    new S3EncryptionClient({ ...server.config, encryption: { ...encryption, ...options } });
  const clients = {
    plain: new S3Client(server.config),
    encrypting: client(),
    delayed: client({ enableDelayedAuthenticationMode: true }),
    buffering: client({ bufferSize: Math.max(...sizes.objects) }),
    caching: new S3EncryptionClient({
      ...server.config,
      encryption: {
        spool: encryption.spool,
        materialsManager: new CachingMaterialsManager({
          manager: new DefaultMaterialsManager(keyring),
          maxAgeMs: 600_000,
        }),
      },
    }),
  };
  return { server, serverKind, sizes, folder, encryption, ...clients, clients: Object.values(clients) };
}

export function sizeName(bytes: number): string {
  if (bytes >= GiB) return `${bytes / GiB} GiB`;
  return bytes >= MiB ? `${bytes / MiB} MiB` : `${bytes / KiB} KiB`;
}
