import { type AuditReader, type KeyQuestion, kmsKeyArn, kmsKeyQuestion, rawKeyQuestion } from "@s3ec/bulk";
import { type CreateOptions, createFromConfig } from "@s3ec/container";
import { isSameWrapAlgorithm, type Keyring, S3EncryptionError } from "@s3ec/materials";
import { kmsAt } from "./kms-at.js";
import { warn } from "./printing.js";

/** Which configuration an audit asks about, as a reader. */
export interface ReadableByOptions {
  readonly readableBy?: string;
  readonly readableByUse?: string;
  readonly askKms?: boolean;
  readonly allowCommands?: boolean;
}

/** What it reads, and what it is called. */
export interface AskedReader {
  readonly reader: AuditReader;
  readonly name: string;
  readonly dispose: () => Promise<void>;
}

type Fields = Readonly<Record<string, unknown>>;

/**
 * A configuration as a reader. Throws `invalid-argument` for one that reads no S3 formats; `key-unavailable` where KMS is to be asked
 * and does not say what an alias stands for.
 */
export async function askedReader(
  options: ReadableByOptions,
  services: Pick<CreateOptions, "s3" | "kms">,
): Promise<AskedReader | undefined> {
  const { readableBy: file, readableByUse: use, askKms = false, allowCommands = false } = options;
  if (file === undefined) return undefined;
  const loading = { ...services, ...(use === undefined ? {} : { use }), allowCommands, onWarning: warn };
  const { configuration, keyring, materialsManager, dispose } = await createFromConfig(file, loading);
  const opened: (() => void | Promise<void>)[] = [dispose];
  const disposeAll = async (): Promise<void> => {
    for (const close of [...opened].reverse()) await close();
  };
  /** Of each key of a keyring, a question; of what cannot be asked about, that nothing is known. */
  const questionsOf = async (configured: Fields, made: Keyring): Promise<KeyQuestion[]> => {
    const { type, keyId, formerKeyIds = [], region, grantTokens } = configured;
    if (type === "multi") {
      const children = (configured.children ?? []) as readonly { readonly keyring: Fields }[];
      const inside = [configured.generator, ...children.map((child) => child.keyring)].filter(Boolean) as Fields[];
      const parts = made.parts ?? [];
      return (await Promise.all(inside.map((each, index) => questionsOf(each, parts[index]?.keyring ?? made)))).flat();
    }
    if (type === "raw-aes" || type === "raw-rsa") {
      // By trying alone: a description says nothing of whether the key is here.
      return [rawKeyQuestion({ keyring: made, keyKind: type === "raw-aes" ? "aes" : "rsa" })];
    }
    if (type !== "kms" || !askKms || typeof keyId !== "string") return [nothingKnown(made)];
    const client = kmsAt({ ...configuration.kms, ...services.kms }, keyId, region);
    opened.push(() => client.destroy());
    const tokens = Array.isArray(grantTokens) ? { grantTokens: grantTokens as string[] } : {};
    const ids = [keyId, ...(formerKeyIds as string[])];
    return await Promise.all(
      ids.map(async (id) =>
        kmsKeyQuestion({ keyArn: await kmsKeyArn(client, id), client, believesHints: false, ...tokens }),
      ),
    );
  };
  try {
    const { client = {} } = configuration;
    const s3 = client.formats === undefined ? client : client.formats.find(({ type }) => type === "s3");
    if (s3 === undefined) {
      throw new S3EncryptionError(
        "invalid-argument",
        `--readable-by asks about objects of the S3 formats, and ${file} reads none: add { "type": "s3" } to its client.formats.`,
      );
    }
    const { enableLegacyUnauthenticatedModes, enableLegacyWrappingAlgorithms } = s3 as Fields;
    const chosenByObject = configuration.keyring === undefined || choosesByObject(configuration.materialsManager);
    const questions = chosenByObject ? undefined : await questionsOf(configuration.keyring as Fields, keyring);
    const reader: AuditReader = {
      commitmentPolicy: client.commitmentPolicy ?? "REQUIRE_ENCRYPT_REQUIRE_DECRYPT",
      enableLegacyUnauthenticatedModes: enableLegacyUnauthenticatedModes === true,
      enableLegacyWrappingAlgorithms: enableLegacyWrappingAlgorithms === true,
      wrapAlgorithms: materialsManager.wrapAlgorithms,
      ...(questions === undefined ? {} : { keyQuestions: questions }),
    };
    return { reader, name: use === undefined ? file : `${file}#${use}`, dispose: disposeAll };
  } catch (error) {
    await disposeAll();
    throw error;
  }
}

function nothingKnown({ wrapAlgorithms }: Keyring): KeyQuestion {
  return {
    needs: async ({ wrapAlgorithm }) =>
      wrapAlgorithms.some((entry) => isSameWrapAlgorithm(entry, wrapAlgorithm)) ? "unknown" : "no",
  };
}

function choosesByObject(manager: unknown): boolean {
  for (let each = manager; typeof each === "object" && each !== null; each = Reflect.get(each, "manager")) {
    if (Reflect.get(each, "type") === "by-object") return true;
  }
  return false;
}
