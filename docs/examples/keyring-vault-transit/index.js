import { S3EncryptionError } from "@s3ec/materials";
import { z } from "zod";
import { vaultTransitKeyring } from "./vault-transit-keyring.js";

export { vaultTransitKeyring } from "./vault-transit-keyring.js";

/** What a configuration can name once it lists this package in `plugins`: `{ "type": "vault-transit", ... }`. */
export const keyrings = [
  {
    type: "vault-transit",
    schema: () =>
      z.strictObject({
        address: z.url().describe("Where Vault answers: https://vault.example.com:8200/"),
        key: z.string().min(1).describe("The transit key's name."),
        mount: z.string().min(1).exactOptional(),
        tokenEnv: z
          .string()
          .min(1)
          .describe("The environment variable that holds the token. Default VAULT_TOKEN.")
          .exactOptional(),
      }),
    create: ({ tokenEnv = "VAULT_TOKEN", ...options }) => {
      const token = process.env[tokenEnv];
      // Of other errors the container tells nothing, since they may hold a secret.
      if (token === undefined)
        throw new S3EncryptionError("invalid-configuration", `Set ${tokenEnv} to a Vault token.`);
      return vaultTransitKeyring({ ...options, token });
    },
    explain: ({ address, key }) => [
      {
        key: `the Vault transit key ${key} at ${address}`,
        readers: "whoever may decrypt with it in Vault",
        canRead: true,
        writing: "permission to encrypt with it",
      },
    ],
  },
];
