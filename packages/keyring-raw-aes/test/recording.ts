import { createDecipheriv } from "node:crypto";
import { replacingCrypto } from "@s3ec/test-support";

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
  await replacingCrypto({ createDecipheriv: recording }, act);
  return deciphered;
}
