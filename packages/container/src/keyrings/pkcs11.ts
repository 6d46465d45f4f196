import { S3EncryptionError } from "@s3ec/materials";
import { z } from "zod";
import { type KeyringDescriptor, keyringDescriptor } from "../keyring-descriptor.js";
import { DESCRIPTION, described, MESSAGE_KEY, readOnly } from "./described-keys.js";

const KEY_NAMES = {
  keyLabel: z.string().min(1).describe("The label of the key in the token.").exactOptional(),
  keyId: z
    .string()
    .regex(/^(?:[0-9a-f]{2})+$/i, { error: "expected hex digits, two for each byte" })
    .describe("The id of the key in the token, in hex.")
    .exactOptional(),
};
type KeyNames = { readonly keyLabel?: string; readonly keyId?: string };
const hasName = ({ keyLabel, keyId }: KeyNames): boolean => keyLabel !== undefined || keyId !== undefined;
const NAMELESS = { error: "expected a keyLabel, a keyId, or both" };

export const pkcs11: KeyringDescriptor = keyringDescriptor({
  type: "pkcs11",
  asksKeyStore: true,
  schema: ({ secretText }) =>
    z
      .strictObject({
        module: z.string().min(1).describe("The path of the PKCS#11 library of the token's maker."),
        slot: z.int().nonnegative().describe("The slot's number.").exactOptional(),
        tokenLabel: z.string().min(1).describe("The label of the token, in whichever slot it is.").exactOptional(),
        ...KEY_NAMES,
        keyType: z
          .enum(["rsa", "aes"])
          .describe("Where keys of both kinds carry the same names. Default: what is found.")
          .exactOptional(),
        pin: secretText
          .describe("The PIN, as it is and not encoded. Without it an RSA key only writes.")
          .exactOptional(),
        materialDescription: DESCRIPTION.exactOptional(),
        messageKey: MESSAGE_KEY.exactOptional(),
        decryptionKeys: z
          .array(
            z
              .strictObject({
                ...KEY_NAMES,
                materialDescription: DESCRIPTION.exactOptional(),
                messageKey: MESSAGE_KEY.exactOptional(),
              })
              .refine(hasName, NAMELESS),
          )
          .describe("Former keys of the same token and kind, which only read.")
          .exactOptional(),
        maxSessions: z.int().positive().describe("Operations at a time. Default 4.").exactOptional(),
      })
      .refine(({ slot, tokenLabel }) => (slot === undefined) !== (tokenLabel === undefined), {
        error: "expected a slot or a tokenLabel, and not both",
      })
      .refine(hasName, NAMELESS),
  create: async ({ pin, ...options }, { onDispose }) => {
    const { Pkcs11Keyring } = await loadPackage();
    const keyring = await Pkcs11Keyring.open({ ...options, ...(pin === undefined ? {} : { pin: () => pin.export() }) });
    onDispose(() => keyring.close());
    return keyring;
  },
  explain: ({ slot, tokenLabel, pin, decryptionKeys = [], ...names }) => [
    {
      key: `the key ${named(names)} in the PKCS#11 token ${tokenLabel ?? `of slot ${slot}`}${described(names)}`,
      readers: "whoever can log into the token, or holds a copy of the key",
      canRead: pin !== undefined,
      writing:
        pin === undefined ? "the token, for the public key that it shows to everybody" : "the token, and its PIN",
    },
    ...decryptionKeys.map((entry) => readOnly(`key ${named(entry)} of the same token`, entry)),
  ],
});

function named({ keyLabel, keyId }: KeyNames): string {
  return [keyLabel, keyId === undefined ? undefined : `(id ${keyId})`].filter((each) => each !== undefined).join(" ");
}

/** The only built-in type whose package is not installed with this one: few need it, and it builds native code. */
async function loadPackage(): Promise<typeof import("@s3ec/keyring-pkcs11")> {
  try {
    return await import("@s3ec/keyring-pkcs11");
  } catch (error) {
    throw new S3EncryptionError(
      "invalid-configuration",
      "this keyring type is in a package of its own: npm install @s3ec/keyring-pkcs11 (with --global for a global s3ec)",
      { cause: error },
    );
  }
}
