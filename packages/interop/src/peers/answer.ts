import { sha256 } from "./plaintext.js";

/**
 * Length in bytes and SHA-256 in hex of the plaintext that was written or read, and where the peer tells it, the seconds that
 * its client took; or the client's own error.
 */
export type Answer =
  | { readonly ok: true; readonly length: number; readonly sha256: string; readonly seconds?: number }
  | { readonly ok: false; readonly error: string; readonly message: string };

/** What a peer in this process answers: of the plaintext, or of what was thrown instead. */
export async function answerOf(work: () => Uint8Array | Promise<Uint8Array>): Promise<Answer> {
  try {
    const bytes = await work();
    return { ok: true, length: bytes.length, sha256: sha256(bytes) };
  } catch (failure) {
    if (!(failure instanceof Error)) return { ok: false, error: "Thrown", message: String(failure) };
    const code = "code" in failure ? String(failure.code) : failure.name;
    return { ok: false, error: code, message: failure.message };
  }
}
