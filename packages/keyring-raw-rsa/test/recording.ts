import { privateDecrypt } from "node:crypto";
import { replacingCrypto } from "@s3ec/test-support";

/** The very buffers that private-key operations handed out while `act` ran; undefined for one that threw. */
export async function recordPrivateOperations(act: () => Promise<unknown>): Promise<(Buffer | undefined)[]> {
  const results: (Buffer | undefined)[] = [];
  const original = privateDecrypt;
  const recording = (...options: Parameters<typeof privateDecrypt>) => {
    const index = results.push(undefined) - 1;
    const result = original(...options);
    results[index] = result;
    return result;
  };
  await replacingCrypto({ privateDecrypt: recording }, act);
  return results;
}
