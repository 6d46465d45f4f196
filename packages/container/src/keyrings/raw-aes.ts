import { z } from "zod";
import { type KeyringDescriptor, keyringDescriptor } from "../keyring-descriptor.js";
import { CBC_REWRAP, described, HAS_ALIAS, RAW_KEY_NAMES, readOnly, withAliases } from "./described-keys.js";

export const rawAes: KeyringDescriptor = keyringDescriptor({
  type: "raw-aes",
  schema: ({ aesKey }) => {
    const key = { wrappingKey: aesKey, ...RAW_KEY_NAMES };
    return z
      .strictObject({
        ...key,
        decryptionKeys: z.array(z.strictObject(key).refine(...HAS_ALIAS)).exactOptional(),
        enableCbcRewrapBoundToGcm: CBC_REWRAP.exactOptional(),
      })
      .refine(...HAS_ALIAS);
  },
  create: async (configuration) => {
    const { RawAesKeyring } = await import("@s3ec/keyring-raw-aes");
    return new RawAesKeyring(withAliases(configuration));
  },
  explain: (configuration) => {
    const { wrappingKey, decryptionKeys = [], ...names } = withAliases(configuration);
    return [
      {
        key: `the AES-${(wrappingKey.symmetricKeySize ?? 0) * 8} key${described(names)}`,
        readers: "whoever holds this key",
        canRead: true,
        writing: "the key itself, which this configuration has",
      },
      ...decryptionKeys.map((entry) => readOnly("AES key", entry)),
    ];
  },
});
