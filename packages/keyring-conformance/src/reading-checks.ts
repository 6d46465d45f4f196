import assert from "node:assert/strict";
import { canHoldWrap, type EncryptedDataKey, formatStringMap, parseStringMap } from "@s3ec/envelope";
import { isError, S3EncryptionError } from "@s3ec/materials";
import { foreignWrap } from "./foreign-wrap.js";
import { assertUniform, outcomeOf } from "./refusals.js";
import { assertOpened, type Check, reads, Subject } from "./subject.js";
import { SUITES } from "./suites.js";

const CONCURRENT = 50;

/** What `onDecrypt` must do with what it can and cannot open. */
export const READING_CHECKS: readonly Check[] = [
  {
    title: "opens each encrypted data key that it wrote, alone and among others, for each suite",
    appliesTo: reads,
    run: async (subject) => {
      for (const suite of subject.suites) {
        const { dataKey, encryptedDataKeys } = await subject.write(suite);
        const foreign = foreignWrap("before it");
        for (const list of [...encryptedDataKeys.map((each) => [each]), [foreign, ...encryptedDataKeys, foreign]]) {
          const opened = await subject.keyring.onDecrypt(subject.toDecrypt(suite), list);
          assertOpened(opened, dataKey);
          assert.equal(opened?.suite, suite);
          assert.equal(opened?.algorithmBinding, suite.storedName);
        }
      }
    },
  },
  {
    title: "opens with a new keyring what went through storage",
    appliesTo: reads,
    run: async (subject) => {
      const { dataKey, encryptedDataKeys } = await subject.write();
      const { keyring } = await Subject.make(subject.options, subject.format);
      for (const each of encryptedDataKeys) {
        assertOpened(await keyring.onDecrypt(subject.toDecrypt(), [stored(each)]), dataKey);
      }
    },
  },
  {
    title: "opens what it wrote in every format that can hold its wraps",
    appliesTo: reads,
    run: async (subject) => {
      const { encryptedDataKeys: usual } = await subject.write();
      const suites = Object.values(SUITES)
        .flat()
        .filter((suite) => usual.every(({ wrapAlgorithm }) => canHoldWrap(suite, wrapAlgorithm)));
      for (const suite of suites) {
        const { dataKey, encryptedDataKeys } = await subject.write(suite);
        for (const each of encryptedDataKeys) {
          const { wrapAlgorithm } = each;
          assert(canHoldWrap(suite, wrapAlgorithm), `An object of ${suite.name} cannot hold "${wrapAlgorithm.name}".`);
          assertOpened(await subject.keyring.onDecrypt(subject.toDecrypt(suite), [each]), dataKey);
        }
      }
    },
  },
  {
    title: "answers null to wraps of other kinds and to none at all",
    appliesTo: reads,
    run: async (subject) => {
      for (const list of [[], [foreignWrap("one")], [foreignWrap("one"), foreignWrap("two")]]) {
        const outcome = await outcomeOf(subject.keyring.onDecrypt(subject.toDecrypt(), list));
        assert.equal(outcome, null, "A wrap that the keyring does not declare must be answered with null.");
      }
    },
  },
  {
    title: "answers another key's wraps with null or a typed refusal",
    appliesTo: (options) => reads(options) && options.createOther !== undefined,
    run: async (subject) => {
      const other = await subject.options.createOther?.();
      for (const each of (await other?.onEncrypt(subject.toEncrypt()))?.encryptedDataKeys ?? []) {
        const outcome = await outcomeOf(subject.keyring.onDecrypt(subject.toDecrypt(), [each]));
        if (outcome === null) continue;
        assert(isError(outcome), "The keyring opened what was wrapped with another key.");
        const isTyped = outcome instanceof S3EncryptionError;
        assert(isTyped, `Another key's wrap: threw ${outcome.name}, which is not an S3EncryptionError.`);
        const mayBe = ["decryption-failed", "no-matching-key"].includes(outcome.code);
        assert(mayBe, `Another key's wrap: refused with ${outcome.code}, not decryption-failed or no-matching-key.`);
        assertUniform(outcome, "Another key's wrap");
      }
    },
  },
  {
    title: `serves ${CONCURRENT} callers at a time`,
    appliesTo: reads,
    run: async (subject) => {
      const callers = Array.from({ length: CONCURRENT }, (_, index) => subject.suites[index % subject.suites.length]);
      const objects = await Promise.all(callers.map((suite) => subject.write(suite)));
      const dataKeys = new Set(objects.map(({ dataKey }) => dataKey.export().toString("hex")));
      assert.equal(dataKeys.size, CONCURRENT, "Callers at the same time got the same data key.");
      const openings = objects.map(({ materials, encryptedDataKeys }) =>
        subject.keyring.onDecrypt(subject.toDecrypt(materials.suite), encryptedDataKeys),
      );
      for (const [index, opened] of (await Promise.all(openings)).entries()) {
        const object = objects[index];
        assert(object !== undefined);
        assertOpened(opened, object.dataKey);
      }
    },
  },
  {
    title: "refuses to read, since it only writes, with null or a typed error",
    appliesTo: (options) => !reads(options),
    run: async (subject) => {
      const { dataKey, encryptedDataKeys } = await subject.write();
      const outcome = await outcomeOf(subject.keyring.onDecrypt(subject.toDecrypt(), encryptedDataKeys));
      const isRefused = outcome === null || outcome instanceof S3EncryptionError;
      assert(isRefused, "A keyring that only writes must answer null or throw an S3EncryptionError.");
      for (const each of encryptedDataKeys) {
        assertOpened(await subject.reader.onDecrypt(subject.toDecrypt(), [each]), dataKey);
      }
    },
  },
];

/** The same encrypted data key as a reader gets it: other objects, the same contents. */
function stored({ wrapAlgorithm, ciphertext, description, providerInfo }: EncryptedDataKey): EncryptedDataKey {
  return {
    wrapAlgorithm: { ...wrapAlgorithm },
    ciphertext: new Uint8Array(ciphertext),
    description: parseStringMap(formatStringMap(description), "description"),
    ...(providerInfo === undefined ? {} : { providerInfo: new Uint8Array(providerInfo) }),
  };
}
