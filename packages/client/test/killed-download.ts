// A download in a process of its own, which kills itself once so many bytes are written.
import { once } from "node:events";
import { EncryptedDownload, S3EncryptionClient } from "@s3ec/client";
import { RawAesKeyring } from "@s3ec/keyring-raw-aes";

const [bytes, to = "", how = "resume"] = process.argv.slice(2);
const [{ config, wrappingKey }] = await once(process, "message");
const keyring = new RawAesKeyring({ wrappingKey: Buffer.from(wrappingKey, "hex") });
const client = new S3EncryptionClient({ ...config, encryption: { keyring } });
const params = { Bucket: "bucket", Key: "killed" };
const resume = how === "resume";
const download = new EncryptedDownload({ client, params, to, partSize: 64 * 1024, queueSize: 4, resume });
download.on("httpDownloadProgress", ({ loaded }) => {
  if (loaded >= Number(bytes)) process.kill(process.pid, "SIGKILL");
});
process.send?.("begun");
await download.done();
process.disconnect();
client.destroy();
