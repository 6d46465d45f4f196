import type { StringMap } from "@s3ec/materials";
import type { Peer } from "../peers/peer.js";
import type { ServiceEndpoint } from "../servers/servers.js";

/** Every client of the AWS Encryption SDK's messages that the matrix knows. */
export const MESSAGE_CLIENT_NAMES = ["esdk-python", "esdk-java", "esdk-javascript", "ours"] as const;
export type MessageClientName = (typeof MESSAGE_CLIENT_NAMES)[number];
/** Those that AWS publishes. */
export type OfficialMessageClient = Exclude<MessageClientName, "ours">;
export const OFFICIAL_MESSAGE_CLIENTS: readonly OfficialMessageClient[] = MESSAGE_CLIENT_NAMES.filter(
  (name) => name !== "ours",
);

export type RsaPadding = "pkcs1" | "oaep-sha1" | "oaep-sha256" | "oaep-sha384" | "oaep-sha512";

/**
 * Key material: `key` is base64, `publicKey` and `privateKey` are PEM (SPKI and PKCS#8), `keyId` is an ARN. The first
 * member of a multi-keyring makes the data key, and every member alone opens what it wrote.
 */
export type MessageKeyring =
  | { readonly type: "aes"; readonly namespace: string; readonly name: string; readonly key: string }
  | {
      readonly type: "rsa";
      readonly namespace: string;
      readonly name: string;
      readonly padding: RsaPadding;
      readonly publicKey: string;
      readonly privateKey: string;
    }
  | { readonly type: "kms"; readonly keyId: string }
  | { readonly type: "multi"; readonly members: readonly MessageKeyring[] };

/** The SDKs' commitment policies: what may be written, then what may be read, without a key commitment. */
type MessagePolicy = "forbid-allow" | "require-allow" | "require-require";

/** What every job says, whoever runs it. A peer receives it as one line of JSON. */
interface JobBase {
  readonly kms: ServiceEndpoint;
  readonly keyring: MessageKeyring;
  readonly policy: MessagePolicy;
  /** The context to write, or the entries that a reader must find. */
  readonly encryptionContext: StringMap;
  /** Where the message goes, or is. */
  readonly file: string;
}

interface EncryptJob extends JobBase {
  readonly op: "encrypt";
  /** The algorithm suite's id, as the message stores it. */
  readonly suite: number;
  /** In bytes; 0: one body without frames. */
  readonly frameLength: number;
  readonly body: { readonly seed: number; readonly length: number };
}

interface DecryptJob extends JobBase {
  readonly op: "decrypt";
  /** How many bytes the SDK's stream is read or fed at a time; absent: the whole message in one call. */
  readonly streamed?: number;
}

export type MessageJob = EncryptJob | DecryptJob;

export type MessagePeer = Peer<MessageClientName, MessageJob>;
