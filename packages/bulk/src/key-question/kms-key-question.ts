import type { KMSClient } from "@aws-sdk/client-kms";
import { CONTEXT_KMS_KEY_ID } from "@s3ec/envelope";
import { isError, S3EncryptionError } from "@s3ec/materials";
import type { KeyQuestion, Need } from "./key-question.js";

/** A KMS key, and whether it is asked. */
export interface KmsKeyQuestionOptions {
  /** The key's ARN: what an alias stands for may change while an audit runs. */
  readonly keyArn: string;
  /**
   * Asks KMS about each wrapped key, by a dry run of `Decrypt` with the key and the stored context: nothing is opened. Default:
   * nobody is asked, so that only what is stored of a key can say `yes`, and nothing can say `no` of a KMS wrap.
   */
  readonly client?: Pick<KMSClient, "send">;
  /** Whether a key that is named beside the wrap makes a `yes` without a question. A reader is told `false`. Default true. */
  readonly believesHints?: boolean;
  /** Sent with each question, for grants that have not spread yet. Default: none. */
  readonly grantTokens?: readonly string[];
}

/** Asks about a KMS key. A `no` is only a wrap for keys of another kind, or KMS's own word that another key made it. */
export function kmsKeyQuestion(options: KmsKeyQuestionOptions): KeyQuestion {
  const { keyArn, client, believesHints = true, grantTokens = [] } = options;
  const isNamed = (text: string | undefined): boolean =>
    text === keyArn || (text !== undefined && text !== "" && keyArn.endsWith(`:key/${text}`));
  return {
    async needs({ wrapAlgorithm, description, ciphertext }, wrappingKey) {
      if (wrapAlgorithm.keyKind === "other") return "unknown";
      if (wrapAlgorithm.keyKind !== "kms") return "no";
      if (believesHints && (isNamed(wrappingKey) || isNamed(description[CONTEXT_KMS_KEY_ID]))) return "yes";
      if (client === undefined) return "unknown";
      const { DecryptCommand } = await import("@aws-sdk/client-kms");
      const command = new DecryptCommand({
        KeyId: keyArn,
        CiphertextBlob: ciphertext,
        EncryptionContext: { ...description },
        DryRun: true,
        ...(grantTokens.length === 0 ? {} : { GrantTokens: [...grantTokens] }),
      });
      return await client.send(command).then(
        // A store that knows no dry run has opened it.
        (): Need => "yes",
        (error: unknown) => answerOf(error),
      );
    },
  };
}

/** Whether a KMS key is named by its ARN, which names no other one tomorrow. */
export function isKmsKeyArn(keyId: string): boolean {
  return /^arn:[^:]+:kms:[^:]+:\d+:key\//.test(keyId);
}

/**
 * The ARN of a KMS key that may be named by an alias or an id: what an alias stands for now, since it may stand for another key tomorrow.
 *
 * @throws S3EncryptionError `key-unavailable` where KMS does not say; KMS's own errors
 */
export async function kmsKeyArn(client: Pick<KMSClient, "send">, keyId: string): Promise<string> {
  if (isKmsKeyArn(keyId)) return keyId;
  try {
    const { DescribeKeyCommand } = await import("@aws-sdk/client-kms");
    const { KeyMetadata } = await client.send(new DescribeKeyCommand({ KeyId: keyId }));
    if (KeyMetadata?.Arn !== undefined) return KeyMetadata.Arn;
  } catch (error) {
    if (!isError(error) || !["AccessDeniedException", "NotFoundException"].includes(error.name)) throw error;
  }
  throw new S3EncryptionError(
    "key-unavailable",
    `KMS does not say which key ${keyId} is: allow kms:DescribeKey on it, or name the key by its ARN.`,
  );
}

/** A disabled key, a missing permission, an altered blob or context: none of it says that the key is not needed. */
function answerOf(error: unknown): Need {
  if (!isError(error)) return "unknown";
  if (error.name === "DryRunOperationException") return "yes";
  return error.name === "IncorrectKeyException" ? "no" : "unknown";
}
