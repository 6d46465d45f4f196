import type { Content } from "./content.js";
import { KeyProblem } from "./key-problem.js";
import type { KeychainSource } from "./key-source.js";
import { optionalPackage } from "./optional-package.js";

/** An entry of the operating system's keychain, which may ask its user for it. What it says of a failure is left out: it may quote the entry. */
export async function keychainEntry({ keychain: service, account }: KeychainSource): Promise<Content> {
  if (typeof service !== "string" || service === "" || typeof account !== "string" || account === "") {
    throw new KeyProblem('expected the entry of a keychain as { "keychain": service, "account": name }');
  }
  const { AsyncEntry } = await optionalPackage("@napi-rs/keyring", () => import("@napi-rs/keyring"));
  let text: string | null;
  try {
    text = await new AsyncEntry(service, account).getPassword();
  } catch {
    throw new KeyProblem("the keychain of this machine cannot be read: it is locked, or there is none for this user");
  }
  if (text === null || text === "") throw new KeyProblem("the keychain of this machine has no such entry");
  return { bytes: Buffer.from(text, "utf8"), isText: true };
}
