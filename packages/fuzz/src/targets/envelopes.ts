import { type ContentKey, type DecryptionPolicy, decryptContent, type Envelope, isSameStringMap } from "@s3ec/envelope";
import { inPieces } from "../chunks.js";
import { type KnownObject, knownObjects } from "../known-objects.js";
import { fieldsOf, mutateFields, mutateJson } from "../mutate.js";
import type { Random } from "../random.js";
import { ALLOW_ALL, openStored } from "../read-object.js";
import { assertRight, refusalOf, type Target } from "../target.js";

const objects = knownObjects();

/** Metadata, instruction files and contexts that are damaged, exchanged, or given to a reader that allows too little. */
export const envelopes: Target = {
  name: "envelopes",
  async try(random) {
    const object = random.pick(objects);
    const damaged = damage(random, object, random.pick(objects));
    const policy = random.oneIn(4) ? somePolicy(random) : ALLOW_ALL;
    const preferFile = damaged.file !== undefined && (damaged.file.suffix !== ".instruction" || random.oneIn(4));
    let opened: { envelope: Envelope; content: ContentKey };
    try {
      opened = await openStored(damaged, policy, preferFile);
    } catch (error) {
      return refusalOf(error);
    }
    assertAllowed(opened.envelope, policy);
    assertContext(opened.envelope, object, damaged);
    let plaintext: Buffer;
    try {
      plaintext = Buffer.concat(await decryptContent(opened.content, inPieces(random, object.body)));
    } catch (error) {
      return refusalOf(error);
    }
    // CBC is not authenticated: another IV changes the first block, and nobody can tell.
    const right = opened.content.suite.cipher === "cbc" || plaintext.equals(object.plaintext);
    assertRight(right, `${object.id} decrypts to something else`);
    return "opened";
  },
};

function damage(random: Random, object: KnownObject, donor: KnownObject): KnownObject {
  const theirs = { ...donor.metadata, ...fieldsOf(donor.file?.text ?? "") };
  const { file } = object;
  const inFile = file !== undefined && !random.oneIn(3);
  const context = random.oneIn(6)
    ? mutateFields(random, object.encryptionContext, donor.encryptionContext)
    : object.encryptionContext;
  return {
    ...object,
    metadata: inFile ? object.metadata : mutateFields(random, object.metadata, theirs),
    file: inFile ? { ...file, text: mutateJson(random, file.text, theirs) } : file,
    encryptionContext: context,
  };
}

function somePolicy(random: Random): DecryptionPolicy {
  return {
    commitmentPolicy: random.pick([
      "FORBID_ENCRYPT_ALLOW_DECRYPT",
      "REQUIRE_ENCRYPT_ALLOW_DECRYPT",
      "REQUIRE_ENCRYPT_REQUIRE_DECRYPT",
    ]),
    enableLegacyUnauthenticatedModes: random.oneIn(2),
    enableLegacyWrappingAlgorithms: random.oneIn(2),
  };
}

/** What was opened must be what the policy allows, whatever the fields said (S7, S8). */
function assertAllowed({ suite, encryptedDataKey }: Envelope, policy: DecryptionPolicy): void {
  const commits = suite.committing || policy.commitmentPolicy !== "REQUIRE_ENCRYPT_REQUIRE_DECRYPT";
  assertRight(commits, "the commitment policy was passed by");
  assertRight(suite.cipher === "gcm" || policy.enableLegacyUnauthenticatedModes, "legacy content was passed by");
  const legacyWrap = encryptedDataKey.wrapAlgorithm.legacy;
  assertRight(!legacyWrap || policy.enableLegacyWrappingAlgorithms, "legacy wrapping was passed by");
}

/** A kms+context object is opened by exactly its context (S10). */
function assertContext({ encryptedDataKey }: Envelope, object: KnownObject, given: KnownObject): void {
  if (encryptedDataKey.wrapAlgorithm.name !== "kms+context") return;
  const same = isSameStringMap(object.encryptionContext, given.encryptionContext);
  assertRight(same, `${object.id} was opened with another context`);
}
