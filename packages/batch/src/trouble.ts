import { AsyncLocalStorage } from "node:async_hooks";
import type { S3Client } from "@aws-sdk/client-s3";
import { isTemporary } from "./failure.js";

/** What went wrong for a while in the requests of one task. */
const TROUBLE = new AsyncLocalStorage<unknown[]>();

/**
 * Looks at something by functions that put what they could not ask into words, such as an audit, which takes a throttled
 * answer for something unknown: throws what will pass in place of their word, so that S3 asks again.
 *
 * @param isOpen whether their word says that something is not known
 */
export async function untroubled<Found>(look: () => Promise<Found>, isOpen: (found: Found) => boolean): Promise<Found> {
  const troubles: unknown[] = [];
  const found = await TROUBLE.run(troubles, look);
  if (troubles.length > 0 && isOpen(found)) throw troubles[0];
  return found;
}

/** Has a client of S3 or KMS tell what will pass of what its requests fail with, once the SDK has tried again in vain. */
export function watch<Client extends { readonly middlewareStack: unknown }>(client: Client): Client {
  const stack = client.middlewareStack as S3Client["middlewareStack"];
  stack.add(
    (next) => async (args) => {
      try {
        return await next(args);
      } catch (error) {
        if (isTemporary(error)) TROUBLE.getStore()?.push(error);
        throw error;
      }
    },
    { step: "initialize", priority: "low", name: "s3ecBatchTrouble", override: true },
  );
  return client;
}
