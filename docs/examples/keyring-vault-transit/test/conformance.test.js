import assert from "node:assert/strict";
import { keyrings, vaultTransitKeyring } from "@example/s3ec-keyring-vault-transit";
import { describeKeyring } from "@s3ec/keyring-conformance";
import { startTransitServer } from "./transit-server.js";

// As far as they matter to a keyring.
const MATERIALS = { suite: { wrapsNamedBy: "algorithm" }, algorithmBinding: "115", encryptedDataKeys: [] };

describe("the Vault transit keyring", () => {
  // VAULT_ADDR and VAULT_TOKEN point the same tests at a real Vault whose transit keys `app` and `other` exist.
  const { VAULT_ADDR, VAULT_TOKEN = "test-token" } = process.env;
  let address = VAULT_ADDR;
  let server;
  before(async () => {
    if (VAULT_ADDR !== undefined) return;
    server = await startTransitServer(VAULT_TOKEN);
    address = server.address;
  });
  after(() => server?.close());

  const keyring = (key, token = VAULT_TOKEN) => vaultTransitKeyring({ address, token, key });
  const formats = ["s3", "message"];
  describeKeyring("vault transit", { create: () => keyring("app"), createOther: () => keyring("other"), formats });

  it("says which permission is missing, and not the token", async () => {
    const error = await keyring("app", "wrong-token")
      .onEncrypt(MATERIALS)
      .catch((reason) => reason);
    assert.equal(error.code, "key-unavailable");
    assert.match(error.message, /transit\/encrypt\/app/);
    assert.doesNotMatch(error.message, /wrong-token/);
  });

  it("says in a configuration which variable is not set", () => {
    const [{ create }] = keyrings;
    const options = { address: "http://127.0.0.1:1/", key: "app", tokenEnv: "S3EC_TEST_NOT_SET" };
    assert.throws(() => create(options), { name: "S3EncryptionError", message: /S3EC_TEST_NOT_SET/ });
  });

  it("says that Vault cannot be reached", async () => {
    const nowhere = vaultTransitKeyring({ address: "http://127.0.0.1:1/", token: "t", key: "app" });
    const error = await nowhere.onEncrypt(MATERIALS).catch((reason) => reason);
    assert.equal(error.code, "key-unavailable");
  });
});
