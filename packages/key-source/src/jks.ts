import { createHash, createPrivateKey, timingSafeEqual } from "node:crypto";
import { inOurWords, KeyProblem } from "./key-problem.js";
import type { StoreEntry } from "./key-store.js";
import { optionalPackage } from "./optional-package.js";

const DIGEST_LENGTH = 20;
const DAMAGED = "is a Java keystore that is damaged";

/** The entries of a Java keystore of the kind JKS; it is read once its digest has shown that it is whole. */
export async function jksEntries(bytes: Buffer, passphrase: string, keyPassphrase: string): Promise<StoreEntry[]> {
  // The library takes counts and lengths as they are, so that nothing damaged may reach it.
  assertWhole(bytes, passphrase);
  const { default: jks } = await optionalPackage("jks-js", () => import("jks-js"));
  return inOurWords(
    () =>
      jks.parseJks(bytes, passphrase).map((entry) => {
        if (!("protectedPrivateKey" in entry)) return { alias: entry.alias, certificate: entry.cert.value };
        const { alias, chain, protectedPrivateKey } = entry;
        const [certificate] = chain;
        return {
          alias,
          privateKey: () => privateKey(jks.decrypt, protectedPrivateKey, keyPassphrase),
          ...(certificate === undefined ? {} : { certificate: certificate.value }),
        };
      }),
    DAMAGED,
  );
}

function privateKey(decrypt: (key: Buffer, passphrase: string) => string, key: Buffer, passphrase: string): Buffer {
  return inOurWords(
    () => createPrivateKey(decrypt(key, passphrase)).export({ type: "pkcs8", format: "der" }),
    "is in a Java keystore under a passphrase of its own: say it as keyPassphrase",
  );
}

/** SHA-1 of the passphrase in UTF-16, a fixed text and all that is before it. */
function assertWhole(bytes: Buffer, passphrase: string): void {
  if (bytes.length <= DIGEST_LENGTH) throw new KeyProblem(DAMAGED);
  const digest = createHash("sha1")
    .update(Buffer.from(passphrase, "utf16le").swap16())
    .update("Mighty Aphrodite", "utf8")
    .update(bytes.subarray(0, -DIGEST_LENGTH))
    .digest();
  if (timingSafeEqual(digest, bytes.subarray(-DIGEST_LENGTH))) return;
  throw new KeyProblem("is a Java keystore that the passphrase beside it does not open (or it is damaged)");
}
