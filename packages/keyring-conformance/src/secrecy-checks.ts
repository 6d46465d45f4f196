import assert from "node:assert/strict";
import { createDataKey, type DecryptionMaterials, type EncryptionMaterials } from "@s3ec/materials";
import { deepFreeze, snapshot } from "./input-snapshot.js";
import { assertNotPrinted, contains } from "./printed-secrets.js";
import { observeExports, observeSecretKeys } from "./raw-key-observer.js";
import { outcomeOf } from "./refusals.js";
import { type Check, reads, writes } from "./subject.js";

/** What a keyring must not do with keys, nor with what it was given. */
export const SECRECY_CHECKS: readonly Check[] = [
  {
    title: "does not change what it is given",
    appliesTo: () => true,
    run: async (subject) => {
      const { encryptedDataKeys } = await subject.write();
      const given: EncryptionMaterials = { ...subject.toEncrypt(), encryptedDataKeys: [...encryptedDataKeys] };
      const child: EncryptionMaterials = { ...given, dataKey: createDataKey(subject.suite) };
      const reading: DecryptionMaterials = subject.toDecrypt();
      const mismatching = { ...subject.toDecrypt(), algorithmBinding: "other" };
      const before = snapshot([given, child, reading, mismatching, encryptedDataKeys]);
      for (const frozen of [false, true]) {
        if (frozen) deepFreeze([given, child, reading, mismatching, encryptedDataKeys]);
        if (writes(subject.options)) await subject.keyring.onEncrypt(given);
        if (writes(subject.options)) await subject.keyring.onEncrypt(child);
        await outcomeOf(subject.keyring.onDecrypt(reading, encryptedDataKeys));
        await outcomeOf(subject.keyring.onDecrypt(mismatching, encryptedDataKeys));
        const after = snapshot([given, child, reading, mismatching, encryptedDataKeys]);
        assert.equal(after, before, "The keyring changed materials, encrypted data keys or bytes that it was given.");
      }
    },
  },
  {
    title: "wraps the data key, rather than storing it",
    appliesTo: writes,
    run: async (subject) => {
      const { dataKey, encryptedDataKeys } = await subject.write();
      for (const { ciphertext, description } of encryptedDataKeys) {
        const isStored = Buffer.from(ciphertext).includes(dataKey.export()) || contains(description, dataKey.export());
        assert(!isStored, "The data key is stored in the clear.");
      }
    },
  },
  {
    title: "prints no key: not in inspect, not in JSON, not in an error or its cause",
    appliesTo: () => true,
    run: async (subject) => {
      const { materials, dataKey, encryptedDataKeys } = await subject.write();
      const outcomes: unknown[] = [await outcomeOf(subject.keyring.onDecrypt(subject.toDecrypt(), encryptedDataKeys))];
      for (const each of encryptedDataKeys) {
        const mismatching = { ...subject.toDecrypt(), algorithmBinding: "other" };
        outcomes.push(await outcomeOf(subject.keyring.onDecrypt(mismatching, [each])));
        const ciphertext = each.ciphertext.map((byte, index) =>
          index === each.ciphertext.length - 1 ? byte ^ 1 : byte,
        );
        outcomes.push(await outcomeOf(subject.keyring.onDecrypt(subject.toDecrypt(), [{ ...each, ciphertext }])));
      }
      const secrets = [dataKey.export(), ...(subject.options.secrets ?? [])];
      for (const value of [subject.keyring, materials, ...outcomes]) assertNotPrinted(value, secrets);
    },
  },
  {
    title: "zeroes the raw bytes of a data key that it wraps",
    appliesTo: writes,
    run: async (subject) => {
      const dataKey = createDataKey(subject.suite);
      const exported = observeExports(dataKey);
      await subject.keyring.onEncrypt({ ...subject.toEncrypt(), dataKey });
      assert(exported.every(isZero), "Raw bytes of the data key were left behind; use lendDataKey.");
    },
  },
  {
    title: "zeroes the raw bytes of a data key that it creates or opens",
    appliesTo: () => true,
    run: async (subject) => {
      const created = await observeSecretKeys(async () => await subject.write());
      assertZeroed(created.imported, created.result.dataKey.export());
      if (!reads(subject.options)) return;
      const { encryptedDataKeys, dataKey } = created.result;
      const opened = await observeSecretKeys(
        async () => await subject.keyring.onDecrypt(subject.toDecrypt(), encryptedDataKeys),
      );
      assertZeroed(opened.imported, dataKey.export());
    },
  },
];

interface Imported {
  readonly bytes: Uint8Array;
  readonly contents: Uint8Array;
}

function assertZeroed(imported: readonly Imported[], dataKey: Uint8Array): void {
  const ofDataKey = imported.filter(({ contents }) => Buffer.compare(contents, dataKey) === 0);
  const isZeroed = ofDataKey.every(({ bytes }) => isZero(bytes));
  assert(isZeroed, "Raw bytes of the data key were left behind; use createDataKey and importDataKey.");
}

function isZero(bytes: Uint8Array): boolean {
  return bytes.every((byte) => byte === 0);
}
