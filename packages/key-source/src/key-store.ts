import { quotedList } from "@s3ec/envelope";
import { KeyProblem } from "./key-problem.js";

/** One entry of a PKCS#12 or Java keystore: a private key with its certificate, a certificate alone, or a secret key. */
export interface StoreEntry {
  readonly alias: string;
  /** DER of PKCS#8. */
  readonly privateKey?: () => Buffer;
  /** DER of X.509. */
  readonly certificate?: Buffer;
  readonly secretKey?: () => Buffer;
}

export type Part = "privateKey" | "certificate" | "secretKey";

const NAMES: Readonly<Record<Part, string>> = {
  privateKey: "private key",
  certificate: "certificate",
  secretKey: "secret key",
};

/** The entry that is named or, without a name, the only one that has what is wanted. */
export function storeEntry(entries: readonly StoreEntry[], alias: string | undefined, part: Part): StoreEntry {
  const fitting = entries.filter((entry) => entry[part] !== undefined);
  if (alias === undefined) return onlyEntry(fitting, part);
  const named = entriesNamed(entries, alias);
  const [found] = named.filter((entry) => entry[part] !== undefined);
  if (found !== undefined) return found;
  const [other] = named;
  throw new KeyProblem(
    other === undefined
      ? `is a keystore without an entry of this alias${listed(fitting, part)}`
      : `is a keystore whose entry of this alias is a ${kindOf(other)} and no ${NAMES[part]}`,
  );
}

function onlyEntry(fitting: readonly StoreEntry[], part: Part): StoreEntry {
  // A certificate beside its private key is the one that is meant: the others are of those who signed it.
  const own = fitting.filter((entry) => entry.privateKey !== undefined);
  const [entry, ...others] = own.length > 0 ? own : fitting;
  if (entry === undefined) throw new KeyProblem(`is a keystore that holds no ${NAMES[part]}`);
  if (others.length === 0) return entry;
  throw new KeyProblem(`is a keystore with more than one ${NAMES[part]}: say which with alias${listed(fitting, part)}`);
}

/** Java keeps aliases in small letters, whatever they were when the entry was made. */
function entriesNamed(entries: readonly StoreEntry[], alias: string): StoreEntry[] {
  const exact = entries.filter((entry) => entry.alias === alias);
  if (exact.length > 0) return exact;
  return entries.filter((entry) => entry.alias.toLowerCase() === alias.toLowerCase());
}

function listed(entries: readonly StoreEntry[], part: Part): string {
  const names = entries.map(({ alias }) => alias).filter((alias) => alias !== "");
  return names.length === 0 ? "" : ` (it has a ${NAMES[part]} of ${quotedList(names)})`;
}

function kindOf(entry: StoreEntry): string {
  if (entry.privateKey !== undefined) return NAMES.privateKey;
  return entry.secretKey === undefined ? NAMES.certificate : NAMES.secretKey;
}
