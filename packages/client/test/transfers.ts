import { setTimeout as delay } from "node:timers/promises";
import { S3EncryptionClient, type S3EncryptionOptions } from "@s3ec/client";
import { type Fixture, TEST_KEYRING } from "./fixture.js";

/** The error that a promise must end in. */
export async function errorOf(promise: Promise<unknown>): Promise<Error> {
  const outcome: unknown = await promise.then(
    () => "it succeeded",
    (error: unknown) => error,
  );
  if (!(outcome instanceof Error)) throw new Error(`Not an error: ${String(outcome)}`);
  return outcome;
}

/** Resolves when something has come about; the test's own timeout ends the wait for what never does. */
export async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await delay(5);
}

/** A client that tries again, as users' clients do. */
export function retryingClient(fixture: Fixture, options: Partial<S3EncryptionOptions> = {}): S3EncryptionClient {
  const encryption = { keyring: TEST_KEYRING, ...options };
  return fixture.track(new S3EncryptionClient({ ...fixture.server.clientConfig, maxAttempts: 3, encryption }));
}
