import { createSecretKey, type JsonWebKey, type KeyObject } from "node:crypto";
import { readAesKey } from "@s3ec/keyring-raw-aes";
import { S3EncryptionError } from "@s3ec/materials";
import { aesKeyMistake } from "./aes-mistakes.js";
import type { OpenableContent } from "./content.js";
import { withAlias } from "./key-alias.js";
import { expecting, inOurWords, KeyProblem } from "./key-problem.js";
import { storeEntry } from "./key-store.js";
import { assertNoEntry, openStore } from "./open-store.js";
import { withoutLineBreak } from "./source-content.js";

const AES = "an AES key of 16, 24 or 32 bytes";

/** An AES key as bytes, text of them, JWK, or a secret key of a PKCS#12 store. */
export async function aesKeyIn(content: OpenableContent): Promise<KeyObject> {
  const { bytes, encoding } = content;
  const structured = await expecting(AES, () => keyInStructure(content));
  if (structured !== undefined) return structured;
  try {
    // In a configuration it is base64 by its name, and hex text would be taken for that, too.
    if (content.base64 !== undefined && encoding === undefined) {
      return readAesKey(content.base64, undefined, ["base64", "hex"]);
    }
    return content.isText
      ? readAesKey(withoutLineBreak(bytes), encoding, ["base64", "hex", "bytes"])
      : readAesKey(bytes, encoding);
  } catch (error) {
    if (!(error instanceof S3EncryptionError)) throw error;
    const mistake = aesKeyMistake(bytes);
    throw new KeyProblem(mistake === undefined ? error.message : `expected ${AES}, but this ${mistake}`);
  }
}

async function keyInStructure(content: OpenableContent): Promise<KeyObject | undefined> {
  const { bytes, alias, passphrase, encoding } = content;
  // As long as a key it is one, whatever its first bytes happen to be.
  const isLong = bytes.length > 32;
  const store = isLong ? await openStore(content) : undefined;
  const isJwk = isLong && bytes.toString("utf8", 0, 64).trimStart().startsWith("{");
  if (encoding !== undefined && (isJwk || store !== undefined)) {
    throw new KeyProblem("is a JWK or a keystore, which says itself how the key is written: leave out encoding");
  }
  if (store !== undefined) {
    const entry = storeEntry(store, alias, "secretKey");
    return withAlias(aesKey(entry.secretKey?.() ?? Buffer.alloc(0)), entry.alias);
  }
  const mistake = aesKeyMistake(bytes);
  if (passphrase !== undefined) {
    throw new KeyProblem(
      mistake ?? "is no keystore, and nothing else of an AES key has a passphrase: none is made of one here",
    );
  }
  const key = isJwk ? jwkKey(bytes) : undefined;
  if (mistake === undefined) assertNoEntry(content);
  return key;
}

function aesKey(bytes: Buffer): KeyObject {
  try {
    if ([16, 24, 32].includes(bytes.length)) return createSecretKey(bytes);
    throw new KeyProblem(`one has ${bytes.length}`);
  } finally {
    bytes.fill(0);
  }
}

function jwkKey(text: Buffer): KeyObject {
  const {
    keys,
    kty,
    k,
    use,
    key_ops: operations,
  } = inOurWords<JsonWebKey & { readonly keys?: unknown }>(
    () => JSON.parse(text.toString("utf8").replace(/^\uFEFF/, "")),
    "looks like a JWK, but is no JSON",
  );
  if (Array.isArray(keys)) throw new KeyProblem("is a set of JWKs: take the one of its keys that is meant, alone");
  if (kty === "RSA" || kty === "EC" || kty === "OKP") {
    throw new KeyProblem(`is no JWK of an AES key, which has kty "oct", but one of the kind ${kty}`);
  }
  if (kty !== "oct" || typeof k !== "string" || !/^[\w-]+$/.test(k)) {
    throw new KeyProblem('is no JWK of an AES key, which has kty "oct" and k in base64url');
  }
  const mayBeUsed =
    operations === undefined ||
    (Array.isArray(operations) &&
      ["wrapKey", "unwrapKey", "encrypt", "decrypt"].some((name) => operations.includes(name)));
  if (!mayBeUsed || (use !== undefined && use !== "enc")) {
    throw new KeyProblem("is a JWK whose use or key_ops do not allow it to wrap and unwrap keys");
  }
  return aesKey(Buffer.from(k, "base64url"));
}
