import crypto, { createDecipheriv } from "node:crypto";
import { syncBuiltinESMExports } from "node:module";

/** The very buffers that deciphers handed out while `act` ran. */
export async function recordDeciphered(act: () => Promise<void>): Promise<Buffer[]> {
  const deciphered: Buffer[] = [];
  const original = createDecipheriv;
  const recording = (...options: Parameters<typeof createDecipheriv>) => {
    const decipher = original(...options);
    const update = decipher.update.bind(decipher);
    return Object.assign(decipher, {
      update: (data: Uint8Array) => {
        const plaintext = update(data);
        deciphered.push(plaintext);
        return plaintext;
      },
    });
  };
  Reflect.set(crypto, "createDecipheriv", recording);
  syncBuiltinESMExports();
  try {
    await act();
  } finally {
    Reflect.set(crypto, "createDecipheriv", original);
    syncBuiltinESMExports();
  }
  return deciphered;
}
