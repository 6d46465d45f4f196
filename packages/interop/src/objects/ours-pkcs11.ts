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
  const keyrings = new Map<string, Promise<Pkcs11Keyring>>();

  const keyringOf = ({ keyring }: Job): Promise<Pkcs11Keyring> => {
    const key = JSON.stringify(keyring);
    const opened = keyrings.get(key) ?? open(hsm, keyring, keyrings.size + 1);
    keyrings.set(key, opened);
    return opened;
  };
  return {
    clients: ["ours-pkcs11"],
    run: (job) => runOurs(job, () => keyringOf(job)),
    close: async () => {
      for (const opened of keyrings.values()) await (await opened).close();
      hsm.remove();
    },
  };
}

/** Puts a key of the matrix into the token. */
async function open(hsm: SoftHsm, keyring: KeyringJob, number: number): Promise<Pkcs11Keyring> {
  const label = `${keyring.type}-${number}`;
  const id = String(number).padStart(2, "0");
  if (keyring.type === "aes") hsm.importAes(label, id, Buffer.from(keyring.key, "base64"));
  if (keyring.type === "rsa") {
    const key = Buffer.from(keyring.privateKey, "base64");
    hsm.importRsa(label, id, createPrivateKey({ key, format: "der", type: "pkcs8" }));
  }
  return await Pkcs11Keyring.open({ ...hsm.options, keyLabel: label });
}
