import type { Faults } from "./faults/faults.js";
import type { RecordedRequest } from "./http/recorded-requests.js";
import type { KeySpec } from "./kms/kms-keys.js";
import type { SeededObject } from "./s3/operations/seeded-object.js";
import type { OpenUpload } from "./s3/store/multipart-uploads.js";

/** How the server is started; every option has a default. */
export interface DevServerOptions {
  /** Where objects and keys are kept. Default: a new temporary directory, which `close` removes. */
  readonly directory?: string;
  /** The port on 127.0.0.1. Default: a free one. */
  readonly port?: number;
  /** The only access key id that is accepted. Default `test`. */
  readonly accessKeyId?: string;
  /** Its secret. Default `test`. */
  readonly secretAccessKey?: string;
  /** The region of S3 and of `kms.createKey`. Default `us-west-2`. KMS requests are served in the region they are signed for. */
  readonly region?: string;
  /** Whether a write is answered only once it is on the disk. Default: true for a given directory, false for a temporary one. */
  readonly fsync?: boolean;
  /** `md5`, the default, is what most clients see of S3; `opaque` spares benchmarks the slowest part of a write. */
  readonly entityTags?: "md5" | "opaque";
  /**
   * Whether there are object annotations. Default `supported`. `refused` answers 501 to them, and `ignored` is a store that
   * does not know `?annotation`: a put of an annotation replaces the object, and its delete deletes the object.
   */
  readonly annotations?: "supported" | "refused" | "ignored";
  /**
   * Serves https with this key and certificate, PEM both. Default: http. Clients must trust the certificate, which must be
   * one for the address 127.0.0.1, by `ca` of their agent or `NODE_EXTRA_CA_CERTS`.
   */
  readonly tls?: { readonly key: string; readonly cert: string };
  /** Buckets that exist from the start. Default: none. */
  readonly buckets?: readonly string[];
  /** KMS aliases (`alias/NAME`) that exist from the start, each with a symmetric key. Default: none. */
  readonly aliases?: readonly string[];
}

/** A server that runs, until `close` or the end of an `await using`. */
export interface DevServer extends AsyncDisposable {
  /** `http://127.0.0.1:PORT`, or https, for S3 and for KMS. */
  readonly endpoint: string;
  /** The region of S3. */
  readonly region: string;
  /** The only credentials that are accepted. */
  readonly credentials: { readonly accessKeyId: string; readonly secretAccessKey: string };
  /** For `new S3Client(...)` and `new KMSClient(...)`. */
  readonly clientConfig: {
    readonly endpoint: string;
    readonly region: string;
    readonly credentials: { readonly accessKeyId: string; readonly secretAccessKey: string };
    readonly forcePathStyle: true;
  };
  /** The latest 10,000 requests as they arrived, retries and refused ones among them. */
  readonly requests: readonly RecordedRequest[];
  /** Forgets the requests that arrived so far. */
  clearRequests(): void;
  /** How many connections clients hold open. */
  readonly openConnections: number;
  /** Multipart uploads that are neither completed nor aborted. */
  readonly openUploads: readonly OpenUpload[];
  /** What goes wrong, at the wish of a test. */
  readonly faults: Faults;
  /** KMS without requests. */
  readonly kms: DevServerKms;
  /** Stores an object without a request; the metadata is returned as given, however large. */
  putRawObject(bucket: string, key: string, object: SeededObject): Promise<void>;
  /** Ends every connection and, when the server made it, removes the directory. */
  close(): Promise<void>;
}

/** KMS without requests, to set up tests. */
export interface DevServerKms {
  /**
   * Creates a key. Throws when the key exists, or an ARN or alias is none.
   */
  createKey(key?: {
    /** Of any region and account; an `mrk-` key of the same id in another region shares its material. Default: made up. */
    readonly arn?: string;
    /** Default: a UUID. */
    readonly keyId?: string;
    /** An alias (`alias/NAME`) for it. Default: none. */
    readonly alias?: string;
    /** Default `SYMMETRIC_DEFAULT`. */
    readonly spec?: KeySpec;
    /** Whether its id begins with `mrk-`, so that it can be replicated. Default: false. */
    readonly multiRegion?: boolean;
  }): { readonly arn: string; readonly keyId: string };
  /** Makes Decrypt of exactly this blob under exactly this context and key answer with this plaintext. */
  seedDecrypt(seed: {
    /** The ciphertext of another KMS. */
    readonly ciphertextBlob: Uint8Array;
    /** The context that Decrypt must be called with. */
    readonly encryptionContext: Readonly<Record<string, string>>;
    /** Of a key or of an alias; the key is created when it does not exist. */
    readonly keyArn: string;
    /** What Decrypt answers. */
    readonly plaintext: Uint8Array;
  }): void;
}
