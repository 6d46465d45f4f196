import type { S3Client } from "@aws-sdk/client-s3";
import { S3EncryptionError } from "@s3ec/materials";
import { type ResolvedOptions, resolveOptions, type S3EncryptionOptions } from "./options.js";
import { NOTHING } from "./streams.js";
import { isNoLogger } from "./telemetry/telemetry.js";
import { watchAttempts } from "./write/attempts.js";
import { failWithBodies } from "./write/sent-body.js";

/** Our middleware on a client's stack. At the default priority it would run inside the region redirect, and encrypt twice. */
export const MIDDLEWARE = {
  step: "initialize",
  priority: "high",
  name: "s3EncryptionMiddleware",
  override: true,
} as const;

/** Has a client send, by a `send` that does not encrypt by itself. */
export type Send = (client: S3Client, command: unknown, options: unknown, callback: unknown) => unknown;

interface Encryption {
  readonly options: ResolvedOptions;
  readonly send: Send;
}

// On the middleware stack, which a proxy of the client, or what was made from it, has too; by a symbol that every copy of
// this package knows. Its number changes with what a copy may expect of the options.
const ENCRYPTION = Symbol.for("@s3ec/client/encryption/2");

export function rememberEncryption({ middlewareStack }: S3Client, encryption: Encryption): void {
  // Not enumerable: whoever prints a client sees no keyring.
  Object.defineProperty(middlewareStack, ENCRYPTION, { value: encryption, configurable: true });
}

function rememberedBy({ middlewareStack }: S3Client): Encryption | undefined {
  return Reflect.get(middlewareStack, ENCRYPTION);
}

/**
 * The options to encrypt and decrypt with beside a client: those given, or else those of an `S3EncryptionClient` or of a
 * client given to `encryptS3`. Throws `invalid-argument` when there are none.
 */
export function encryptionOf(client: S3Client, encryption: S3EncryptionOptions | undefined): ResolvedOptions {
  if (typeof client?.middlewareStack?.clone !== "function" || typeof client.send !== "function") throw noClient();
  if (encryption !== undefined) return heardBy(client, resolveOptions(encryption));
  const own = rememberedBy(client);
  if (own !== undefined) return own.options;
  throw encryptsAlready(client) ? ofOtherVersion() : noClient();
}

/** The same options, of which the client's own logger hears. */
export function heardBy(client: S3Client, options: ResolvedOptions): ResolvedOptions {
  return { ...options, telemetry: options.telemetry.heardBy(client) };
}

/** By the name of its middleware, so that a client of any copy and version is seen, and a stack that was taken from one. */
export function encryptsAlready({ middlewareStack }: S3Client): boolean {
  return middlewareStack.identify().some((entry) => entry.startsWith(`${MIDDLEWARE.name} `));
}

function ofOtherVersion(): S3EncryptionError {
  return new S3EncryptionError(
    "invalid-argument",
    "This client encrypts by a version of @s3ec/client whose options this one does not know: install one version of it, or pass the encryption options here, too, with a plain S3Client.",
  );
}

function noClient(): S3EncryptionError {
  return new S3EncryptionError(
    "invalid-argument",
    "Pass an S3EncryptionClient as client, or a plain S3Client together with encryption options.",
  );
}

/**
 * The same client without our middleware: its very region, credentials, endpoint, request handler and the caller's own
 * middleware, so that ciphertext can be moved as it is.
 */
export function plainClientOf(client: S3Client): S3Client {
  let middlewareStack: S3Client["middlewareStack"] | undefined;
  const send: Send = rememberedBy(client)?.send ?? ((of, ...call) => Reflect.apply(client.send, of, call));
  const plain: S3Client = Object.create(client, {
    // Made when it is first used: every put has such a client, for the case that something of it fails.
    middlewareStack: {
      get: () => {
        middlewareStack ??= unencryptedStackOf(client);
        return middlewareStack;
      },
    },
    // With options, the SDK caches no handlers and uses none: those of the client encrypt.
    send: {
      value: (command: unknown, options: unknown, callback: unknown): unknown =>
        typeof options === "function"
          ? send(plain, command, {}, options)
          : send(plain, command, options ?? {}, callback),
    },
    // Which the SDK deletes when it is given options.
    handlers: { value: undefined, writable: true, configurable: true },
  });
  return plain;
}

function unencryptedStackOf(client: S3Client): S3Client["middlewareStack"] {
  const stack = client.middlewareStack.clone();
  // Not removed: middleware of the caller's may have its place before or behind it.
  stack.add((next) => next, MIDDLEWARE);
  watchAttempts(stack);
  failWithBodies(stack);
  keepQuiet(stack);
  return stack;
}

/**
 * Where there is no logger, the SDK tells the console of every stream that it does not send again. What is sent here as a
 * stream is sent again by whoever made it.
 */
function keepQuiet(stack: Pick<S3Client["middlewareStack"], "add">): void {
  stack.add(
    (next, context) => {
      if (isNoLogger(context.logger)) context.logger = SILENT;
      return next;
    },
    { step: "initialize", name: "s3EncryptionQuiet", override: true },
  );
}

type Logger = NonNullable<S3Client["config"]["logger"]>;

/** It has neither of those that the SDK copies each input and output for, which takes as long as a tenth of a small request. */
const SILENT = { trace: NOTHING, debug: NOTHING, warn: NOTHING } as Partial<Logger> as Logger;
