import { DEFAULT_INSTRUCTION_FILE_SUFFIX, instructionFileSuffix } from "@s3ec/envelope";
import { assertKnownOptions, type Keyring, type OptionNames, S3EncryptionError } from "@s3ec/materials";

/** A keyring beside the generator. */
export interface MultiKeyringChild {
  /** Wraps the data key that the generator made. */
  readonly keyring: Keyring;
  /**
   * Where its wrapped key goes: the object's key plus this, such as `.escrow`. One store holds one wrapped key, so each
   * child of a writer needs one of its own. Only a keyring that writes nothing but messages, which hold all of their
   * wrapped keys, can do without.
   */
  readonly instructionFileSuffix?: string;
  /** Only reads, such as the key that objects were written with before: nothing is wrapped with it. Default false. */
  readonly decryptOnly?: boolean;
}

const CHILD: OptionNames<MultiKeyringChild> = {
  keyring: true,
  instructionFileSuffix: true,
  decryptOnly: true,
};

/** A child with its suffix as it is stored (H16); without one it can have a part in messages only, and read. */
export interface ChildKeyring {
  readonly keyring: Keyring;
  /** Position among the children, from 0. */
  readonly index: number;
  readonly suffix: string | undefined;
  /** Has no part in writing. */
  readonly decryptOnly: boolean;
}

/** Checks what could only fail once something is written or, worse, read. */
export function childKeyrings(children: readonly MultiKeyringChild[]): readonly ChildKeyring[] {
  const taken = new Set<string>();
  return children.map((child, index) => {
    if (isKeyring(child)) {
      throw new S3EncryptionError(
        "invalid-argument",
        `children[${index}] is a keyring itself: pass { keyring, instructionFileSuffix }, such as ".escrow".`,
      );
    }
    assertKnownOptions(child, CHILD, `children[${index}]`);
    const { keyring, instructionFileSuffix: given, decryptOnly = false } = child;
    // Texts are true, "false" among them.
    if (typeof decryptOnly !== "boolean") {
      throw new S3EncryptionError("invalid-argument", `children[${index}].decryptOnly must be true or false.`);
    }
    assertKeyring(keyring, "Each child");
    if (given === undefined) return { keyring, index, suffix: undefined, decryptOnly };
    const suffix = instructionFileSuffix(given);
    if (suffix === DEFAULT_INSTRUCTION_FILE_SUFFIX || taken.has(suffix)) {
      throw new S3EncryptionError(
        "invalid-configuration",
        `The instruction file suffix "${suffix}" is taken: each wrapped key needs a place of its own, the generator's is "${DEFAULT_INSTRUCTION_FILE_SUFFIX}".`,
      );
    }
    taken.add(suffix);
    return { keyring, index, suffix, decryptOnly };
  });
}

/** Throws `invalid-configuration` where a child's wrapped key would have no place beside the object. */
export function assertPlaces(children: readonly ChildKeyring[]): void {
  if (children.every(({ suffix, decryptOnly }) => suffix !== undefined || decryptOnly)) return;
  throw new S3EncryptionError(
    "invalid-configuration",
    'Give each child an instructionFileSuffix, such as ".escrow": the default place holds the generator\'s wrapped key.',
  );
}

export function assertKeyring(keyring: Keyring, role: string): void {
  if (isKeyring(keyring)) return;
  throw new S3EncryptionError(
    "invalid-argument",
    `${role} must be a keyring: an object with onEncrypt, onDecrypt and wrapAlgorithms.`,
  );
}

function isKeyring(value: object): boolean {
  const { onEncrypt, onDecrypt, wrapAlgorithms }: Partial<Keyring> = value ?? {};
  return typeof onEncrypt === "function" && typeof onDecrypt === "function" && Array.isArray(wrapAlgorithms);
}
