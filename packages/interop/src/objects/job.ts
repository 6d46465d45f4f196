import type { StringMap } from "@s3ec/materials";
import type { Peer } from "../peers/peer.js";
import type { ServiceEndpoint } from "../servers/servers.js";

/** Every client that the matrix knows, ours among them. */
export const CLIENT_NAMES = [
  "java-v1-eo",
  "java-v1-ae",
  "java-v1-strict",
  "java-v2-strict",
  "java-v2-ae",
  "java-v3",
  "java-v4",
  "go-s3crypto-v1",
  "go-s3crypto-v2",
  "go-v3",
  "go-v4",
  "python-v4",
  "ruby-v1",
  "ruby-v2",
  "ours",
  "ours-pkcs11",
] as const;
export type ClientName = (typeof CLIENT_NAMES)[number];

/** Where a key is in a Java keystore. Who can open one takes the key from there; the others have it beside it. */
export interface StoreJob {
  readonly file: string;
  readonly alias: string;
  readonly passphrase: string;
}

/** Key material in base64: `key` raw, `privateKey` PKCS#8 DER, `publicKey` SPKI DER. `keyId` is an ARN. */
export type KeyringJob =
  | { readonly type: "aes"; readonly key: string; readonly store?: StoreJob }
  | { readonly type: "rsa"; readonly privateKey: string; readonly publicKey: string; readonly store?: StoreJob }
  | { readonly type: "kms"; readonly keyId: string };
export type KeyringType = KeyringJob["type"];

export type Suite = "cbc" | "gcm" | "committing";
export type Placement = "metadata" | "instruction-file";

/** What every job says, whoever runs it. A peer receives it as one line of JSON. */
interface JobBase {
  readonly client: ClientName;
  readonly s3: ServiceEndpoint;
  readonly kms: ServiceEndpoint;
  readonly bucket: string;
  readonly key: string;
  readonly keyring: KeyringJob;
  /** Where the wrapped key of `keyring` goes. */
  readonly placement: Placement;
  /** The whole suffix with its dot; absent: the client's default. */
  readonly instructionFileSuffix?: string;
  /** The caller's context of a `kms+context` wrap. */
  readonly encryptionContext?: StringMap;
  /** The description attached to a raw key, or to a `kms` wrap. */
  readonly materialDescription?: StringMap;
}

export interface PutJob extends JobBase {
  readonly op: "put";
  readonly suite: Suite;
  readonly body: { readonly seed: number; readonly length: number };
  /** A second key, whose wrap of the same data key goes to an instruction file of its own. */
  readonly child?: ChildJob;
}

export interface ChildJob {
  readonly keyring: Extract<KeyringJob, { readonly type: "rsa" }>;
  /** With its dot. */
  readonly instructionFileSuffix: string;
  /** Another one than the job's: Java tells by it that the key is another. */
  readonly materialDescription: StringMap;
}

export interface GetJob extends JobBase {
  readonly op: "get";
  /** Whether every switch that lets old and non-committing objects be read is on. */
  readonly legacy: boolean;
  readonly delayedAuthentication: boolean;
  /** Open CBC content whose wrap is bound to GCM (H1). Default: no. */
  readonly acceptGcmForCbc?: true;
}

/** An object that stands, whose data key another key is to wrap. */
export interface RewrapJob extends JobBase {
  readonly op: "rewrap";
  readonly suite: Suite;
  readonly legacy: boolean;
  /** Whether a key that is not another one is to be refused. */
  readonly enforceRotation: boolean;
  readonly to: {
    readonly keyring: KeyringJob;
    readonly encryptionContext?: StringMap;
    readonly materialDescription?: StringMap;
    /** Of a further file, with its dot; absent: the wrap that stands is replaced. */
    readonly instructionFileSuffix?: string;
  };
}

export type Job = PutJob | GetJob | RewrapJob;

export type ObjectPeer = Peer<ClientName, Job>;
