import { type EncryptedDataKey, type Keyring, S3EncryptionError } from "@s3ec/materials";

/**
 * What each keyring is to be asked to open. A wrapped key that opens with any key of its kind goes to the one keyring whose
 * description selects it, or else to the only one that has such a key: trying would find the first, not the right one.
 * Throws `invalid-configuration` where neither tells which. Uses no key.
 */
export function withoutGuessing(
  keyrings: readonly Keyring[],
  encryptedDataKeys: readonly EncryptedDataKey[],
): (keyring: Keyring) => readonly EncryptedDataKey[] {
  const chosen = new Map<EncryptedDataKey, Keyring>();
  for (const each of encryptedDataKeys) {
    const matches = keyrings.flatMap((keyring) =>
      (keyring.blindMatches?.(each) ?? []).map((match) => ({ keyring, match })),
    );
    const selected = matches.filter(({ match }) => match === "selected");
    const [first, ...others] = selected.length > 0 ? selected : matches;
    if (others.length > 0) throw cannotTell(each);
    if (first !== undefined) chosen.set(each, first.keyring);
  }
  return (keyring) => encryptedDataKeys.filter((each) => (chosen.get(each) ?? keyring) === keyring);
}

function cannotTell({ wrapAlgorithm }: EncryptedDataKey): S3EncryptionError {
  return new S3EncryptionError(
    "invalid-configuration",
    `The wrap of this object (${wrapAlgorithm.name}) opens with any key of its kind, so which of the multi-keyring's keys is the right one cannot be found by trying: read the object with that key's keyring alone, or give that keyring the materialDescription that the object carries.`,
  );
}
