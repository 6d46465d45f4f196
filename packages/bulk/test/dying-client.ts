import { S3EncryptionClient, type S3EncryptionOptions } from "@s3ec/client";
import type { BulkFixture } from "./bulk-fixture.js";

/**
 * A process that is killed: from its last request on, no other is sent, also none that would clean up.
 *
 * @param most requests that are still sent
 * @param last whether the last one arrives, and only its answer does not
 */
export function dyingClient(
  fixture: BulkFixture,
  encryption: S3EncryptionOptions,
  { most, last }: { readonly most: number; readonly last: "unsent" | "unanswered" },
): { readonly client: S3EncryptionClient; readonly sent: readonly string[] } {
  const client = fixture.track(new S3EncryptionClient({ ...fixture.server.clientConfig, maxAttempts: 1, encryption }));
  const sent: string[] = [];
  const { requestHandler } = client.config;
  const handle = requestHandler.handle.bind(requestHandler);
  requestHandler.handle = async (request, options) => {
    // Not sent at all.
    if (isAborted(options)) return await handle(request, options);
    const killed = new Error("killed");
    if (sent.length >= most) throw killed;
    sent.push(`${request.method}${"x-amz-copy-source" in request.headers ? " copy" : ""} ${request.path}`);
    if (sent.length < most) return await handle(request, options);
    if (last === "unanswered") await handle(request, options);
    throw killed;
  };
  return { client, sent };
}

function isAborted(options: object | undefined): boolean {
  const signal: unknown = options === undefined ? undefined : Reflect.get(options, "abortSignal");
  return signal instanceof AbortSignal && signal.aborted;
}
