import type { KeyObject } from "node:crypto";
import { isKeyObject, isUint8Array } from "node:util/types";
import {
  KeyringTraceFlag,
  NodeAlgorithmSuite,
  type NodeDecryptionMaterial,
  type NodeEncryptionMaterial,
} from "@aws-crypto/material-management-node";
import { type AlgorithmSuite, importDataKey, lendDataKey } from "@s3ec/materials";

type SdkMaterial = Pick<
  NodeEncryptionMaterial | NodeDecryptionMaterial,
  "hasUnencryptedDataKey" | "getUnencryptedDataKey" | "zeroUnencryptedDataKey"
>;

/** Throws where the SDK has no such suite. */
export function sdkSuite({ id }: AlgorithmSuite): NodeAlgorithmSuite {
  return new NodeAlgorithmSuite(id);
}

/** Hands over a data key that is there already, so that the SDK's keyring wraps it rather than one of its own. */
export async function handOver(dataKey: KeyObject, material: NodeEncryptionMaterial): Promise<void> {
  const flags = KeyringTraceFlag.WRAPPING_KEY_GENERATED_DATA_KEY;
  await lendDataKey(dataKey, (bytes) => {
    // In a buffer of its own, which the SDK insists on, and zeroes once it made a KeyObject of it.
    material.setUnencryptedDataKey(Uint8Array.from(bytes), { keyNamespace: "s3ec", keyName: "data key", flags });
  });
}

/** Takes the data key out, and has the SDK zero its own copies. Undefined where the materials hold none. */
export function takeDataKey(material: SdkMaterial): KeyObject | undefined {
  if (!material.hasUnencryptedDataKey) return undefined;
  const dataKey: unknown = material.getUnencryptedDataKey();
  try {
    if (isKeyObject(dataKey)) return dataKey;
    return isUint8Array(dataKey) ? importDataKey(Uint8Array.from(dataKey)) : undefined;
  } finally {
    material.zeroUnencryptedDataKey();
  }
}
