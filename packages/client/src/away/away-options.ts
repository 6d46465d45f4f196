import type { S3Client } from "@aws-sdk/client-s3";
import { assertKnownOptions, type OptionNames, S3EncryptionError } from "@s3ec/materials";
import { CALL, type CallOptions, callOptionsOf, type EncryptionCallOptions, withCallOptions } from "../call-options.js";
import { ENCRYPTION, type ResolvedOptions, resolveOptions, type S3EncryptionOptions } from "../options.js";
import { encryptionOf } from "../plain-client.js";

/**
 * Who opens or seals an object that is not in S3, and what is said of the object: what a client is given, and what a call is
 * given, in one.
 */
export interface AwayOptions
  extends Omit<S3EncryptionOptions, "allowUnencryptedCommands" | "parallelRanges">,
    Omit<EncryptionCallOptions, "instructionFileVersionId" | "preferInstructionFile"> {
  /**
   * A client that encrypts, such as `createFromConfig` gives, whose options are used instead of others here. It sends
   * nothing. Default: none; give a `keyring` or a `materialsManager`.
   */
  readonly client?: S3Client;
  /** The bucket that the object is from, or goes to, for materials managers that choose by it. Default: not known. */
  readonly Bucket?: string;
  /** The object's key there, likewise. */
  readonly Key?: string;
  /** Ends the work, which then throws. */
  readonly abortSignal?: AbortSignal;
}

const { allowUnencryptedCommands: _commands, parallelRanges: _ranges, ...OPTIONS } = ENCRYPTION;
const { instructionFileVersionId: _version, preferInstructionFile: _prefer, ...SAID } = CALL;

export const AWAY: OptionNames<AwayOptions> = {
  ...OPTIONS,
  ...SAID,
  client: true,
  Bucket: true,
  Key: true,
  abortSignal: true,
};

/** The options, as the ways of a put and a get take them. */
export interface ResolvedAway {
  readonly encryption: ResolvedOptions;
  /** Names the object, and carries its call's options. */
  readonly input: { readonly Bucket?: string; readonly Key?: string };
  readonly call: CallOptions;
}

/**
 * Checks the options.
 *
 * @param known names of those that the function takes, which `whose` is the name of
 * @throws S3EncryptionError `invalid-argument`, `invalid-configuration`
 */
export function resolveAway<Options extends AwayOptions>(
  options: Options,
  known: OptionNames<Options>,
  whose: string,
): ResolvedAway {
  if (typeof options !== "object" || options === null) {
    throw invalid(`Say who is to do it: ${whose}(object, { keyring }).`);
  }
  assertKnownOptions(options, known, whose);
  const { client, Bucket, Key, abortSignal } = options;
  const given = pick(options, OPTIONS);
  const stray = Object.keys(given)[0];
  if (client !== undefined && stray !== undefined) {
    throw invalid(`Give either a client, whose options are used, or ${stray}.`);
  }
  const own =
    client === undefined
      ? resolveOptions(given as S3EncryptionOptions, `${whose}(object, { keyring })`)
      : encryptionOf(client, undefined);
  const object = { ...(Bucket === undefined ? {} : { Bucket }), ...(Key === undefined ? {} : { Key }) };
  const input = withCallOptions(object, {
    ...pick(options, SAID),
    ...(abortSignal === undefined ? {} : { abortSignal }),
  });
  const encryption = { ...own, telemetry: own.telemetry.of(whose, object) };
  return { encryption, input, call: callOptionsOf(input) };
}

function pick(options: object, names: object): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(options).filter(([name, value]) => value !== undefined && Object.hasOwn(names, name)),
  );
}

export function invalid(message: string): S3EncryptionError {
  return new S3EncryptionError("invalid-argument", message);
}
