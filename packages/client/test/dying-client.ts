import { S3EncryptionClient, type S3EncryptionOptions } from "@s3ec/client";
import type { Fixture } from "./fixture.js";

/** A process that is killed: from its last request on, no other is sent, also none that would clean up. */
export interface DyingClient {
  readonly client: S3EncryptionClient;
  /** Requests that were sent, and of which kinds the last one was. */
  readonly sent: readonly string[];
}

/**
 * @param most requests that are still sent
 * @param last whether the last one arrives, and only its answer does not
 */
export function dyingClient(
  fixture: Fixture,
  encryption: S3EncryptionOptions,
  { most, last }: { readonly most: number; readonly last: "unsent" | "unanswered" },
): DyingClient {
  const client = fixture.track(new S3EncryptionClient({ ...fixture.server.clientConfig, maxAttempts: 1, encryption }));
  const sent: string[] = [];
  client.middlewareStack.add(
    (next, context) => async (args) => {
      const killed = new Error("killed");
      if (sent.length >= most) throw killed;
      sent.push(context.commandName ?? "");
      if (sent.length < most) return next(args);
      if (last === "unanswered") await next(args);
      throw killed;
    },
    { step: "finalizeRequest", priority: "low", name: "dying", override: true },
  );
  return { client, sent };
}

/** Which of the requests of a run, counted from 1, change anything: between two of them it makes no difference where it ends. */
export function writesOf(sent: readonly string[]): readonly number[] {
  const isWrite = (name: string): boolean => /^(?:Put|Delete|Copy|Create|Upload|Complete)/.test(name);
  return sent.flatMap((name, index) => (isWrite(name) ? [index + 1] : []));
}
