/** An AES key of the vectors. */
export interface AesWrappingKey {
  readonly kind: "aes";
  /** The raw key. */
  readonly base64: string;
}

/** An RSA key pair of the vectors. */
export interface RsaWrappingKey {
  readonly kind: "rsa";
  /** In bits. */
  readonly modulusLength: number;
  /** The private key: PKCS#8 in DER. */
  readonly pkcs8Base64: string;
  /** The public key: SPKI in DER. */
  readonly spkiBase64: string;
}

/** A KMS key of the vectors; what it answers stands with each. */
export interface KmsWrappingKey {
  readonly kind: "kms";
  /** The key's ARN. */
  readonly arn: string;
  /** `alias/` and a name. */
  readonly alias: string;
}

/** A key that vectors were written under. */
export type WrappingKey = AesWrappingKey | RsaWrappingKey | KmsWrappingKey;
