import type { S3Client } from "@aws-sdk/client-s3";
import { S3EncryptionError } from "@s3ec/materials";
import { type ResolvedOptions, resolveOptions, type S3EncryptionOptions } from "./options.js";

/** Our middleware on a client's stack. At the default priority it would run inside the region redirect, and encrypt twice. */
export const MIDDLEWARE = {
  step: "initialize",
  priority: "high",
  name: "s3EncryptionMiddleware",
  override: true,
} as const;

// By middleware stack, the one thing that the plugin and whoever holds the client both see.
const OPTIONS = new WeakMap<object, ResolvedOptions>();

export function rememberEncryption(middlewareStack: object, options: ResolvedOptions): void {
  OPTIONS.set(middlewareStack, options);
}

/**
 * The options to encrypt and decrypt with beside a client: those given, or else those of an `S3EncryptionClient` or of a
 * client that has the plugin. Throws `invalid-argument` when there are none.
 */
export function encryptionOf(client: S3Client, encryption: S3EncryptionOptions | undefined): ResolvedOptions {
  if (encryption !== undefined) return resolveOptions(encryption);
  const options = OPTIONS.get(client.middlewareStack);
  if (options !== undefined) return options;
  throw new S3EncryptionError(
    "invalid-argument",
    "Pass an S3EncryptionClient as client, or a plain S3Client together with encryption options.",
  );
}

/**
 * The same client without our middleware: its very region, credentials, endpoint, request handler and the caller's own
 * middleware, so that ciphertext can be moved as it is.
 */
export function plainClientOf(client: S3Client): S3Client {
  const middlewareStack = client.middlewareStack.clone();
  // Not removed: middleware of the caller's may have its place before or behind it.
  middlewareStack.add((next) => next, MIDDLEWARE);
  // Its own (empty) handler cache: an inherited one holds handlers that encrypt.
  return Object.create(client, {
    middlewareStack: { value: middlewareStack },
    handlers: { value: undefined, writable: true, configurable: true },
  });
}
