import assert from "node:assert/strict";
import type { EncryptedDataKey, S3EncryptionErrorCode, StringMap } from "@s3ec/materials";
import { stringMap } from "@s3ec/materials";
import { assertRefused } from "./refusals.js";
import { type Check, reads, type Subject } from "./subject.js";

const FAILED: readonly S3EncryptionErrorCode[] = ["decryption-failed"];
/** A context or binding may also be compared before the key is used. */
const MISMATCHED: readonly S3EncryptionErrorCode[] = ["decryption-failed", "context-mismatch"];
const MOST_POSITIONS = 64;

/** What `onDecrypt` must refuse. */
export const TAMPERING_CHECKS: readonly Check[] = [
  {
    title: "refuses a wrap that is bound to another content algorithm (S2)",
    appliesTo: reads,
    run: async (subject) => {
      for (const suite of subject.suites) {
        const other = subject.suites.find((each) => each !== suite) ?? suite;
        const asOther = subject.toDecrypt(other);
        const relabelled = ["", suite.storedName.slice(0, -1), `${suite.storedName}5`, "AES/CBC/PKCS5Padding"].map(
          (algorithmBinding) => ({ ...subject.toDecrypt(suite), algorithmBinding }),
        );
        for (const each of (await subject.write(suite)).encryptedDataKeys) {
          // The wraps of the AWS Encryption SDK are not bound to it: the message's header is.
          if (each.wrapAlgorithm.describedBy === "provider-info") continue;
          for (const materials of [asOther, ...relabelled]) {
            const what = `A wrap for "${suite.storedName}" read as "${materials.algorithmBinding}"`;
            await assertRefused(subject.keyring.onDecrypt(materials, [each]), MISMATCHED, what);
          }
        }
      }
    },
  },
  {
    title: "refuses another encryption context than it was written with (S10)",
    appliesTo: reads,
    run: async (subject) => {
      const [[name, value] = ["", ""], ...rest] = Object.entries(subject.context);
      const contexts = {
        none: stringMap([]),
        "one entry less": stringMap(rest),
        "one entry more": stringMap([[name, value], ...rest, ["conformance:more", "x"]]),
        "another value": stringMap([[name, `${value}x`], ...rest]),
        "another name": stringMap([[`${name}x`, value], ...rest]),
      };
      for (const each of await contextWraps(subject)) {
        for (const [what, encryptionContext] of Object.entries(contexts)) {
          const reading = subject.keyring.onDecrypt({ ...subject.toDecrypt(), encryptionContext }, [each]);
          await assertRefused(reading, MISMATCHED, `A context with ${what}`);
        }
      }
    },
  },
  {
    title: "binds the encryption context to the wrap, rather than comparing it alone",
    appliesTo: reads,
    run: async (subject) => {
      const added: [string, string] = ["conformance:more", "x"];
      const withMore = (map: StringMap): StringMap => stringMap([added, ...Object.entries(map)]);
      for (const each of await contextWraps(subject)) {
        const altered = { ...each, description: withMore(each.description) };
        const materials = { ...subject.toDecrypt(), encryptionContext: withMore(subject.context) };
        const what = "A stored context altered to what the caller expects";
        await assertRefused(subject.keyring.onDecrypt(materials, [altered]), MISMATCHED, what);
      }
    },
  },
  {
    title: "refuses a wrapped key with any bit changed, always in the same words (S16)",
    appliesTo: reads,
    run: async (subject) => {
      for (const each of (await subject.write()).encryptedDataKeys) {
        for (const position of positions(each.ciphertext.length)) {
          const ciphertext = Uint8Array.from(each.ciphertext, (byte, index) => (index === position ? byte ^ 1 : byte));
          await refuses(subject, { ...each, ciphertext }, `A wrapped key changed at byte ${position}`);
        }
      }
    },
  },
  {
    title: "refuses a wrapped key that was cut or made longer, always in the same words",
    appliesTo: reads,
    run: async (subject) => {
      for (const each of (await subject.write()).encryptedDataKeys) {
        for (const length of positions(each.ciphertext.length)) {
          await refuses(
            subject,
            { ...each, ciphertext: each.ciphertext.slice(0, length) },
            `A wrapped key cut to ${length}`,
          );
        }
        const ciphertext = Buffer.concat([each.ciphertext, Buffer.alloc(1)]);
        await refuses(subject, { ...each, ciphertext }, "A wrapped key with a byte at its end");
      }
    },
  },
];

async function refuses(subject: Subject, altered: EncryptedDataKey, what: string): Promise<void> {
  await assertRefused(subject.keyring.onDecrypt(subject.toDecrypt(), [altered]), FAILED, what);
}

async function contextWraps(subject: Subject): Promise<readonly EncryptedDataKey[]> {
  const { encryptedDataKeys } = await subject.write();
  const wraps = encryptedDataKeys.filter(
    ({ wrapAlgorithm: { describedBy } }) =>
      describedBy === "encryption-context" ||
      (describedBy === "provider-info" && subject.options.bindsContextOfMessages !== false),
  );
  const hasContext = Object.keys(subject.context).length > 0;
  assert(wraps.length === 0 || hasContext, "Give encryptionContext at least one entry: this keyring binds it.");
  return wraps;
}

/** Every index of something short; of something long a sample, its first and its last ones among them. */
function positions(length: number): readonly number[] {
  const every = length <= MOST_POSITIONS * 1.5 ? 1 : Math.ceil(length / MOST_POSITIONS);
  const indexes = Array.from({ length }, (_, index) => index);
  return indexes.filter((index) => index < 4 || index >= length - 4 || index % every === 0);
}
