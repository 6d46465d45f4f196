import {
  type AlgorithmSuite,
  ContentParts,
  classifyEnvelope,
  type Envelope,
  malformedEnvelope,
  objectMark,
  uploadStateKey,
} from "@s3ec/envelope";
import { type Keyring, type ObjectInParts, type ObjectToResume, S3EncryptionError } from "@s3ec/materials";
import { unwrapEnvelope } from "./open-content.js";
import type { ResolvedS3FormatOptions } from "./s3-format-options.js";
import { siblingsOf, suiteFor } from "./seal-content.js";

/**
 * Goes on with an object under its own key and IV. What was kept of it comes from outside: it must be what this format would
 * write now, and its wrap one that no legacy switch lets in, before the keyring is asked (G7).
 */
export async function resumeContent(options: ResolvedS3FormatOptions, object: ObjectToResume): Promise<ObjectInParts> {
  const { metadata, files } = object;
  const suite = suiteFor(options, object);
  const envelope = envelopeOf(object);
  if (envelope.suite !== suite || envelope.format === "V1") {
    throw malformedEnvelope(`The object was begun with ${envelope.suite.name}, and this client writes ${suite.name}.`);
  }
  if (keyringOf(object, suite)?.discoversKeys === true) throw discovering();
  const { dataKey, content } = await unwrapEnvelope({ ...options, ...NOTHING_OLD }, object, envelope);
  return {
    metadata,
    parts: new ContentParts(content, () => object.materialsManager.forget?.(dataKey)),
    siblings: siblingsOf(options, metadata, files, objectMark(metadata)),
    isResumable: true,
    stateKey: (secret) =>
      uploadStateKey(suite, dataKey, envelope.format === "V3" ? envelope.messageId : envelope.iv, secret),
  };
}

/** Undefined where the manager decides more than which keyring it is. */
function keyringOf(
  { materialsManager, commitmentPolicy, bucket, key, encryptionContext }: ObjectToResume,
  suite: AlgorithmSuite,
): Keyring | undefined {
  return materialsManager.keyringFor?.({
    suite,
    algorithmBinding: suite.storedName,
    commitmentPolicy,
    encryptionContext,
    bucket,
    key,
    encryptedDataKeys: [],
  });
}

function discovering(): S3EncryptionError {
  return new S3EncryptionError(
    "unsupported-operation",
    "An upload cannot be resumed with a keyring that discovers keys, since what was kept of it would choose the key: name the one that it was begun with.",
  );
}

const NOTHING_OLD = { enableLegacyUnauthenticatedModes: false, enableLegacyWrappingAlgorithms: false } as const;

/** As our writer lays it out: with the wrapped key in the metadata, or in the first of its files. */
function envelopeOf({ metadata, files, materialsManager: { wrapAlgorithms } }: ObjectToResume): Envelope {
  const classified = classifyEnvelope(metadata, { wrapAlgorithms });
  if (classified.placement === "metadata") return classified.envelope;
  const [file] = files;
  if (file === undefined) throw malformedEnvelope("What was kept of the object holds no wrapped key.");
  return classified.complete({ text: file.body, suffix: file.suffix });
}
