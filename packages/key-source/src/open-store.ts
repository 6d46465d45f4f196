import type { OpenableContent } from "./content.js";
import { jksEntries } from "./jks.js";
import { KeyProblem } from "./key-problem.js";
import type { StoreEntry } from "./key-store.js";
import { pkcs12Entries } from "./pkcs12.js";

const JKS = "feedfeed";
const JCEKS = "cececece";

/** A sequence of version 3 and a content of PKCS#7. */
const PKCS12 = /^30(?:8[1-4]|80)?(?:..){0,4}?02010330(?:8[1-4]|80)?(?:..){0,4}?06092a864886f70d0107/;

/** The entries of a keystore; undefined where the content is none. */
export async function openStore(content: OpenableContent): Promise<readonly StoreEntry[] | undefined> {
  const { bytes, passphrase, keyPassphrase = passphrase } = content;
  const head = bytes.toString("hex", 0, 32);
  if (head.startsWith(JCEKS)) {
    throw new KeyProblem(
      "is a Java keystore of the kind JCEKS: make a PKCS#12 store of it with keytool -importkeystore -srckeystore FILE -srcstoretype JCEKS -destkeystore NEW -deststoretype PKCS12",
    );
  }
  const isJks = head.startsWith(JKS);
  if (!isJks && !PKCS12.test(head)) return undefined;
  if (passphrase === undefined || keyPassphrase === undefined) {
    throw new KeyProblem(`is a ${isJks ? "Java" : "PKCS#12"} keystore, and its passphrase is missing beside it`);
  }
  const words = [passphrase.toString("utf8"), keyPassphrase.toString("utf8")] as const;
  return isJks ? jksEntries(bytes, ...words) : pkcs12Entries(bytes, ...words);
}

/** Throws a `KeyProblem` for what only a keystore has, beside a key that is in none: it would be ignored. */
export function assertNoEntry({ alias, keyPassphrase }: OpenableContent): void {
  const name = alias === undefined ? "keyPassphrase" : "alias";
  if (alias === undefined && keyPassphrase === undefined) return;
  throw new KeyProblem(`is no keystore, which alone has entries: leave out ${name}`);
}
