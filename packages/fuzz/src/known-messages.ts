import { createPrivateKey, createSecretKey } from "node:crypto";
import { KmsKeyring } from "@s3ec/keyring-kms";
import { RawAesKeyring } from "@s3ec/keyring-raw-aes";
import { type OaepHash, RawRsaKeyring } from "@s3ec/keyring-raw-rsa";
import { DefaultMaterialsManager, type Keyring, type MaterialsManager } from "@s3ec/materials";
import {
  type KmsAnswer,
  loadMessageKeyrings,
  loadMessages,
  type MessageKeyring,
  plaintextOf,
  readMessage,
} from "@s3ec/test-vectors";
import { kmsThatAnswers } from "./known-objects.js";

/** A message of one of the AWS Encryption SDKs, with all that it takes to read it. */
export interface KnownMessage {
  readonly id: string;
  readonly bytes: Uint8Array;
  readonly plaintext: Uint8Array;
  readonly encryptionContext: Readonly<Record<string, string>>;
  readonly managers: readonly MaterialsManager[];
}

const MAX_LENGTH = 4096;

export function knownMessages(): readonly KnownMessage[] {
  const keyrings = loadMessageKeyrings();
  return loadMessages().flatMap((vector) => {
    if (vector.expect === "refuse" || vector.requires !== undefined || vector.message.length > MAX_LENGTH) return [];
    const managers = vector.keyrings.flatMap((name) => {
      const key = keyrings[name];
      return key === undefined ? [] : [new DefaultMaterialsManager(keyringOf(key, vector.kms))];
    });
    const { id, encryptionContext } = vector;
    return [{ id, bytes: readMessage(vector), plaintext: plaintextOf(vector), encryptionContext, managers }];
  });
}

function keyringOf(key: MessageKeyring, answer: KmsAnswer | undefined): Keyring {
  switch (key.type) {
    case "aes":
      return new RawAesKeyring({
        wrappingKey: createSecretKey(Buffer.from(key.base64, "base64")),
        messageKey: { namespace: key.namespace, name: key.name },
      });
    case "rsa":
      return new RawRsaKeyring({
        privateKey: createPrivateKey(key.privateKey),
        messageKey: { namespace: key.namespace, name: key.name },
        oaepHash: key.padding.replace("oaep-", "") as OaepHash,
      });
    case "kms":
      return new KmsKeyring({ keyId: key.keyId, client: kmsThatAnswers(answer) });
  }
}
