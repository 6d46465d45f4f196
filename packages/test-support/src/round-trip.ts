import type { AlgorithmSuite } from "@s3ec/envelope";
import type { EncryptionMaterials, Keyring } from "@s3ec/materials";
import { forReading, forWriting } from "./keyring-materials.js";

/** Whether `reader` opens what `writer` writes, to the same data key. */
export async function roundTrip(writer: Keyring, reader: Keyring, suite?: AlgorithmSuite): Promise<boolean> {
  return await opens(reader, await writer.onEncrypt(forWriting(suite)));
}

/** Whether `reader`, asked for what a keyring's `onEncrypt` gave, opens it to the same data key. */
export async function opens(reader: Keyring, written: EncryptionMaterials): Promise<boolean> {
  const { suite, algorithmBinding, encryptionContext, dataKey, encryptedDataKeys } = written;
  const opened = await reader.onDecrypt(forReading(suite, { algorithmBinding, encryptionContext }), encryptedDataKeys);
  return dataKey !== undefined && opened?.dataKey?.equals(dataKey) === true;
}
