import {
  decryptionFailed,
  defineWrapAlgorithm,
  importDataKey,
  isSameWrapAlgorithm,
  S3EncryptionError,
  withDataKey,
  withWrappedDataKey,
} from "@s3ec/materials";

/** The name under which objects say that Vault wrapped their key. Yours must not be an official one. */
export const VAULT_TRANSIT = defineWrapAlgorithm({ name: "vault:transit/v1" });

/**
 * Wraps data keys with a key of Vault's transit engine, which never leaves Vault. The key must be of an AEAD type
 * (`aes256-gcm96`, `chacha20-poly1305`): the content algorithm goes along as associated data, so that a wrapped
 * key cannot be moved under another one (S2).
 */
export class VaultTransitKeyring {
  wrapAlgorithms = Object.freeze([VAULT_TRANSIT]);
  #address;
  #token;
  #key;
  #mount;

  /** @param {{ address: string, token: string, key: string, mount?: string }} options */
  constructor({ address, token, key, mount = "transit" }) {
    this.#address = new URL(address);
    this.#token = token;
    this.#key = key;
    this.#mount = mount;
  }

  /** @type {import("@s3ec/materials").Keyring["onEncrypt"]} */
  async onEncrypt(materials) {
    return withWrappedDataKey(materials, async (bytes) => {
      const { ciphertext } = await this.#ask("encrypt", {
        plaintext: base64(bytes),
        associated_data: base64(materials.algorithmBinding),
      });
      return {
        wrapAlgorithm: VAULT_TRANSIT,
        ciphertext: Buffer.from(ciphertext, "utf8"),
        description: materials.materialDescription ?? {},
      };
    });
  }

  /** @type {import("@s3ec/materials").Keyring["onDecrypt"]} */
  async onDecrypt(materials, encryptedDataKeys) {
    const ours = encryptedDataKeys.find((key) => isSameWrapAlgorithm(key.wrapAlgorithm, VAULT_TRANSIT));
    if (ours === undefined) return null;
    const { plaintext } = await this.#ask("decrypt", {
      ciphertext: Buffer.from(ours.ciphertext).toString("utf8"),
      associated_data: base64(materials.algorithmBinding),
    });
    return withDataKey(materials, importDataKey(Buffer.from(plaintext, "base64")));
  }

  async #ask(operation, body) {
    let response;
    try {
      response = await fetch(
        new URL(`v1/${this.#mount}/${operation}/${encodeURIComponent(this.#key)}`, this.#address),
        {
          method: "POST",
          headers: { "x-vault-token": this.#token, "content-type": "application/json" },
          body: JSON.stringify(body),
        },
      );
    } catch (cause) {
      throw new S3EncryptionError("key-unavailable", "Vault cannot be reached; check its address.", { cause });
    }
    const answer = await response.json().catch(() => ({}));
    if (response.ok) return answer.data;
    // 400 depends on the stored bytes, so it must look like every other failure of unwrapping (S16).
    if (operation === "decrypt" && response.status === 400) throw decryptionFailed(answer.errors);
    throw new S3EncryptionError(
      "key-unavailable",
      `Vault refused to ${operation} with the transit key "${this.#key}" (status ${response.status}); the token needs update on ${this.#mount}/${operation}/${this.#key}.`,
    );
  }
}

function base64(bytes) {
  return Buffer.from(bytes).toString("base64");
}
