import { createPrivateKey, createPublicKey, type JsonWebKey, type KeyObject, X509Certificate } from "node:crypto";
import { keyKindMistake, rsaKeyMistake } from "@s3ec/keyring-raw-rsa";
import type { OpenableContent } from "./content.js";
import { withAlias } from "./key-alias.js";
import { expecting, KeyProblem } from "./key-problem.js";
import { storeEntry } from "./key-store.js";
import { assertNoEntry, openStore } from "./open-store.js";
import { isOpenSsh, openSshPrivateKey } from "./openssh.js";
import { decodeBase64 } from "./source-content.js";
import { assertPkcs8Iterations } from "./work-factor.js";

const PRIVATE = "an RSA private key of 2048 bits or more as PEM, DER, JWK, OpenSSH key or keystore";
const PUBLIC = "an RSA public key (not a private one) of 2048 bits or more as PEM, DER, JWK or certificate";

const MARK = Buffer.from("\uFEFF");

/** A private key in whatever form it is. */
export async function rsaPrivateKeyIn(content: OpenableContent, minBits: number): Promise<KeyObject> {
  const opened = decoded(content);
  const { alias, bytes, passphrase } = opened;
  const read = await expecting(PRIVATE, async (): Promise<Read> => {
    if (isOpenSsh(bytes)) return inNoStore({ key: await openSshPrivateKey(bytes, passphrase) }, opened, "private");
    const store = await openStore(opened);
    if (store === undefined) return inNoStore(readPrivate(opened), opened, "private");
    const entry = storeEntry(store, alias, "privateKey");
    const der = entry.privateKey?.() ?? bytes;
    return firstOf([() => withAlias(createPrivateKey({ key: der, format: "der", type: "pkcs8" }), entry.alias)]);
  });
  return rsaKey(read, bytes, { type: "private", hasPassphrase: passphrase !== undefined }, PRIVATE, minBits);
}

/** A public key in whatever form it is; what a certificate says of its time is told, since its key still writes. */
export async function rsaPublicKeyIn(content: OpenableContent, warn: (sentence: string) => void): Promise<KeyObject> {
  const opened = decoded(content);
  const { alias, bytes } = opened;
  const read = await expecting(PUBLIC, async (): Promise<Read> => {
    const store = await openStore(opened);
    if (store === undefined) return inNoStore(readPublic(opened, warn), opened, "public");
    const entry = storeEntry(store, alias, "certificate");
    const certificate = entry.certificate ?? bytes;
    return firstOf([() => withAlias(keyOfCertificate(certificate, warn), entry.alias)]);
  });
  return rsaKey(read, bytes, { type: "public", hasPassphrase: false }, PUBLIC, 2048);
}

/** What was read of a file that holds nothing else. */
function inNoStore(read: Read, content: OpenableContent, type: "private" | "public"): Read {
  if (!("key" in read)) return read;
  assertNoEntry(content);
  if (isJwk(content.bytes)) assertUsage(content.bytes, type);
  return read;
}

function assertUsage(jwk: Buffer, type: "private" | "public"): void {
  const { use, key_ops: operations }: JsonWebKey = JSON.parse(jwk.toString("utf8"));
  const needed = type === "private" ? ["unwrapKey", "decrypt"] : ["wrapKey", "encrypt"];
  const isAllowed =
    operations === undefined || (Array.isArray(operations) && needed.some((name) => operations.includes(name)));
  if (isAllowed && (use === undefined || use === "enc")) return;
  throw new KeyProblem(`is a JWK whose use or key_ops allow neither ${needed.join(" nor ")}`);
}

function readPublic(content: OpenableContent, warn: (sentence: string) => void): Read {
  const { bytes } = content;
  // Node would quietly derive the public half.
  if (bytes.includes("PRIVATE KEY-----") || "key" in readPrivate(content)) return { error: undefined };
  return firstOf(
    isPem(bytes)
      ? [() => keyOfCertificate(bytes, warn), () => createPublicKey(bytes)]
      : isJwk(bytes)
        ? [() => createPublicKey({ key: JSON.parse(bytes.toString("utf8")), format: "jwk" })]
        : [
            () => keyOfCertificate(bytes, warn),
            () => createPublicKey({ key: bytes, format: "der", type: "spki" }),
            () => createPublicKey({ key: bytes, format: "der", type: "pkcs1" }),
          ],
  );
}

/** A place that holds text only has binary forms in base64. */
function decoded(content: OpenableContent): OpenableContent {
  const { isText } = content;
  // Windows' editors begin text with a mark of its encoding.
  const bytes = MARK.equals(content.bytes.subarray(0, 3)) ? content.bytes.subarray(3) : content.bytes;
  if (bytes !== content.bytes) return decoded({ ...content, bytes });
  if (!isText || isPem(bytes) || isJwk(bytes)) return content;
  const binary = decodeBase64(bytes.toString("utf8"));
  if (binary === undefined) throw new KeyProblem("expected base64 or PEM text, since this place holds text only");
  return { ...content, bytes: binary };
}

function readPrivate({ bytes, passphrase }: OpenableContent): Read {
  const secret = passphrase === undefined ? {} : { passphrase };
  if (passphrase !== undefined) assertPkcs8Iterations(isPem(bytes) ? encryptedPem(bytes) : bytes);
  return firstOf(
    isPem(bytes)
      ? [() => createPrivateKey({ key: bytes, format: "pem", ...secret })]
      : isJwk(bytes)
        ? [() => createPrivateKey({ key: JSON.parse(bytes.toString("utf8")), format: "jwk" })]
        : [
            () => createPrivateKey({ key: bytes, format: "der", type: "pkcs8", ...secret }),
            () => createPrivateKey({ key: bytes, format: "der", type: "pkcs1" }),
          ],
  );
}

function keyOfCertificate(bytes: Buffer, warn: (sentence: string) => void): KeyObject {
  const certificate = new X509Certificate(bytes);
  const { publicKey, validFrom, validTo } = certificate;
  const now = Date.now();
  if (Date.parse(validTo) < now) {
    warn(`The certificate of a public key has expired on ${validTo}; its key is used all the same.`);
  } else if (Date.parse(validFrom) > now) {
    warn(`The certificate of a public key is not valid before ${validFrom}; its key is used all the same.`);
  }
  return publicKey;
}

type Read = { readonly key: KeyObject } | { readonly error: unknown };

/** As the keyring wants it; said here, it is said with the field. */
function rsaKey(
  read: Read,
  bytes: Buffer,
  wanted: { readonly type: "private" | "public"; readonly hasPassphrase: boolean },
  expected: string,
  minBits: number,
): KeyObject {
  const bits = "key" in read ? (read.key.asymmetricKeyDetails?.modulusLength ?? 0) : 0;
  if ("key" in read && read.key.asymmetricKeyType === "rsa") {
    if (bits >= minBits) return read.key;
    throw new KeyProblem(`expected ${expected}, but this one has ${bits} bits and can be broken`);
  }
  const mistake = "key" in read ? keyKindMistake(read.key, wanted) : rsaKeyMistake(bytes, wanted, read.error);
  throw new KeyProblem(`expected ${expected}${mistake === undefined ? "" : `, but this ${mistake}`}`);
}

/** What the first one gave, or why it gave nothing. */
function firstOf(attempts: readonly (() => KeyObject)[]): Read {
  let first: Read | undefined;
  for (const attempt of attempts) {
    try {
      return { key: attempt() };
    } catch (error) {
      first ??= { error };
    }
  }
  return first ?? { error: undefined };
}

function isPem(bytes: Buffer): boolean {
  return bytes.includes("-----BEGIN ");
}

/** DER of the encrypted PKCS#8 that is in PEM; empty where none is. */
function encryptedPem(bytes: Buffer): Buffer {
  const body = /-----BEGIN ENCRYPTED PRIVATE KEY-----([^-]*)/.exec(bytes.toString("latin1"))?.[1] ?? "";
  return Buffer.from(body, "base64");
}

function isJwk(bytes: Buffer): boolean {
  return bytes.toString("utf8", 0, 64).trimStart().startsWith("{");
}
