import { createHash, createPublicKey, type KeyObject } from "node:crypto";
import { z } from "zod";
import { type KeyringDescriptor, keyringDescriptor } from "../keyring-descriptor.js";
import {
  CBC_REWRAP,
  described,
  HAS_ALIAS,
  HAS_VERSION,
  RAW_KEY_NAMES,
  readOnly,
  withNotedNames,
} from "./described-keys.js";

export const rawRsa: KeyringDescriptor = keyringDescriptor({
  type: "raw-rsa",
  schema: ({ weakRsaPrivateKey, rsaPublicKey }) => {
    return z
      .strictObject({
        privateKey: weakRsaPrivateKey.exactOptional(),
        publicKey: rsaPublicKey.exactOptional(),
        ...RAW_KEY_NAMES,
        oaepHash: z
          .enum(["sha1", "sha256", "sha384", "sha512"])
          .describe("Digest of OAEP wraps in messages, which do not store it. Default sha256.")
          .exactOptional(),
        decryptionKeys: z
          .array(
            z
              .strictObject({ privateKey: weakRsaPrivateKey, ...RAW_KEY_NAMES })
              .refine(...HAS_ALIAS)
              .refine(...HAS_VERSION),
          )
          .exactOptional(),
        enableUnpaddedRsa: z
          .boolean()
          .describe("DANGEROUS: reads data keys that an old Java client wrapped with textbook RSA. For one migration.")
          .exactOptional(),
        enableWeakKeysForReading: z
          .boolean()
          .describe("DANGEROUS: takes private keys of 1024 to 2047 bits, to read. For one migration.")
          .exactOptional(),
        enableCbcRewrapBoundToGcm: CBC_REWRAP.exactOptional(),
      })
      .refine(({ privateKey, publicKey }) => privateKey !== undefined || publicKey !== undefined, {
        error: "expected a publicKey (to write), a privateKey (to read), or both",
      })
      .refine(...HAS_ALIAS)
      .refine(...HAS_VERSION);
  },
  create: async (configuration) => {
    const { RawRsaKeyring } = await import("@s3ec/keyring-raw-rsa");
    return new RawRsaKeyring(withNotedNames(configuration));
  },
  explain: (configuration) => {
    const { privateKey, publicKey, decryptionKeys = [], ...names } = withNotedNames(configuration);
    const key = `the RSA key ${fingerprint(publicKey ?? privateKey)}${described(names)}`;
    const origin = publicKey === undefined ? " as part of the private one" : "";
    const former = decryptionKeys.map((entry) => readOnly("RSA key", entry));
    if (privateKey !== undefined && isWeak(privateKey)) {
      return [{ key, readers: null, canRead: true, writing: null }, ...former];
    }
    return [
      {
        key,
        readers: "whoever holds its private key",
        canRead: privateKey !== undefined,
        writing: `its public key, which this configuration has${origin}`,
      },
      ...former,
    ];
  },
});

/** Such a key reads, where it is let, and never writes. */
function isWeak({ asymmetricKeyDetails: { modulusLength = 0 } = {} }: KeyObject): boolean {
  return modulusLength < 2048;
}

/** Names a key without a file name that may be wrong: SHA-256 of the public key (SPKI), as OpenSSH and pinning do. */
function fingerprint(key: KeyObject | undefined): string {
  if (key === undefined) return "";
  const publicKey = key.type === "private" ? createPublicKey(key) : key;
  const spki = publicKey.export({ type: "spki", format: "der" });
  return `SHA256:${createHash("sha256").update(spki).digest("hex").slice(0, 16)}`;
}
