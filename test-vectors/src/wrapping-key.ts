export interface AesWrappingKey {
  readonly kind: "aes";
  readonly base64: string;
}

/** `pkcs8Base64` and `spkiBase64` are DER. */
export interface RsaWrappingKey {
  readonly kind: "rsa";
  readonly modulusLength: number;
  readonly pkcs8Base64: string;
  readonly spkiBase64: string;
}

export interface KmsWrappingKey {
  readonly kind: "kms";
  readonly arn: string;
  readonly alias: string;
}

export type WrappingKey = AesWrappingKey | RsaWrappingKey | KmsWrappingKey;
