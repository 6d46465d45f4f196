import { createCipheriv, createSecretKey } from "node:crypto";

/** Ciphers that content is encrypted with. */
export type ContentCipherName = `aes-${128 | 192 | 256}-${"cbc" | "gcm"}`;

const answers = new Map<ContentCipherName, boolean>();

/**
 * Whether this runtime's `node:crypto` has a cipher: Deno's has no `aes-192-cbc` and no `aes-192-gcm`. Asked of it once a
 * process.
 */
export function hasCipher(name: ContentCipherName): boolean {
  const answer = answers.get(name) ?? canMake(name);
  answers.set(name, answer);
  return answer;
}

function canMake(name: ContentCipherName): boolean {
  const [, bits, mode] = name.split("-");
  const iv = Buffer.alloc(mode === "gcm" ? 12 : 16);
  try {
    createCipheriv(name, createSecretKey(Buffer.alloc(Number(bits) / 8)), iv);
    return true;
  } catch {
    return false;
  }
}

/**
 * What has to be said with every failure to decrypt where a cipher is missing: with every one, so that it tells nothing of
 * which it was (S16). Empty where none is.
 */
export function missingCiphers(): string {
  const missing = (["aes-192-cbc", "aes-192-gcm"] as const).filter((name) => !hasCipher(name));
  return missing.length === 0
    ? ""
    : ` Or its data key has 24 bytes: this runtime's node:crypto has no ${missing.join(" and no ")}, which such objects take; read them with Node.`;
}
