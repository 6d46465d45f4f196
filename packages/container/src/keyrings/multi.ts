import { z } from "zod";
import { type KeyringDescriptor, keyringDescriptor } from "../keyring-descriptor.js";

export const multi: KeyringDescriptor = keyringDescriptor({
  type: "multi",
  schema: ({ keyring }) =>
    z.strictObject({
      generator: keyring.describe("Makes the data key. Without it the keyring only reads.").exactOptional(),
      children: z
        .array(
          z.strictObject({
            keyring,
            instructionFileSuffix: z
              .string()
              .min(1)
              .describe(
                "Where its wrapped key goes: the object's key plus this, such as .escrow. Needed to write objects; messages hold it themselves.",
              )
              .exactOptional(),
            decryptOnly: z
              .boolean()
              .describe("Only reads, such as the key that objects were written with before. Default false.")
              .exactOptional(),
          }),
        )
        .min(1)
        .describe("Each wraps the same data key, and can open the object without the others."),
    }),
  create: async ({ generator, children }, { createKeyring }) => {
    const { MultiKeyring } = await import("@s3ec/keyring-multi");
    const made = await Promise.all(
      children.map(async (child) => ({ ...child, keyring: await createKeyring(child.keyring) })),
    );
    return new MultiKeyring({
      ...(generator === undefined ? {} : { generator: await createKeyring(generator) }),
      children: made,
    });
  },
  explain: ({ generator, children }, role, explainKeyring) => [
    ...(generator === undefined ? [] : explainKeyring(generator, role)),
    ...children.flatMap(({ keyring, instructionFileSuffix: suffix, decryptOnly }) =>
      explainKeyring(keyring, "child").map((key) => ({
        ...key,
        ...(generator === undefined ? { readers: null, writing: null } : {}),
        ...(decryptOnly === true ? { writing: null } : {}),
        ...(suffix === undefined ? {} : { instructionFileSuffix: suffix }),
      })),
    ),
  ],
});
