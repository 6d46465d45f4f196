import { createPrivateKey, createSecretKey } from "node:crypto";
import { DecryptCommand, KMSClient } from "@aws-sdk/client-kms";
import { KmsKeyring } from "@s3ec/keyring-kms";
import { RawAesKeyring } from "@s3ec/keyring-raw-aes";
import { RawRsaKeyring } from "@s3ec/keyring-raw-rsa";
import type { Keyring } from "@s3ec/materials";
import {
  instructionFileToRead,
  type KmsAnswer,
  loadKeys,
  loadVectors,
  plaintextOf,
  readBody,
  type WrappingKey,
} from "@s3ec/test-vectors";

/** An object of an official client, with all that it takes to read it. */
export interface KnownObject {
  readonly id: string;
  readonly metadata: Readonly<Record<string, string>>;
  readonly file: { readonly suffix: string; readonly text: string } | undefined;
  readonly body: Uint8Array;
  readonly plaintext: Uint8Array;
  readonly encryptionContext: Readonly<Record<string, string>>;
  readonly keyring: Keyring;
}

const MAX_LENGTH = 2048;

/** The small ones of the test vectors that can be read without an opt-in of their own. */
export function knownObjects(): readonly KnownObject[] {
  const keys = loadKeys();
  return loadVectors().flatMap((vector) => {
    const key = keys[vector.material];
    if (vector.expect === "refuse" || vector.requires !== undefined) return [];
    if (key === undefined || vector.body.length > MAX_LENGTH) return [];
    const { id, metadata, encryptionContext = {} } = vector;
    const file = instructionFileToRead(vector);
    const keyring = keyringOf(key, vector.kms);
    return [{ id, metadata, file, body: readBody(vector), plaintext: plaintextOf(vector), encryptionContext, keyring }];
  });
}

function keyringOf(key: WrappingKey, answer: KmsAnswer | undefined): Keyring {
  switch (key.kind) {
    case "aes":
      return new RawAesKeyring({ wrappingKey: createSecretKey(Buffer.from(key.base64, "base64")) });
    case "rsa":
      return new RawRsaKeyring({
        privateKey: createPrivateKey({ key: Buffer.from(key.pkcs8Base64, "base64"), format: "der", type: "pkcs8" }),
      });
    case "kms":
      return new KmsKeyring({ keyId: key.arn, client: kmsThatAnswers(answer) });
  }
}

/** A KMS that knows one answer, and gives it to exactly its question. */
export function kmsThatAnswers(answer: KmsAnswer | undefined): KMSClient {
  const client = new KMSClient({ region: "us-west-2" });
  const send = async (command: unknown): Promise<object> => {
    const { input } = command instanceof DecryptCommand ? command : { input: undefined };
    const isTheQuestion =
      answer !== undefined &&
      input?.KeyId === answer.keyArn &&
      Buffer.from(answer.ciphertextBlob, "base64").equals(input.CiphertextBlob ?? new Uint8Array(0)) &&
      sorted(input.EncryptionContext ?? {}) === sorted(answer.encryptionContext);
    if (!isTheQuestion) throw Object.assign(new Error("no"), { name: "InvalidCiphertextException" });
    return { Plaintext: Buffer.from(answer.plaintextDataKey, "base64"), KeyId: answer.keyArn };
  };
  return Object.assign(client, { send });
}

function sorted(context: Readonly<Record<string, string>>): string {
  return JSON.stringify(Object.entries(context).sort(([a], [b]) => (a < b ? -1 : 1)));
}
