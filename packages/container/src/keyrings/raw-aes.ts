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

export const rawAes: KeyringDescriptor = keyringDescriptor({
  type: "raw-aes",
  schema: ({ aesKey }) => {
    const key = { wrappingKey: aesKey, ...RAW_KEY_NAMES };
    return z
      .strictObject({
        ...key,
        decryptionKeys: z
          .array(
            z
              .strictObject(key)
              .refine(...HAS_ALIAS)
              .refine(...HAS_VERSION),
          )
          .exactOptional(),
        enableCbcRewrapBoundToGcm: CBC_REWRAP.exactOptional(),
      })
      .refine(...HAS_ALIAS)
      .refine(...HAS_VERSION);
  },
  create: async (configuration) => {
    const { RawAesKeyring } = await import("@s3ec/keyring-raw-aes");
    return new RawAesKeyring(withNotedNames(configuration));
  },
  explain: (configuration) => {
    const { wrappingKey, decryptionKeys = [], ...names } = withNotedNames(configuration);
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
