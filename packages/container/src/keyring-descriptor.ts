import type { KMSClient } from "@aws-sdk/client-kms";
import type { Keyring } from "@s3ec/materials";
import type { z } from "zod";
import type { KeySchemas } from "./key-source.js";

/** A keyring's part of a validated configuration: its `type`, and the fields that its descriptor's schema names. */
export type KeyringConfiguration = Readonly<Record<string, unknown>>;

/** What a descriptor builds its schema from. */
export interface SchemaParts extends KeySchemas {
  /** Any keyring of any known type, for a keyring that holds others. */
  readonly keyring: z.ZodType<KeyringConfiguration>;
}

/** What a descriptor builds its keyring from, beside its own fields. */
export interface KeyringSurroundings {
  /** Builds a keyring that the configuration holds inside this one. */
  createKeyring(configuration: KeyringConfiguration): Promise<Keyring>;
  /** A KMS client with the configuration's `kms` settings; one per region, destroyed with the whole. */
  kmsClient(region?: string): Promise<KMSClient>;
  /** Runs when the whole is disposed: for connections and sessions. */
  onDispose(release: () => void | Promise<void>): void;
}

/** Whether a keyring makes the data key, or wraps one that another keyring made. */
export type KeyringRole = "generator" | "child";

/** One wrapping key in words, for `s3ec config check`; never holds a key. */
export interface WrappingKeyExplanation {
  /** Names the key: `KMS key alias/app`. */
  readonly key: string;
  /** Who can read what is wrapped with it: `whoever may call kms:Decrypt on it`; null when it wraps nothing. */
  readonly readers: string | null;
  /** Whether this configuration itself can read what is wrapped with it. */
  readonly canRead: boolean;
  /** What writing takes: `permission for kms:GenerateDataKey on it`; null when it cannot write. */
  readonly writing: string | null;
  /** Where the wrapped key goes when not into the object's metadata: `.escrow`. */
  readonly instructionFileSuffix?: string;
}

/**
 * One type of keyring that a configuration can name. The schema is a strict object of the fields beside `type`;
 * nothing in it may keep a key in another form than a `KeyObject`.
 */
export interface KeyringDescriptor<Schema extends z.ZodObject = z.ZodObject> {
  /** What a configuration's `type` says; unique among built-in and plugged-in types. */
  readonly type: string;
  /**
   * Whether `create` asks the key store, as one does that opens a token: `s3ec config check` and `explainConfiguration`
   * then do without. Default false.
   */
  readonly asksKeyStore?: boolean;
  /** The schema of the fields, built from those that hold keys and keyrings. */
  schema(parts: SchemaParts): Schema;
  /**
   * The keyring of validated fields.
   * @throws Error of any kind: `createFromConfig` tells it with the keyring's place in the file, as `key-unavailable` where it
   * is that, otherwise as `invalid-configuration`
   */
  create(configuration: z.output<Schema>, surroundings: KeyringSurroundings): Keyring | Promise<Keyring>;
  /**
   * The keyring's wrapping keys in words, those of inner keyrings by `explainKeyring`. Default: one key of which nothing is
   * known but the type.
   */
  explain?(
    configuration: z.output<Schema>,
    role: KeyringRole,
    explainKeyring: (configuration: KeyringConfiguration, role: KeyringRole) => readonly WrappingKeyExplanation[],
  ): readonly WrappingKeyExplanation[];
}

/** Keeps the schema's type for `create` and `explain`, then forgets it: `export const keyrings = [keyringDescriptor({...})]`. */
export function keyringDescriptor<Schema extends z.ZodObject>(
  descriptor: KeyringDescriptor<Schema>,
): KeyringDescriptor {
  return descriptor;
}
