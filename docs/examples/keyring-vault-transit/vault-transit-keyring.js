import { decryptionFailed, defineKeyring, S3EncryptionError } from "@s3ec/materials";

/**
 * Wraps data keys with a key of Vault's transit engine, which never leaves Vault. The key must be of an AEAD type
 * (`aes256-gcm96`, `chacha20-poly1305`): the content algorithm goes along as associated data, so that a wrapped
 * key cannot be moved under another one (S2).
 *
 * @param {{ address: string, token: string, key: string, mount?: string }} options
 */
export function vaultTransitKeyring(options) {
  const ask = transitClient(options);
  return defineKeyring({
    // Under this name objects say that Vault wrapped their key. Yours must not be an official one.
    name: "vault:transit/v1",
    wrap: async (dataKey, binding) => {
      const { ciphertext } = await ask("encrypt", { plaintext: base64(dataKey), associated_data: base64(binding) });
      return Buffer.from(ciphertext, "utf8");
    },
    unwrap: async (wrapped, binding) => {
      const ciphertext = Buffer.from(wrapped).toString("utf8");
      const { plaintext } = await ask("decrypt", { ciphertext, associated_data: base64(binding) });
      return Buffer.from(plaintext, "base64");
    },
  });
}

function transitClient({ address, token, key, mount = "transit" }) {
  const server = new URL(address);
  return async (operation, body) => {
    let response;
    try {
      response = await fetch(new URL(`v1/${mount}/${operation}/${encodeURIComponent(key)}`, server), {
        method: "POST",
        headers: { "x-vault-token": token, "content-type": "application/json" },
        body: JSON.stringify(body),
      });
    } catch (cause) {
      throw new S3EncryptionError("key-unavailable", "Vault cannot be reached; check its address.", { cause });
    }
    const answer = await response.json().catch(() => ({}));
    if (response.ok) return answer.data;
    // 400 depends on the stored bytes, so it must look like every other failure of unwrapping (S16).
    if (operation === "decrypt" && response.status === 400) throw decryptionFailed(answer.errors);
    throw new S3EncryptionError(
      "key-unavailable",
      `Vault refused to ${operation} with the transit key "${key}" (status ${response.status}); the token needs update on ${mount}/${operation}/${key}.`,
    );
  };
}

function base64(bytes) {
  return Buffer.from(bytes).toString("base64");
}
