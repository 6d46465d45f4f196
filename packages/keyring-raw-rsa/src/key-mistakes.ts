import { createPrivateKey, createPublicKey, type KeyObject, X509Certificate } from "node:crypto";

/** What was to be read. */
export interface WantedRsaKey {
  /** Which half. */
  readonly type: "private" | "public";
  /** Whether a passphrase was given beside it. */
  readonly hasPassphrase: boolean;
}

const PKCS12 =
  "is a PKCS#12 store: take the key out of it with openssl pkcs12 -in FILE -nocerts, or the certificate with -nokeys";
const JAVA =
  "is a Java keystore: make a PKCS#12 store of it with keytool -importkeystore -srckeystore FILE -destkeystore NEW -deststoretype PKCS12, and take the key out of that with openssl pkcs12 -in NEW -nocerts";
const CERTIFICATE =
  "is a certificate, which holds only the public key: reading takes the private key that belongs to it";
const PUBLIC = "is a public key, which can only write: reading takes the private key that belongs to it";
const PRIVATE = "is a private key, which should not lie where only the public one is needed";
const OPENSSH_PRIVATE = "is in OpenSSH's own format: make PEM of a copy with ssh-keygen -p -m PEM -f COPY";
const OPENSSH_PUBLIC = "is in OpenSSH's own format: make PEM of it with ssh-keygen -e -m PKCS8 -f FILE";

const PKCS7 =
  "is a PKCS#7 file, which holds certificates and no private key: take them out of it with openssl pkcs7 -print_certs -in FILE (-inform DER where it is no text)";
const UTF16 = "is text in UTF-16, as PowerShell writes it: save it as UTF-8, or as ASCII";

/** By the magic number that a file begins with, in hex. */
const MAGIC: readonly (readonly [RegExp, string])[] = [
  [/^(?:fffe|feff)|^(?:00(?!00)..){8}|^(?:(?!00)..00){8}/, UTF16],
  [
    /^1ef1b5b0/,
    "is a private key in Microsoft's PVK format: make PEM of it with openssl rsa -inform PVK -in FILE -out NEW",
  ],
  [
    /^0[67]02000000(?:a4|24)0000525341/,
    "is a key blob of Microsoft's CryptoAPI: make PEM of it with openssl rsa -inform MSBLOB -in FILE -out NEW (with -pubin where it is a public key)",
  ],
  [
    /^525341(?:31|32|33)/,
    "is a key blob of Windows' CNG: export the key as PKCS#8 (NCRYPT_PKCS8_PRIVATE_KEY_BLOB), or a public key as X.509",
  ],
  // A sequence of the type signedData.
  [/^30(?:8[1-4]|80)?(?:..){0,4}?06092a864886f70d010702/, PKCS7],
  [/^feedfeed/, JAVA],
  [/^cececece/, JAVA],
  // A sequence of version 3 and a content of PKCS#7.
  [/^30(?:8[1-4]|80)?(?:..){0,4}?02010330(?:8[1-4]|80)?(?:..){0,4}?06092a864886f70d0107/, PKCS12],
];

/** By the text that a file holds. */
const TEXT: readonly (readonly [RegExp, WantedRsaKey["type"] | undefined, string])[] = [
  [/-----BEGIN PKCS12-----/, undefined, PKCS12],
  [/-----BEGIN (?:PKCS7|PKCS #7 SIGNED DATA|CMS)-----/, undefined, PKCS7],
  [
    /^\s*<(?:\?xml[^>]*>\s*<)?RSAKeyValue>/,
    undefined,
    "is XML of .NET: load it there with FromXmlString, and make PEM of it with ExportPkcs8PrivateKeyPem, or of a public key with ExportSubjectPublicKeyInfoPem",
  ],
  [/-----BEGIN OPENSSH PRIVATE KEY-----/, "public", PRIVATE],
  [/-----BEGIN OPENSSH PRIVATE KEY-----/, "private", OPENSSH_PRIVATE],
  [/^\s*(?:ssh-|ecdsa-|sk-)|---- BEGIN SSH2 PUBLIC KEY ----/, "private", PUBLIC],
  [/^\s*(?:ssh-|ecdsa-|sk-)|---- BEGIN SSH2 PUBLIC KEY ----/, "public", OPENSSH_PUBLIC],
  [
    /^PuTTY-User-Key-File/,
    undefined,
    "is in PuTTY's own format: make PEM of it with puttygen FILE -O private-openssh -o NEW",
  ],
  [/-----BEGIN PGP /, undefined, "is an OpenPGP key, which is of no use here: make an RSA key with openssl genrsa"],
  [/-----BEGIN (?:NEW )?CERTIFICATE REQUEST-----/, undefined, "is a request for a certificate, not a key"],
  [/-----BEGIN (?:EC|DSA) (?:PRIVATE KEY|PARAMETERS)-----/, undefined, "is an EC or DSA key: this takes an RSA key"],
  [/PRIVATE KEY-----/, "public", PRIVATE],
];

/**
 * What the bytes are that could not be read as an RSA key: the end of a sentence that begins with "this" or the key's
 * name, and holds nothing of the key. Undefined where that cannot be told.
 */
export function rsaKeyMistake(bytes: Buffer, wanted: WantedRsaKey, error?: unknown): string | undefined {
  if (bytes.length === 0) return "is empty";
  const head = bytes.subarray(0, 64).toString("hex");
  const magic = MAGIC.find(([pattern]) => pattern.test(head));
  if (magic !== undefined) return magic[1];
  // Latin-1 is not changed by bytes that are no text.
  const text = bytes.toString("latin1");
  const known = TEXT.find(([pattern, type]) => (type === undefined || type === wanted.type) && pattern.test(text));
  if (known !== undefined) return known[2];
  if (/^[ -z|~]{1,1024}\.\w{1,8}$/.test(text)) {
    return "is a text that looks like a file's name, not a key: read the file, with readFile or with loadKey of @s3ec/key-source";
  }
  const ofJson = jsonMistake(bytes);
  if (ofJson !== undefined) return ofJson;
  if (isKeyInBase64(text)) {
    return 'is base64 of a key: decode it, with base64 -d, or put it where base64 is expected, as in { "env": name } of @s3ec/key-source';
  }
  const broken = pemMistake(text);
  if (broken !== undefined) return broken;
  if (isEncrypted(text, head)) return encryptionMistake(wanted, error);
  return wanted.type === "private" ? publicInPlaceOfPrivate(bytes, text) : privateInPlaceOfPublic(bytes, text);
}

/** What a key that could be read is, instead of an RSA key of the wanted type. */
export function keyKindMistake(key: KeyObject, { type }: Pick<WantedRsaKey, "type">): string {
  const { asymmetricKeyType: kind } = key;
  if (kind === "rsa-pss") return "is an RSA key for signatures only (rsa-pss): this takes one without that restriction";
  if (key.type === "secret") return "is a secret key: this takes an RSA key";
  if (kind !== "rsa") return `is not an RSA key but one of the kind ${kind}: only RSA keys can wrap`;
  return type === "private" ? PUBLIC : PRIVATE;
}

function encryptionMistake({ type, hasPassphrase }: WantedRsaKey, error: unknown): string {
  if (type === "public") return PRIVATE;
  if (!hasPassphrase) return "is encrypted, and its passphrase is missing beside it";
  const { code, message = "" } = (error ?? {}) as { readonly code?: unknown; readonly message?: unknown };
  const said = String(message);
  if (code === "ERR_OSSL_EVP_UNSUPPORTED") {
    return "is encrypted with an algorithm that OpenSSL has given up: renew it with openssl pkcs8 -topk8 -in FILE -provider legacy -provider default";
  }
  const isUnknown = NOT_IN_BORING_SSL.test(said) || (code === undefined && NOT_IN_DENO.test(said));
  return isUnknown
    ? "is encrypted in a way that this runtime does not know: renew it with openssl pkcs8 -topk8 -in FILE"
    : "is encrypted, and the passphrase beside it does not open it";
}

/** What Bun's library says of a cipher or of a way from passphrase to key that it does not have, such as scrypt. */
const NOT_IN_BORING_SSL = /PKCS8 routines:OPENSSL_internal:UN(?:KNOWN|SUPPORTED)_/;
/** What Deno says of one, such as 3DES, and without a code: with one, it is what a wrong passphrase may make of a key. */
const NOT_IN_DENO = /DECODER routines::unsupported/;

/** As PEM says it, in PKCS#8 and before that; or as DER of PKCS#8 that begins with an algorithm of PKCS#5 or PKCS#12. */
function isEncrypted(text: string, head: string): boolean {
  return (
    /-----BEGIN ENCRYPTED PRIVATE KEY-----|^Proc-Type: 4,ENCRYPTED/m.test(text) ||
    /^30(?:8[1-4])?(?:..){1,4}?30(?:81)?..06(?:092a864886f70d0105|0a2a864886f70d010c01)/.test(head)
  );
}

/** Of a JWK that is none of an RSA key, or of JSON that is no JWK. */
function jsonMistake(bytes: Buffer): string | undefined {
  const text = bytes.toString("utf8");
  if (!text.slice(0, 64).trimStart().startsWith("{")) return undefined;
  let fields: { readonly kty?: unknown; readonly keys?: unknown; readonly d?: unknown; readonly p?: unknown };
  try {
    fields = JSON.parse(text);
  } catch {
    return "looks like a JWK, but is no JSON";
  }
  const { kty, keys, d, p } = fields;
  if (Array.isArray(keys)) return "is a set of JWKs: take the one of its keys that is meant, alone";
  if (kty === "oct") return 'is a JWK of a secret key (of kty "oct"): this takes an RSA key';
  if (kty === undefined) return 'is JSON, but no JWK: one of an RSA key has kty "RSA", n and e';
  if (kty !== "RSA") return undefined;
  return d !== undefined && p === undefined
    ? "is a JWK of an RSA private key that lacks its primes: p, q, dp, dq and qi are needed beside d"
    : undefined;
}

/** PEM or DER of anything, encoded once more; PEM is text, and DER begins with a sequence longer than 127 bytes. */
function isKeyInBase64(text: string): boolean {
  return (
    text.length < 1_000_000 &&
    /^\s*(?:LS0tLS1CRUdJTi|MI[GHIJK])[A-Za-z0-9+/\s]+={0,2}\s*$/.test(text) &&
    /^(?:-----BEGIN |0[\x81-\x84])/.test(Buffer.from(text, "base64").toString("latin1"))
  );
}

function pemMistake(text: string): string | undefined {
  if (!text.includes("-----BEGIN ")) return undefined;
  if (!/-----END [A-Z0-9 ]+-----/.test(text)) return "is PEM that breaks off: its END line is missing";
  const isOneLine = /\\n/.test(text) || !/-----BEGIN [A-Z0-9 ]+-----\s*[\r\n]/.test(text);
  return isOneLine ? "is PEM that has lost its line breaks: each line of it must be a line" : undefined;
}

function publicInPlaceOfPrivate(bytes: Buffer, text: string): string | undefined {
  // Node takes the public half of a private key for a public one.
  if (isPrivate(bytes, text)) return undefined;
  if (/-----BEGIN (?:TRUSTED |X509 )?CERTIFICATE-----/.test(text) || reads(() => new X509Certificate(bytes))) {
    return CERTIFICATE;
  }
  const isPublic =
    reads(() => createPublicKey({ key: bytes, format: "pem" })) ||
    reads(() => createPublicKey({ key: bytes, format: "der", type: "spki" })) ||
    reads(() => createPublicKey({ key: bytes, format: "der", type: "pkcs1" })) ||
    reads(() => createPublicKey({ key: JSON.parse(text), format: "jwk" }));
  return isPublic ? PUBLIC : undefined;
}

function privateInPlaceOfPublic(bytes: Buffer, text: string): string | undefined {
  return isPrivate(bytes, text) ? PRIVATE : undefined;
}

function isPrivate(bytes: Buffer, text: string): boolean {
  return (
    reads(() => createPrivateKey({ key: bytes, format: "der", type: "pkcs8" })) ||
    reads(() => createPrivateKey({ key: bytes, format: "der", type: "pkcs1" })) ||
    reads(() => createPrivateKey({ key: bytes, format: "der", type: "sec1" })) ||
    reads(() => createPrivateKey({ key: JSON.parse(text), format: "jwk" }))
  );
}

function reads(attempt: () => unknown): boolean {
  try {
    attempt();
    return true;
  } catch {
    return false;
  }
}
