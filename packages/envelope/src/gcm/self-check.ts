import { createCipheriv, createSecretKey } from "node:crypto";
import { GcmReading } from "./gcm-reading.js";

let answer: boolean | undefined;

/**
 * Whether this runtime's `node:crypto` hashes additional data that come in several pieces as OpenSSL does: asked of it
 * once a process, at odd splits and against a real tag (G10). Where it is false (Deno), nothing in this folder but
 * `openAtOnce` can be used.
 */
export function hashesInPieces(): boolean {
  answer ??= isRight();
  return answer;
}

function isRight(): boolean {
  const parameters = { key: createSecretKey(Buffer.alloc(32, 1)), iv: Buffer.alloc(12, 2), aad: Buffer.from("ab") };
  const cipher = createCipheriv("aes-256-gcm", parameters.key, parameters.iv, { authTagLength: 16 });
  cipher.setAAD(parameters.aad);
  const ciphertext = Buffer.concat([cipher.update(Buffer.alloc(67, 3)), cipher.final()]);
  const tag = cipher.getAuthTag();
  try {
    const reading = new GcmReading(parameters);
    for (const [from, to] of [
      [0, 1],
      [1, 17],
      [17, 50],
      [50, ciphertext.length],
    ] as const)
      reading.add(ciphertext.subarray(from, to));
    return reading.prove(tag) !== undefined;
  } catch {
    return false;
  }
}
