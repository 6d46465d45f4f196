import { type AlgorithmSuite, COMMITTING_GCM, type EncryptedDataKey, type StringMap } from "@s3ec/envelope";
import type { DecryptionMaterials, EncryptionMaterials, Keyring } from "@s3ec/materials";

export function forWriting(
  suite: AlgorithmSuite = COMMITTING_GCM,
  materialDescription?: StringMap,
): EncryptionMaterials {
  return {
    suite,
    algorithmBinding: suite.storedName,
    encryptionContext: {},
    encryptedDataKeys: [],
    ...(materialDescription === undefined ? {} : { materialDescription }),
  };
}

export function forReading(suite: AlgorithmSuite = COMMITTING_GCM): DecryptionMaterials {
  return { suite, algorithmBinding: suite.storedName, encryptionContext: {} };
}

/** Whether `reader` opens what `writer` writes. */
export async function roundTrip(writer: Keyring, reader: Keyring, suite?: AlgorithmSuite): Promise<boolean> {
  const { dataKey, encryptedDataKeys } = await writer.onEncrypt(forWriting(suite));
  return await opens(reader, encryptedDataKeys, dataKey, suite);
}

export async function opens(
  reader: Keyring,
  encryptedDataKeys: readonly EncryptedDataKey[],
  dataKey: EncryptionMaterials["dataKey"],
  suite?: AlgorithmSuite,
): Promise<boolean> {
  const opened = await reader.onDecrypt(forReading(suite), encryptedDataKeys);
  return dataKey !== undefined && opened?.dataKey?.equals(dataKey) === true;
}
