import { DEFAULT_INSTRUCTION_FILE_SUFFIX, instructionFileSuffix } from "@s3ec/envelope";
import { type Keyring, S3EncryptionError } from "@s3ec/materials";

export interface MultiKeyringChild {
  readonly keyring: Keyring;
  /**
   * Where its wrapped key goes: the object's key plus this, such as `.escrow`. One store holds one wrapped key, so each
   * child of a writer needs one of its own.
   */
  readonly instructionFileSuffix?: string;
}

/** A child with its suffix as it is stored (H16); none only where nothing is ever written. */
export interface ChildKeyring {
  readonly keyring: Keyring;
  readonly suffix: string | undefined;
}

/** Checks what could only fail once something is written or, worse, read. */
export function childKeyrings(children: readonly MultiKeyringChild[], canWrite: boolean): readonly ChildKeyring[] {
  const taken = new Set<string>();
  return children.map(({ keyring, instructionFileSuffix: given }) => {
    assertKeyring(keyring, "Each child");
    if (given === undefined) {
      if (!canWrite) return { keyring, suffix: undefined };
      throw new S3EncryptionError(
        "invalid-configuration",
        'Give each child an instructionFileSuffix, such as ".escrow": the default place holds the generator\'s wrapped key.',
      );
    }
    const suffix = instructionFileSuffix(given);
    if (suffix === DEFAULT_INSTRUCTION_FILE_SUFFIX || taken.has(suffix)) {
      throw new S3EncryptionError(
        "invalid-configuration",
        `The instruction file suffix "${suffix}" is taken: each wrapped key needs a place of its own, the generator's is "${DEFAULT_INSTRUCTION_FILE_SUFFIX}".`,
      );
    }
    taken.add(suffix);
    return { keyring, suffix };
  });
}

export function assertKeyring(keyring: Keyring, role: string): void {
  if (typeof keyring?.onEncrypt !== "function" || typeof keyring.onDecrypt !== "function") {
    throw new S3EncryptionError(
      "invalid-argument",
      `${role} must be a keyring: an object with onEncrypt and onDecrypt.`,
    );
  }
}
