import {
  assertMayDecrypt,
  type ContentKey,
  classifyEnvelope,
  type DecryptionPolicy,
  type Envelope,
  openContentKey,
  type StringMap,
  stringMap,
} from "@s3ec/envelope";
import { DefaultMaterialsManager, type Keyring, S3EncryptionError } from "@s3ec/materials";

/** Everything that can be allowed by a switch that is not a keyring's. */
export const ALLOW_ALL: DecryptionPolicy = {
  commitmentPolicy: "REQUIRE_ENCRYPT_ALLOW_DECRYPT",
  enableLegacyUnauthenticatedModes: true,
  enableLegacyWrappingAlgorithms: true,
};

interface Stored {
  readonly metadata: Readonly<Record<string, string>>;
  readonly file: { readonly suffix: string; readonly text: string } | undefined;
  readonly keyring: Keyring;
  readonly encryptionContext: Readonly<Record<string, string>>;
}

/** From what is stored to the key of the content, by the same steps as the client's. */
export async function openStored(
  { metadata, file, keyring, encryptionContext }: Stored,
  policy: DecryptionPolicy,
  preferInstructionFile: boolean,
): Promise<{ readonly envelope: Envelope; readonly content: ContentKey }> {
  const classified = classifyEnvelope(metadata, { preferInstructionFile });
  if (classified.placement === "instruction-file" && file === undefined) {
    throw new S3EncryptionError("not-encrypted", "There is no instruction file.");
  }
  const envelope =
    classified.placement === "metadata" ? classified.envelope : classified.complete(file ?? { suffix: "", text: "" });
  assertMayDecrypt(envelope, policy, keyring.wrapAlgorithms);
  const { dataKey } = await new DefaultMaterialsManager(keyring).getDecryptionMaterials({
    suite: envelope.suite,
    algorithmBinding: envelope.algorithmBinding,
    commitmentPolicy: policy.commitmentPolicy,
    encryptionContext: contextOf(encryptionContext),
    encryptedDataKeys: [envelope.encryptedDataKey],
  });
  return { envelope, content: openContentKey(envelope, dataKey) };
}

export function contextOf(context: Readonly<Record<string, string>>): StringMap {
  return stringMap(Object.entries(context));
}
