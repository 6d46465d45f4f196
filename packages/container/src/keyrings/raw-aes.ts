import { z } from "zod";
import { type KeyringDescriptor, keyringDescriptor } from "../keyring-descriptor.js";
import { CBC_REWRAP, DESCRIPTION, described, MESSAGE_KEY, readOnly } from "./described-keys.js";

export const rawAes: KeyringDescriptor = keyringDescriptor({
  type: "raw-aes",
  schema: ({ aesKey }) =>
    z.strictObject({
      wrappingKey: aesKey,
      materialDescription: DESCRIPTION.exactOptional(),
      messageKey: MESSAGE_KEY.exactOptional(),
      decryptionKeys: z
        .array(
          z.strictObject({
            wrappingKey: aesKey,
            materialDescription: DESCRIPTION.exactOptional(),
            messageKey: MESSAGE_KEY.exactOptional(),
          }),
        )
        .exactOptional(),
      enableCbcRewrapBoundToGcm: CBC_REWRAP.exactOptional(),
    }),
  create: async (configuration) => {
    const { RawAesKeyring } = await import("@s3ec/keyring-raw-aes");
    return new RawAesKeyring(configuration);
  },
  explain: ({ wrappingKey, decryptionKeys = [], ...names }) => [
    {
      key: `the AES-${(wrappingKey.symmetricKeySize ?? 0) * 8} key${described(names)}`,
      readers: "whoever holds this key",
      canRead: true,
      writing: "the key itself, which this configuration has",
    },
    ...decryptionKeys.map((entry) => readOnly("AES key", entry)),
  ],
});
