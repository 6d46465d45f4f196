import { listObjects, rewrapObjects } from "@s3ec/bulk";
import { S3EncryptionClient } from "@s3ec/client";
import { RawAesKeyring } from "@s3ec/keyring-raw-aes";

/** A run that is going to be killed; it says so when it first writes. */
const [settings = "{}"] = process.argv.slice(2);
const { config, former, renewed, path, Bucket } = JSON.parse(settings);
const aes = (key: string, wrappingKey: string) =>
  new RawAesKeyring({ wrappingKey: Buffer.from(wrappingKey, "base64"), materialDescription: { key } });
const client = new S3EncryptionClient({ ...config, maxAttempts: 1, encryption: { keyring: aes("old", former) } });
let isWriting = false;
client.middlewareStack.add(
  (next, context) => async (args) => {
    if (context.commandName === "CopyObjectCommand" && !isWriting) {
      isWriting = true;
      process.send?.("writing");
    }
    return await next(args);
  },
  { step: "finalizeRequest", priority: "low", name: "telling" },
);
const to = { keyring: aes("new", renewed) };
const options = { Bucket, to, settleTime: 0, concurrency: 4, journal: { path, target: "new" } };
for await (const { outcome, problem } of rewrapObjects(client, listObjects(client, { Bucket }), options)) {
  if (outcome !== "rewrapped" && outcome !== "current") throw new Error(problem);
}
process.disconnect?.();
