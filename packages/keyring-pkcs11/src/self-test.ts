import { randomBytes, timingSafeEqual } from "node:crypto";
import { S3EncryptionError } from "@s3ec/materials";
import type { TokenSession } from "./cryptoki.js";
import type { TokenKey } from "./token-keys.js";
import { tokenWraps } from "./wraps.js";

const BINDING = "self-test";
const LENGTH = 32;

/**
 * Wraps and unwraps random bytes once. What a token lists does not tell whether it takes SHA-1 in OAEP, an IV from
 * outside in GCM, or this key for either; and two objects of one label need not be a pair. Nothing is written that could
 * not be read again. Throws `invalid-configuration`.
 */
export async function assertUsable(session: TokenSession, key: TokenKey): Promise<void> {
  if (key.type === "rsa" && key.privateKey === undefined) return;
  const bytes = randomBytes(LENGTH);
  const { wrap, unwrap } = tokenWraps<TokenKey>(key, (found, operate) => operate(session, found)).described;
  const wrapped = await wrap?.(key, bytes, BINDING);
  const expected = { bindings: [BINDING], dataKeyLengths: [LENGTH] };
  const opened = wrapped === undefined ? undefined : await unwrap(key, wrapped, expected);
  if (opened !== undefined && timingSafeEqual(opened, bytes)) return;
  throw new S3EncryptionError(
    "invalid-configuration",
    key.type === "rsa"
      ? "The token's private RSA key does not open what its public key wraps: give each pair a label or an id of its own."
      : "The token does not open what its own AES-GCM wraps: it must take the IV that it is given.",
  );
}
