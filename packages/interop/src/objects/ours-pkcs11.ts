import { createPrivateKey } from "node:crypto";
import { Pkcs11Keyring } from "@s3ec/keyring-pkcs11";
import { missingForSoftHsm, SoftHsm } from "@s3ec/softhsm";
import { MissingToolchainError } from "../build/toolchain.js";
import type { Job, KeyringJob, ObjectPeer } from "./job.js";
import { runOurs } from "./ours.js";

/**
 * Our client with the same keys as everybody else, in a token: the others hold an exported copy of each.
 * @throws MissingToolchainError where there cannot be a token.
 */
export function startOursPkcs11(): ObjectPeer {
  if (missingForSoftHsm() !== undefined) throw new MissingToolchainError(["softhsm2", "what builds pkcs11js"]);
  const hsm = new SoftHsm();
  const keyrings = new Map<KeyringJob["type"], Promise<Pkcs11Keyring>>();

  const keyringOf = ({ keyring }: Job): Promise<Pkcs11Keyring> => {
    const opened = keyrings.get(keyring.type) ?? open(hsm, keyring);
    keyrings.set(keyring.type, opened);
    return opened;
  };
  return {
    clients: ["ours-pkcs11"],
    run: async (job) => await runOurs(job, await keyringOf(job)),
    close: async () => {
      for (const opened of keyrings.values()) await (await opened).close();
      hsm.remove();
    },
  };
}

/** Puts a key of the matrix into the token; there is one of each kind. */
async function open(hsm: SoftHsm, keyring: KeyringJob): Promise<Pkcs11Keyring> {
  if (keyring.type === "aes") hsm.importAes("aes", "01", Buffer.from(keyring.key, "base64"));
  if (keyring.type === "rsa") {
    const key = Buffer.from(keyring.privateKey, "base64");
    hsm.importRsa("rsa", "02", createPrivateKey({ key, format: "der", type: "pkcs8" }));
  }
  return await Pkcs11Keyring.open({ ...hsm.options, keyLabel: keyring.type });
}
