import assert from "node:assert/strict";
import {
  type AlgorithmSuite,
  type DecryptionMaterials,
  type EncryptedDataKey,
  type EncryptionMaterials,
  type Keyring,
  type StringMap,
  stringMap,
} from "@s3ec/materials";
import { type Format, SUITES } from "./suites.js";

/** Makes a keyring; every call must give one with the same wrapping key. */
export type MakeKeyring = () => Keyring | Promise<Keyring>;

/** How keyrings are made, and what is special about them. */
export interface SubjectOptions {
  /** The keyring to test. */
  readonly create: MakeKeyring;
  /** One of the same kind with another wrapping key. Leaves out a check when it is missing. */
  readonly createOther?: MakeKeyring;
  /** For a keyring that only reads: one that writes what it reads. */
  readonly createWriter?: MakeKeyring;
  /** For a keyring that only writes: one that reads what it writes. */
  readonly createReader?: MakeKeyring;
  /**
   * Context to write and read with. Default: two entries for keyrings that bind a context, and in messages; otherwise
   * none.
   */
  readonly encryptionContext?: Readonly<Record<string, string>>;
  /**
   * Whether its wraps of a key provider of the AWS Encryption SDK, in messages, bind the encryption context, as those of
   * AES and KMS do and those of RSA cannot. Default true.
   */
  readonly bindsContextOfMessages?: boolean;
  /** How many encrypted data keys it adds to an object; more than 1 for a keyring made of keyrings only. Default 1. */
  readonly encryptedDataKeys?: number;
  /** Secret bytes, such as the wrapping key, that must not be printed either. Default: none. */
  readonly secrets?: readonly Uint8Array[];
}

export interface Check {
  readonly title: string;
  appliesTo(options: SubjectOptions): boolean;
  run(subject: Subject): Promise<void>;
}

export const writes = ({ createWriter }: SubjectOptions): boolean => createWriter === undefined;
export const reads = ({ createReader }: SubjectOptions): boolean => createReader === undefined;

/** A keyring under test, with the one that writes for it and the one that reads what was written. */
export class Subject {
  readonly options: SubjectOptions;
  readonly keyring: Keyring;
  readonly writer: Keyring;
  readonly reader: Keyring;
  readonly context: StringMap;
  readonly count: number;
  /** Of the format that the keyring is tested for. */
  readonly suites: readonly AlgorithmSuite[];
  readonly suite: AlgorithmSuite;
  readonly format: Format;

  private constructor(
    options: SubjectOptions,
    format: Format,
    keyrings: Record<"keyring" | "writer" | "reader", Keyring>,
  ) {
    const { keyring, writer, reader } = keyrings;
    this.options = options;
    this.format = format;
    this.suites = SUITES[format];
    [this.suite] = SUITES[format];
    this.keyring = keyring;
    this.writer = writer;
    this.reader = reader;
    const bindsContext = keyring.wrapAlgorithms.some((entry) => entry.describedBy === "encryption-context");
    const usual = bindsContext || this.suite.authenticatesContext ? { tenant: "a", purpose: "conformance" } : {};
    this.context = stringMap(Object.entries(options.encryptionContext ?? usual));
    this.count = options.encryptedDataKeys ?? 1;
  }

  static async make(options: SubjectOptions, format: Format): Promise<Subject> {
    const { create, createWriter = create, createReader = create } = options;
    const keyrings = { keyring: await create(), writer: await createWriter(), reader: await createReader() };
    for (const keyring of Object.values(keyrings)) assertKeyring(keyring);
    return new Subject(options, format, keyrings);
  }

  /** Not frozen, unlike what a client passes, so that a keyring that changes its input fails the check for that alone. */
  toEncrypt(suite: AlgorithmSuite = this.suite): EncryptionMaterials {
    return {
      suite,
      algorithmBinding: suite.storedName,
      encryptionContext: this.context,
      encryptedDataKeys: [],
    };
  }

  toDecrypt(suite: AlgorithmSuite = this.suite): DecryptionMaterials {
    return { suite, algorithmBinding: suite.storedName, encryptionContext: this.context };
  }

  /** Has the writer write; what it answers is looked at by the checks that are about that. */
  async write(suite: AlgorithmSuite = this.suite): Promise<Written> {
    return written(await this.writer.onEncrypt(this.toEncrypt(suite)));
  }
}

function assertKeyring(keyring: Partial<Keyring> | undefined): void {
  const { wrapAlgorithms, onEncrypt, onDecrypt } = keyring ?? {};
  assert(
    Array.isArray(wrapAlgorithms) && typeof onEncrypt === "function" && typeof onDecrypt === "function",
    "create, and createWriter and createReader, must give a keyring: wrapAlgorithms, onEncrypt and onDecrypt.",
  );
}

export interface Written {
  readonly materials: EncryptionMaterials;
  readonly dataKey: NonNullable<EncryptionMaterials["dataKey"]>;
  readonly encryptedDataKeys: readonly EncryptedDataKey[];
}

export function written(materials: EncryptionMaterials): Written {
  const { dataKey, encryptedDataKeys } = materials;
  assert(dataKey !== undefined, "onEncrypt must answer with a data key.");
  assert(encryptedDataKeys.length > 0, "onEncrypt must add an encrypted data key.");
  return { materials, dataKey, encryptedDataKeys };
}

/** Asserts that the answer holds this data key. */
export function assertOpened(opened: DecryptionMaterials | null, dataKey: Written["dataKey"]): void {
  assert(opened !== null, "onDecrypt answered null to an encrypted data key of its own.");
  assert(opened.dataKey !== undefined, "onDecrypt answered without a data key.");
  assert(opened.dataKey.equals(dataKey), "onDecrypt answered with another data key than was wrapped.");
}
