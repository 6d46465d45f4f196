import { assertKnownOptions } from "@s3ec/materials";
import { CALL, type EncryptionCallOptions } from "./call-options.js";

// Not the call's own: a command that is presigned must not count as one that came through `send`.
const PARAMS_OPTIONS = Symbol.for("@s3ec/params-options");

/**
 * Params that carry their call's options, for who makes the commands out of them, as `Upload` of `@aws-sdk/lib-storage` does:
 * `new Upload({ client, params: withEncryptionOptions(params, { encryptionContext }) })`. A copy; to be sent by a client that
 * encrypts. What `send` itself is given goes before it.
 *
 * @throws S3EncryptionError `invalid-argument` for an option that nobody knows
 */
export function withEncryptionOptions<Params extends object>(params: Params, options: EncryptionCallOptions): Params {
  assertKnownOptions(options, CALL, "withEncryptionOptions");
  return { ...params, [PARAMS_OPTIONS]: { ...options } };
}

/** What an input's params carry. */
export function optionsOfParams(input: object): EncryptionCallOptions {
  return Reflect.get(input, PARAMS_OPTIONS) ?? {};
}
