import type { Keyring } from "./keyring.js";

/** What logs and traces call a keyring: its class, which a bundler that shortens names has shortened. */
export function keyringName(keyring: Keyring): string {
  const made: unknown = Reflect.get(keyring, "constructor");
  return typeof made === "function" && made.name !== "" ? made.name : "Keyring";
}
