import { COMMITTING_GCM } from "@s3ec/envelope";
import { type Keyring, type MaterialsManager, type ObjectRequest, S3EncryptionError } from "@s3ec/materials";

/**
 * Whether the same keyring serves two places, as the manager tells: by its partitions, each of which one keyring serves, or by the
 * keyrings themselves, where two rules name one. Undefined where it tells neither.
 */
export function servesBoth(manager: MaterialsManager, one: ObjectRequest, other: ObjectRequest): boolean | undefined {
  const partitions = [one, other].map((request) => manager.cachePartition?.(asked(request)));
  const isTold = partitions.every((partition) => partition !== undefined);
  if (isTold && partitions[0] === partitions[1]) return true;
  const keyrings = [one, other].map((request) => keyringOf(manager, request));
  if (keyrings.every((keyring) => keyring !== undefined)) return keyrings[0] === keyrings[1];
  return isTold ? false : undefined;
}

function keyringOf(manager: MaterialsManager, request: ObjectRequest): Keyring | undefined {
  try {
    return manager.keyringFor?.(asked(request));
  } catch (error) {
    // A request that it does not serve, such as one without a context that it requires.
    if (error instanceof S3EncryptionError) return undefined;
    throw error;
  }
}

function asked(request: ObjectRequest) {
  return { ...request, suite: COMMITTING_GCM, algorithmBinding: COMMITTING_GCM.name };
}
