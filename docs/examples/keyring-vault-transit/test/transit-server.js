import { createCipheriv, createDecipheriv, randomBytes } from "node:crypto";
import { createServer } from "node:http";

/** Vault's transit engine, as far as the keyring uses it: aes256-gcm96 keys with associated data. */
export async function startTransitServer(token) {
  const keys = new Map();
  const keyOf = (name) => keys.get(name) ?? keys.set(name, randomBytes(32)).get(name);
  const server = createServer(async (request, response) => {
    const answer = (status, body) =>
      response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
    if (request.headers["x-vault-token"] !== token) return answer(403, { errors: ["permission denied"] });
    const chunks = [];
    for await (const chunk of request) chunks.push(chunk);
    const body = JSON.parse(Buffer.concat(chunks).toString("utf8"));
    const [, operation, name] = /^\/v1\/transit\/(encrypt|decrypt)\/([^/]+)$/.exec(request.url ?? "") ?? [];
    const aad = Buffer.from(body.associated_data ?? "", "base64");
    if (operation === "encrypt") {
      const nonce = randomBytes(12);
      const cipher = createCipheriv("aes-256-gcm", keyOf(name), nonce).setAAD(aad);
      const sealed = [nonce, cipher.update(Buffer.from(body.plaintext, "base64")), cipher.final(), cipher.getAuthTag()];
      return answer(200, { data: { ciphertext: `vault:v1:${Buffer.concat(sealed).toString("base64")}` } });
    }
    const match = /^vault:v1:([A-Za-z0-9+/]+=*)$/.exec(body.ciphertext ?? "");
    const sealed = Buffer.from(match?.[1] ?? "", "base64");
    try {
      if (operation !== "decrypt" || sealed.toString("base64") !== match?.[1]) throw new Error("invalid ciphertext");
      const decipher = createDecipheriv("aes-256-gcm", keyOf(name), sealed.subarray(0, 12), { authTagLength: 16 });
      decipher.setAAD(aad).setAuthTag(sealed.subarray(-16));
      const plaintext = Buffer.concat([decipher.update(sealed.subarray(12, -16)), decipher.final()]);
      answer(200, { data: { plaintext: plaintext.toString("base64") } });
    } catch (error) {
      answer(400, { errors: [error.message] });
    }
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  const close = () => {
    server.closeAllConnections();
    return new Promise((resolve) => server.close(resolve));
  };
  return { address: `http://127.0.0.1:${server.address().port}/`, close };
}
