import { Agent } from "node:http";
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

// A connection that Deno has kept, and that is aborted, is replaced by it with another one, on which all is asked again.
const agent = new Agent({ keepAlive: !("Deno" in globalThis), maxSockets: 50 });

/** Connections that clients of `retryingClient` hold for a request that is not over. */
export function busySockets(): number {
  return Object.values(agent.sockets).reduce((sum, sockets = []) => sum + sockets.length, 0);
}

/** A client that tries again, as users' clients do. */
export function retryingClient(fixture: Fixture, options: Partial<S3EncryptionOptions> = {}): S3EncryptionClient {
  const encryption = { keyring: TEST_KEYRING, ...options };
  const config = { ...fixture.server.clientConfig, requestHandler: { httpAgent: agent }, maxAttempts: 3 };
  return fixture.track(new S3EncryptionClient({ ...config, encryption }));
}
