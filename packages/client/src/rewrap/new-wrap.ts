import type { KeyObject } from "node:crypto";
import {
  GetObjectCommand,
  type GetObjectCommandInput,
  type HeadObjectCommandOutput,
  type S3Client,
} from "@aws-sdk/client-s3";
import { recipientOfAnnotation } from "@s3ec/envelope";
import {
  type HeldDataKey,
  isError,
  isSameStringMap,
  type LaidOutWrap,
  type ObjectRequest,
  type ObjectWithWrap,
  S3EncryptionError,
  type StoredWrap,
  UnopenedWrapError,
  type WrapPlace,
  type WrapRules,
} from "@s3ec/materials";
import { requestOf } from "../call-options.js";
import { answeredBody } from "../read/answered-body.js";
import { unlessAborted } from "../request-aborted.js";
import type { Rewrap } from "./rewrap-options.js";

/** What stands, as it was read. */
export interface StandingWrap {
  readonly head: HeadObjectCommandOutput;
  readonly place: WrapPlace;
  /** Of a file or an annotation. */
  readonly text: string | undefined;
}

/** The wrap to store, and what is known of it. */
export interface NewWrap {
  readonly laid: LaidOutWrap;
  /** What the new keyring has been seen to open. */
  readonly verified: "content" | "envelope" | "none";
  /** Whether the key store did it all, and gave no data key out. */
  readonly isReencrypted: boolean;
  /** What it wraps; absent where the key store has shown it to nobody here. */
  readonly dataKey?: KeyObject;
}

/**
 * Opens the data key of what stands, proves that it is this object's, wraps it anew and has the new keyring open that: all
 * before anything is stored.
 *
 * @param client one that does not encrypt
 * @param place where the new wrap goes, which may be another place than where the old one stands
 */
export async function makeNewWrap(
  client: S3Client,
  rules: WrapRules,
  rewrap: Rewrap,
  standing: StandingWrap,
  place: WrapPlace,
): Promise<NewWrap> {
  const { encryption, object, from, to, verify, enforceRotation } = rewrap;
  const request = requestOf(encryption, from, object);
  const target = requestOf({ ...encryption, materialsManager: to.materialsManager }, to, object);
  const stored = findWrap(rules, standing, request);
  // Before any key: what is said after one was tried would tell whether it opens the wrap (S16).
  const needsTag = verify === "content" || rewrap.owner === "another";
  if (needsTag && stored.suite.cipher === "cbc") throw unproven();
  const isFurther = !isSamePlace(place, standing.place);
  const wanted = { ...target, place, isFurther, isTrusted: verify === "none" };
  rules.assertMayHold(stored, wanted);
  if (rewrap.owner === "same" && !rewrap.decryptHere) {
    const done = await unlessAborted(async () => rules.reencrypt?.(stored, request, wanted), from.abortSignal);
    if (done !== undefined) return await reencryptedWrap(client, rules, rewrap, standing, done);
  }
  const held = await unlessAborted(() => rules.unwrap(stored, request), from.abortSignal);
  if (enforceRotation)
    await refuseSameKey("The new keyring opens the old wrap", { rules, held }, stored, {
      ...request,
      materialsManager: to.materialsManager,
    });
  if (verify === "content" || (rewrap.owner === "another" && !held.isProven)) {
    await proveByContent(client, rewrap, standing.head, held);
  }
  const laid = await unlessAborted(() => rules.wrap(held, wanted), from.abortSignal);
  refuseAmbiguous(stored, laid);
  if (isFurther && rewrap.isRecipient !== true) refuseFurther(laid);
  if (enforceRotation) {
    const oldKeyring = { ...target, materialsManager: encryption.materialsManager };
    const made = findNew(rules, standing, laid, oldKeyring);
    if (made !== undefined)
      await refuseSameKey("The old keyring opens the new wrap", { rules, held }, made, oldKeyring);
  }
  return { laid, verified: verify, isReencrypted: false, dataKey: held.dataKey };
}

/** What the key store wrapped anew, as far as the new keyring may open it. */
async function reencryptedWrap(
  client: S3Client,
  rules: WrapRules,
  rewrap: Rewrap,
  standing: StandingWrap,
  { isSameKey, ...laid }: LaidOutWrap & { readonly isSameKey: boolean },
): Promise<NewWrap> {
  const { encryption, object, from, to, verify } = rewrap;
  if (rewrap.enforceRotation && isSameKey) throw sameKey("The key store says that it is the same");
  if (!isSamePlace(laid.place, standing.place) && rewrap.isRecipient !== true) refuseFurther(laid);
  if (verify === "none") return { laid, verified: "none", isReencrypted: true };
  const { materialDescription: _, ...target } = requestOf(
    { ...encryption, materialsManager: to.materialsManager },
    to,
    object,
  );
  let held: HeldDataKey;
  try {
    const made = rules.find(laidOver(standing, laid, target));
    held = await unlessAborted(() => rules.unwrap(made, target), from.abortSignal);
  } catch (error) {
    if (!(error instanceof S3EncryptionError)) throw error;
    // Without the right to decrypt nothing can be verified. What only cannot be asked now might say that it is not opened.
    if (isDenied(error) && verify !== "content") return { laid, verified: "none", isReencrypted: true };
    throw error.code === "key-unavailable" && !isDenied(error) ? error : new UnopenedWrapError(error);
  }
  if (verify === "content") await proveByContent(client, rewrap, standing.head, held);
  return { laid, verified: verify, isReencrypted: true, dataKey: held.dataKey };
}

/** Whether a key store refused, and neither failed nor was not reached. */
function isDenied({ code, cause }: S3EncryptionError): boolean {
  return code === "key-unavailable" && isError(cause) && cause.name === "AccessDeniedException";
}

function findWrap(rules: WrapRules, { head, place, text }: StandingWrap, request: ObjectRequest): StoredWrap {
  return rules.find({ metadata: head.Metadata ?? {}, place, request, ...(text === undefined ? {} : { text }) });
}

/** An annotation's name has an id behind the recipient's, which a new wrap gets anew. */
function isSamePlace(a: WrapPlace, b: WrapPlace): boolean {
  if (a.in === "annotation" && b.in === "annotation") {
    return recipientOfAnnotation(a.name) === recipientOfAnnotation(b.name);
  }
  return JSON.stringify(a) === JSON.stringify(b);
}

/** The new wrap as the old keyring would find it; undefined where that unwraps no such thing. */
function findNew(
  rules: WrapRules,
  standing: StandingWrap,
  laid: LaidOutWrap,
  request: ObjectRequest,
): StoredWrap | undefined {
  try {
    return rules.find(laidOver(standing, laid, request));
  } catch (error) {
    if (error instanceof S3EncryptionError && error.code === "no-matching-key") return undefined;
    throw error;
  }
}

/** The object as it will be. */
function laidOver(
  { head }: StandingWrap,
  { place, metadata: added, replaces, text }: LaidOutWrap,
  request: ObjectRequest,
): ObjectWithWrap {
  const own = Object.entries(head.Metadata ?? {});
  const metadata =
    place.in === "metadata"
      ? { ...Object.fromEntries(own.filter(([name]) => !replaces.includes(name))), ...added }
      : Object.fromEntries(own);
  return { metadata, place, request, ...(text === undefined ? {} : { text }) };
}

/** By the data key that comes of it: what opens anything to something (PKCS#1) opens nothing so. */
async function refuseSameKey(
  what: string,
  { rules, held }: { readonly rules: WrapRules; readonly held: HeldDataKey },
  stored: StoredWrap,
  { materialDescription: _, ...request }: ObjectRequest,
): Promise<void> {
  const opened = await rules.unwrap(stored, request).catch((error: unknown) => {
    if (error instanceof S3EncryptionError && DOES_NOT_OPEN.has(error.code)) return undefined;
    throw error;
  });
  if (opened?.dataKey.equals(held.dataKey) === true) throw sameKey(what);
}

function sameKey(what: string): S3EncryptionError {
  return new S3EncryptionError(
    "invalid-argument",
    `Nothing was changed: rotation is enforced (enforceRotation), and the key is not another one. ${what}: pass keyrings that hold one key each.`,
  );
}

/** What says that a wrap is not for the keyring that was asked. */
export const DOES_NOT_OPEN: ReadonlySet<string> = new Set(["no-matching-key", "decryption-failed", "context-mismatch"]);

/** As Java's `reEncryptInstructionFile`. */
function refuseFurther({ encryptedDataKey: { wrapAlgorithm } }: LaidOutWrap): void {
  if (wrapAlgorithm.keyKind === "rsa") return;
  throw new S3EncryptionError(
    "invalid-argument",
    `Nothing was changed: a further instruction file (to.instructionFileSuffix) is for an RSA key, such as a partner's, and this one wraps with ${wrapAlgorithm.name}. Leave it out to replace the wrap that stands, or add a recipient (addRecipient).`,
  );
}

/** Descriptions select raw keys: two keys of one description cannot be told apart. A better wrap of the same key can. */
function refuseAmbiguous(stored: StoredWrap, { place, encryptedDataKey }: LaidOutWrap): void {
  const { wrapAlgorithm, description } = stored.encryptedDataKey;
  const isRaw = [wrapAlgorithm, encryptedDataKey.wrapAlgorithm].every(
    ({ keyKind, describedBy }) => (keyKind === "aes" || keyKind === "rsa") && describedBy === "material-description",
  );
  if (!isRaw || wrapAlgorithm.legacy || !isSamePlace(place, stored.place)) return;
  if (!isSameStringMap(description, encryptedDataKey.description)) return;
  throw new S3EncryptionError(
    "invalid-argument",
    "Nothing was changed: the new key has the same materialDescription as the old one, which is what selects a key: give it one of its own.",
  );
}

/** What is read for a proof. */
interface ReadContent {
  readonly version: GetObjectCommandInput;
  readonly from: { readonly abortSignal?: AbortSignal | undefined };
}

/**
 * Reads the content, and has its tag prove that the data key is its own: of V2 nothing else does. Keeps no plaintext, and makes none
 * where the runtime can prove without.
 * Throws `unsupported-operation` for content that has no tag.
 */
export async function proveByContent(
  client: S3Client,
  { version, from: { abortSignal } }: ReadContent,
  head: HeadObjectCommandOutput,
  { opened }: HeldDataKey,
): Promise<void> {
  // CBC has no tag.
  if (opened.proves === "nothing") throw unproven();
  const pin = head.ETag === undefined || head.ETag.startsWith("W/") ? {} : { IfMatch: head.ETag };
  const output = await client.send(
    new GetObjectCommand({ ...version, ...pin }),
    abortSignal === undefined ? {} : { abortSignal },
  );
  const body = answeredBody(output);
  const proof = opened.proof?.(false);
  try {
    if (proof !== undefined) for await (const chunk of body) proof.add(chunk);
    // Where only decrypting tells: nothing of it is kept.
    else for await (const _ of opened.decrypt(body));
  } finally {
    body.destroy();
  }
  proof?.prove();
}

function unproven(): S3EncryptionError {
  return new S3EncryptionError(
    "unsupported-operation",
    'Nothing was changed: CBC content proves no key, so that its data key may be given to no other owner: write the object anew (migrateObject); or say that the new key has the same one (owner: "same", and no verify: "content").',
  );
}
