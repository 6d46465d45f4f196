import { createPrivateKey, createSecretKey } from "node:crypto";
import type { KMSClient } from "@aws-sdk/client-kms";
import type { EncryptionCallOptions, S3EncryptionOptions } from "@s3ec/client";
import { KmsKeyring } from "@s3ec/keyring-kms";
import { RawAesKeyring } from "@s3ec/keyring-raw-aes";
import { RawRsaKeyring } from "@s3ec/keyring-raw-rsa";
import type { Keyring } from "@s3ec/materials";
import type { ReadableVector, Requirement, Switch, Vector, WrappingKey } from "@s3ec/test-vectors";

/** A keyring holding a vector's key, with the one opt-in that it may require. */
export function keyringFor(key: WrappingKey, requires: Requirement | undefined, kmsClient: KMSClient): Keyring {
  const rewrap = requires === "cbc-rewrap-bound-to-gcm";
  switch (key.kind) {
    case "aes":
      return new RawAesKeyring({
        wrappingKey: createSecretKey(Buffer.from(key.base64, "base64")),
        enableCbcRewrapBoundToGcm: rewrap,
      });
    case "rsa":
      return new RawRsaKeyring({
        privateKey: createPrivateKey({ key: Buffer.from(key.pkcs8Base64, "base64"), format: "der", type: "pkcs8" }),
        enableCbcRewrapBoundToGcm: rewrap,
        enableUnpaddedRsa: requires === "unpadded-rsa",
      });
    case "kms":
      return new KmsKeyring({ keyId: key.arn, client: kmsClient });
  }
}

/** The client options that these switches stand for. */
export function optionsFor(switches: readonly Switch[]): Omit<S3EncryptionOptions, "keyring" | "materialsManager"> {
  return {
    commitmentPolicy: switches.includes("allow-non-committing")
      ? "REQUIRE_ENCRYPT_ALLOW_DECRYPT"
      : "REQUIRE_ENCRYPT_REQUIRE_DECRYPT",
    enableLegacyUnauthenticatedModes: switches.includes("legacy-content"),
    enableLegacyWrappingAlgorithms: switches.includes("legacy-wrapping"),
  };
}

export const ALL_SWITCHES: readonly Switch[] = ["allow-non-committing", "legacy-content", "legacy-wrapping"];

/** What the caller must say to read the vector: its context, and the instruction file where it is not the usual one. */
export function callOptionsFor(vector: Vector): EncryptionCallOptions {
  const [suffix] = Object.keys(vector.instructionFiles ?? {});
  const custom = suffix !== undefined && suffix !== ".instruction";
  return {
    ...(vector.encryptionContext === undefined ? {} : { encryptionContext: vector.encryptionContext }),
    ...(custom ? { instructionFileSuffix: suffix, preferInstructionFile: true } : {}),
  };
}

/** Every way to allow one switch too few. */
export function switchesMissingOne({ switches }: ReadableVector): readonly (readonly Switch[])[] {
  return switches.map((missing) => switches.filter((entry) => entry !== missing));
}

/** Counts what a keyring is asked to unwrap. */
export class CountingKeyring implements Keyring {
  unwraps = 0;
  readonly #keyring: Keyring;

  constructor(keyring: Keyring) {
    this.#keyring = keyring;
  }

  get wrapAlgorithms(): Keyring["wrapAlgorithms"] {
    return this.#keyring.wrapAlgorithms;
  }

  onEncrypt: Keyring["onEncrypt"] = (materials) => this.#keyring.onEncrypt(materials);

  onDecrypt: Keyring["onDecrypt"] = (materials, encryptedDataKeys) => {
    this.unwraps++;
    return this.#keyring.onDecrypt(materials, encryptedDataKeys);
  };
}
