import { AWS_KMS_PROVIDER } from "@s3ec/envelope";
import { S3EncryptionError, type StringMap, type Wrap } from "@s3ec/materials";
import { isSameKey, type KmsKeyArn, parseKeyArn } from "./key-arn.js";
import { isOfAnotherKey } from "./kms-errors.js";
import { decryptBlob, encryptDataKey, generateDataKey, type KmsKey, unexpectedAnswer } from "./kms-operations.js";

/**
 * The KMS wrap of the AWS Encryption SDK, to read: bound to the encryption context as it is, with the key's ARN beside it.
 *
 * @param keyOf the key to open with what the key of this ARN wrapped; undefined where that is not for this keyring
 */
export function readMessageWrap(keyOf: (arn: KmsKeyArn, text: string) => KmsKey | undefined): Wrap {
  return {
    algorithm: AWS_KMS_PROVIDER,
    unwrap: async ({ providerInfo = new Uint8Array(0), ciphertext }, _expected, { encryptionContext }) => {
      const text = Buffer.from(providerInfo).toString();
      const arn = parseKeyArn(text);
      const key = arn === undefined ? undefined : keyOf(arn, text);
      if (arn === undefined || key === undefined) return null;
      try {
        const { plaintext, keyArn } = await decryptBlob(key, encryptionContext, ciphertext);
        const answered = parseKeyArn(keyArn);
        if (answered !== undefined && isSameKey(answered, arn)) return plaintext;
        plaintext.fill(0);
        return undefined;
      } catch (error) {
        // An alias may stand for any key: that it is another one is known only now.
        if (key.keyId.includes("alias/") && isOfAnotherKey(error)) return null;
        throw error;
      }
    },
  };
}

/** The same, to write. */
export function writeMessageWrap(key: KmsKey): Required<Pick<Wrap, "wrap" | "generate">> {
  return {
    wrap: async (dataKey, _binding, { encryptionContext }) => {
      assertBindable(encryptionContext);
      const { blob, keyArn } = await encryptDataKey(key, encryptionContext, dataKey);
      return { ciphertext: blob, providerInfo: arnToStore(keyArn, "Encrypt") };
    },
    generate: async (_binding, { suite, encryptionContext }) => {
      assertBindable(encryptionContext);
      const [NumberOfBytes = 32] = suite.dataKeyLengths;
      const { plaintext, blob, keyArn } = await generateDataKey(key, encryptionContext, { NumberOfBytes });
      return { dataKey: plaintext, ciphertext: blob, providerInfo: arnToStore(keyArn, "GenerateDataKey") };
    },
  };
}

/** The SDK's serializer would drop the name and so leave it unbound. */
function assertBindable(encryptionContext: StringMap): void {
  if (!Object.hasOwn(encryptionContext, "__proto__")) return;
  throw new S3EncryptionError(
    "invalid-argument",
    '"__proto__" is a reserved name: leave it out of the encryption context.',
  );
}

function arnToStore(keyArn = "", operation: string): Uint8Array {
  if (parseKeyArn(keyArn) === undefined) throw unexpectedAnswer(operation);
  return Buffer.from(keyArn);
}
