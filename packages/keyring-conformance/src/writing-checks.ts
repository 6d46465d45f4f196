import assert from "node:assert/strict";
import { isUint8Array } from "node:util/types";
import { canHoldWrap } from "@s3ec/envelope";
import { ANY_KEY_PROVIDER, createDataKey, isSameWrapAlgorithm, S3EncryptionError, stringMap } from "@s3ec/materials";
import { foreignWrap } from "./foreign-wrap.js";
import { assertOpened, type Check, writes, written } from "./subject.js";

/** What `onEncrypt` must do. */
export const WRITING_CHECKS: readonly Check[] = [
  {
    title: "declares the wraps that it reads",
    appliesTo: () => true,
    run: async ({ keyring }) => {
      assert(Array.isArray(keyring.wrapAlgorithms) && keyring.wrapAlgorithms.length > 0, "wrapAlgorithms is empty.");
      const names = keyring.wrapAlgorithms.map(({ name }) => name);
      assert.equal(new Set(names).size, names.length, "wrapAlgorithms names a wrap twice.");
    },
  },
  {
    title: "creates a data key of 32 bytes and wraps it, for each suite",
    appliesTo: writes,
    run: async (subject) => {
      for (const suite of subject.suites) {
        const { materials, dataKey, encryptedDataKeys } = await subject.write(suite);
        assert.equal(dataKey.type, "secret", "The data key must be a secret KeyObject.");
        assert.equal(dataKey.symmetricKeySize, 32, "The data key must have 32 bytes.");
        assert.equal(encryptedDataKeys.length, subject.count, "Another number of encrypted data keys than announced.");
        assert.equal(materials.suite, suite);
        assert.equal(materials.algorithmBinding, suite.storedName);
        assert.deepEqual(materials.encryptionContext, subject.context);
      }
    },
  },
  {
    title: "writes encrypted data keys that can be stored, with wraps that its readers declare",
    appliesTo: writes,
    run: async (subject) => {
      const { encryptedDataKeys } = await subject.write();
      for (const { wrapAlgorithm, ciphertext, description, providerInfo, instructionFileSuffix } of encryptedDataKeys) {
        assert.equal(wrapAlgorithm.legacy, false, "Legacy wraps are read, never written.");
        const isDeclared = subject.reader.wrapAlgorithms.some(
          (entry) => isSameWrapAlgorithm(entry, wrapAlgorithm) || isSameWrapAlgorithm(entry, ANY_KEY_PROVIDER),
        );
        assert(isDeclared, `Nobody declares to read the wrap "${wrapAlgorithm.name}".`);
        assert(isUint8Array(ciphertext) && ciphertext.length > 0, "The ciphertext must be bytes.");
        for (const value of Object.values(description))
          assert.equal(typeof value, "string", "A description holds text.");
        if (wrapAlgorithm.describedBy === "provider-info") {
          assert(canHoldWrap(subject.suite, wrapAlgorithm), "Only messages store the information of key providers.");
          assert(isUint8Array(providerInfo), "The provider information must be bytes.");
          assert(providerInfo.length <= 0xffff, "The provider information has more than 65,535 bytes.");
        }
        if (instructionFileSuffix === undefined) continue;
        const declared = subject.keyring.instructionFileSuffixes ?? [];
        assert(declared.includes(instructionFileSuffix), `instructionFileSuffixes lacks "${instructionFileSuffix}".`);
      }
    },
  },
  {
    title: "never creates the same data key or wrap twice",
    appliesTo: writes,
    run: async (subject) => {
      const first = await subject.write();
      const second = await subject.write();
      assert(!first.dataKey.equals(second.dataKey), "Two objects got the same data key.");
      const ciphertexts = [first, second].flatMap(({ encryptedDataKeys }) =>
        encryptedDataKeys.map(({ ciphertext }) => Buffer.from(ciphertext).toString("hex")),
      );
      assert.equal(new Set(ciphertexts).size, ciphertexts.length, "Two encrypted data keys are the same bytes.");
    },
  },
  {
    title: "as a child keeps the data key and appends to what others wrapped",
    appliesTo: writes,
    run: async (subject) => {
      for (const suite of subject.suites) {
        const dataKey = createDataKey(suite);
        const others = [foreignWrap("first"), foreignWrap("second")];
        const given = { ...subject.toEncrypt(suite), dataKey, encryptedDataKeys: [...others] };
        const { dataKey: kept, encryptedDataKeys } = written(await subject.keyring.onEncrypt(given));
        assert(kept.equals(dataKey), "The keyring changed a data key that was given.");
        assert.deepEqual(encryptedDataKeys.slice(0, others.length), others, "The keyring changed what others wrapped.");
        const own = encryptedDataKeys.slice(others.length);
        assert.equal(own.length, subject.count, "A child must add exactly one encrypted data key.");
        for (const each of own) {
          assertOpened(await subject.reader.onDecrypt(subject.toDecrypt(suite), [each]), dataKey);
        }
      }
    },
  },
  {
    title: "stores a material description that the caller passes, where its wrap is described by one",
    appliesTo: writes,
    run: async (subject) => {
      const materialDescription = stringMap([["conformance", "é 漢"]]);
      const given = { ...subject.toEncrypt(), materialDescription };
      const { dataKey, encryptedDataKeys } = written(await subject.keyring.onEncrypt(given));
      for (const each of encryptedDataKeys) {
        if (each.wrapAlgorithm.describedBy !== "material-description") continue;
        assert.deepEqual({ ...each.description }, { ...materialDescription });
        assertOpened(await subject.reader.onDecrypt(subject.toDecrypt(), [each]), dataKey);
      }
    },
  },
  {
    title: "refuses to write, since it only reads, with a typed error",
    appliesTo: (options) => !writes(options),
    run: async (subject) => {
      const attempt = subject.keyring.onEncrypt(subject.toEncrypt());
      await assert.rejects(attempt, (error) => error instanceof S3EncryptionError);
    },
  },
];
